use super::Complaint;
use super::tree::Tree;

/// Marks of unfinished work, put together here so that this file does not hold them.
const UNFINISHED: [&str; 4] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), concat!("todo", "!")];

/// What is not finished is an issue, not a comment.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in &tree.files {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(word) = UNFINISHED.iter().find(|word| holds(line, word)) {
                let what = format!("`{word}`: finish it, or write an issue");
                complaints.push(Complaint::new(&file.path, index + 1, what));
            }
        }
    }
    complaints
}

/// Whether the line holds this as a word of its own.
fn holds(line: &str, word: &str) -> bool {
    let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        !part_of_word(line[..at].chars().next_back()) && !part_of_word(line[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_unfinished_work_are_found_wherever_they_stand() {
        let text = format!("fine\n// {}: later\n", UNFINISHED[0]);
        let found = check(&Tree::of(&[("crates/a/src/lib.rs", &text), ("crates/a/assets/a.css", &text)]));
        assert_eq!(found.iter().map(|complaint| complaint.line).collect::<Vec<_>>(), [2, 2]);
    }

    #[test]
    fn words_that_only_contain_one_are_fine() {
        let name = format!("{}_LIST {}S A{}", UNFINISHED[0], UNFINISHED[0], UNFINISHED[2]);
        assert_eq!(check(&Tree::of(&[("crates/a/src/lib.rs", &name)])), []);
    }
}
