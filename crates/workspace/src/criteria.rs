//! Acceptance criteria: the checklist under `## Acceptance criteria` at the end of an item's text.

const HEADING: &str = "## Acceptance criteria";

/// One thing that must be true before an item is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    /// What must be true, one line of Markdown.
    pub text: String,
    /// Whether it is.
    pub met: bool,
}

/// Takes the checklist off the end of a body. A body whose last section is anything but a plain
/// checklist keeps it as text.
#[must_use]
pub fn split(body: &str) -> (String, Vec<Criterion>) {
    let whole = || (body.to_owned(), Vec::new());
    let mut position = 0;
    let mut heading = None;
    for line in body.split_inclusive('\n') {
        if line.trim_end().eq_ignore_ascii_case(HEADING) {
            heading = Some((position, position + line.len()));
        }
        position += line.len();
    }
    let Some((start, end)) = heading else { return whole() };
    let lines = body[end..].lines().filter(|line| !line.trim().is_empty());
    match lines.map(read_line).collect::<Option<Vec<_>>>() {
        Some(criteria) => (body[..start].trim_end().to_owned(), criteria),
        None => whole(),
    }
}

/// Puts a checklist at the end of a text.
#[must_use]
pub fn join(story: &str, criteria: &[Criterion]) -> String {
    if criteria.is_empty() {
        return story.trim_end().to_owned();
    }
    let mut body = story.trim_end().to_owned();
    if !body.is_empty() {
        body.push_str("\n\n");
    }
    body.push_str(HEADING);
    body.push('\n');
    for Criterion { text, met } in criteria {
        body.push_str(if *met { "\n- [x] " } else { "\n- [ ] " });
        body.push_str(text);
    }
    body
}

/// Reads what a person typed, one criterion a line; lines may look like a checklist already.
#[must_use]
pub fn read_lines(typed: &str) -> Vec<Criterion> {
    let lines = typed.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            read_line(line).unwrap_or_else(|| {
                let text = line.trim_start_matches(['-', '*']).trim();
                Criterion { text: if text.is_empty() { line } else { text }.to_owned(), met: false }
            })
        })
        .collect()
}

/// The criteria as a person edits them: one a line, `[x]` in front of those that are met.
#[must_use]
pub fn to_lines(criteria: &[Criterion]) -> String {
    let lines = criteria.iter().map(|criterion| {
        let mark = if criterion.met { "[x] " } else { "" };
        format!("{mark}{}\n", criterion.text)
    });
    lines.collect()
}

fn read_line(line: &str) -> Option<Criterion> {
    let line = line.trim();
    let line = line.strip_prefix(['-', '*', '+']).map_or(line, str::trim_start);
    let (met, text) = match line.get(..3)? {
        "[ ]" => (false, &line[3..]),
        "[x]" | "[X]" => (true, &line[3..]),
        _ => return None,
    };
    let text = text.trim();
    (!text.is_empty()).then(|| Criterion { text: text.to_owned(), met })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn open(text: &str) -> Criterion {
        Criterion { text: text.to_owned(), met: false }
    }

    #[test]
    fn the_checklist_at_the_end_is_taken_apart_and_put_together() {
        let body = "As a potter I sell.\n\n## Acceptance criteria\n\n- [ ] A price is shown\n- [x] It *looks* good";
        let (story, criteria) = split(body);
        assert_eq!(story, "As a potter I sell.");
        assert_eq!(criteria, [open("A price is shown"), Criterion { text: "It *looks* good".into(), met: true }]);
        assert_eq!(join(&story, &criteria), body);
    }

    #[test]
    fn a_section_with_other_text_stays_text() {
        for body in
            ["## Acceptance criteria\n\nIt works.", "a\n\n## Acceptance criteria\n\n- [ ] x\n\n## Notes\n\nb", "none"]
        {
            assert_eq!(split(body), (body.to_owned(), vec![]));
        }
    }

    #[test]
    fn plain_lines_and_lists_can_be_typed() {
        let typed = "A price is shown\n- it works\n\n[x] done\n* [ ] starred\n-\n";
        let texts: Vec<_> = read_lines(typed).into_iter().map(|c| (c.text, c.met)).collect();
        let expected =
            [("A price is shown", false), ("it works", false), ("done", true), ("starred", false), ("-", false)];
        assert_eq!(texts, expected.map(|(text, met)| (text.to_owned(), met)));
    }

    proptest! {
        #[test]
        fn any_typed_criteria_come_back(story in "[a-z#\\n -]{0,60}", typed in "(\\PC{0,20}\\n){0,5}") {
            let criteria = read_lines(&typed);
            if criteria.is_empty() {
                return Ok(());
            }
            let body = join(&story, &criteria);
            prop_assert_eq!(split(&body), (story.trim_end().to_owned(), criteria.clone()));
            prop_assert_eq!(read_lines(&to_lines(&criteria)), criteria);
        }

        #[test]
        fn splitting_and_joining_loses_no_words(body in "(\\PC{0,20}\\n|## Acceptance criteria\\n|- \\[ \\] x\\n){0,8}") {
            let (story, criteria) = split(&body);
            let (again, criteria_again) = split(&join(&story, &criteria));
            prop_assert_eq!(criteria_again.len() >= criteria.len(), true);
            prop_assert!(body.contains(&story) && story.starts_with(again.as_str()));
        }
    }
}
