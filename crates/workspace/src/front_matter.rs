//! Markdown with YAML between two lines of `---` at its top.
//!
//! Fields that this program does not know, comments and the order of the lines are the author's and
//! stay as they are; only the lines of a changed field are rewritten.

use serde_norway::{Mapping, Value};

/// The most YAML one document may carry, in bytes.
const LARGEST_FRONT_MATTER: usize = 64 * 1024;

/// One document taken apart. `Default` is an empty one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sheet {
    yaml: String,
    fields: Mapping,
    /// The Markdown below the front matter, without blank lines around it.
    pub body: String,
}

/// What is wrong with a document, in words for the person who can mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Problem(pub String);

impl Sheet {
    /// Takes a document apart. One without front matter is all body.
    ///
    /// # Errors
    /// [`Problem`] when there is front matter that cannot be understood.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let Some((yaml, body)) = split(text)? else {
            return Ok(Self { body: tidy(text), ..Self::default() });
        };
        if yaml.len() > LARGEST_FRONT_MATTER {
            return Err(Problem("The part between the two --- lines is larger than 64 KiB.".to_owned()));
        }
        let fields = read_yaml(yaml)
            .map_err(|why| Problem(format!("The part between the two --- lines cannot be understood: {why}")))?;
        Ok(Self { yaml: yaml.to_owned(), fields, body: tidy(body) })
    }

    /// The text of a field, if it is there and holds a single word, sentence or number.
    ///
    /// # Errors
    /// [`Problem`] when the field holds a list or more fields.
    pub fn text(&self, field: &str) -> Result<Option<String>, Problem> {
        match self.fields.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::Bool(yes)) => Ok(Some(yes.to_string())),
            Some(_) => Err(Problem(format!("“{field}” must be a single value, not a list or a group."))),
        }
    }

    /// Sets a field, or removes it with `None`, and leaves all others as they are.
    pub fn set(&mut self, field: &str, value: Option<Value>) {
        if self.fields.get(field) == value.as_ref() {
            return;
        }
        let lines = match &value {
            Some(value) => yaml_of(field, value),
            None => String::new(),
        };
        match value {
            Some(value) => self.fields.insert(field.into(), value),
            None => self.fields.shift_remove(field),
        };
        let edited = replace_lines(&self.yaml, field, &lines);
        // Front matter can be written in ways that cannot be edited by line; then it is all rewritten.
        self.yaml = match read_yaml(&edited) {
            Ok(fields) if fields == self.fields => edited,
            _ => serde_norway::to_string(&self.fields).unwrap_or(edited),
        };
    }

    /// Puts the document together again.
    #[must_use]
    pub fn to_text(&self) -> String {
        let line_end = if self.yaml.is_empty() || self.yaml.ends_with('\n') { "" } else { "\n" };
        let body = tidy(&self.body);
        let (gap, end) = if body.is_empty() { ("", "") } else { ("\n", "\n") };
        format!("---\n{}{line_end}---\n{gap}{body}{end}", self.yaml)
    }
}

/// Text as it is kept: line feeds only, no blank lines before it and no blanks after it.
#[must_use]
pub fn tidy(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim_start_matches('\n').trim_end().to_owned()
}

fn split(text: &str) -> Result<Option<(&str, &str)>, Problem> {
    let mut position = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let is_fence = line.trim_end() == "---";
        if number == 0 && !is_fence {
            return Ok(None);
        }
        if number > 0 && is_fence {
            let first = text.find('\n').map_or(text.len(), |end| end + 1);
            return Ok(Some((&text[first..position], &text[position + line.len()..])));
        }
        position += line.len();
    }
    if position == 0 {
        return Ok(None);
    }
    Err(Problem("It begins with a --- line, but there is no second --- line to end that part.".to_owned()))
}

fn read_yaml(yaml: &str) -> Result<Mapping, String> {
    match serde_norway::from_str(yaml) {
        Ok(Value::Mapping(fields)) => Ok(fields),
        Ok(Value::Null) => Ok(Mapping::new()),
        Ok(_) => Err("it should be lines of the form “name: value”.".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn yaml_of(field: &str, value: &Value) -> String {
    let mut one = Mapping::new();
    one.insert(field.into(), value.clone());
    serde_norway::to_string(&one).unwrap_or_default()
}

/// Replaces the lines of one top-level field, or adds them at the end.
fn replace_lines(yaml: &str, field: &str, lines: &str) -> String {
    let mut edited = String::new();
    let mut inside = false;
    let mut done = false;
    for line in yaml.split_inclusive('\n') {
        let continues = line.starts_with([' ', '\t', '-']) || line.trim().is_empty();
        inside = inside && continues;
        if line.strip_prefix(field).is_some_and(|rest| rest.starts_with(':')) {
            inside = true;
            if !done {
                edited.push_str(lines);
                done = true;
            }
        }
        if !inside {
            edited.push_str(line);
        }
    }
    if !done {
        if !edited.is_empty() && !edited.ends_with('\n') {
            edited.push('\n');
        }
        edited.push_str(lines);
    }
    edited
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn unknown_fields_comments_and_order_survive_a_change() {
        let text = "---\n# mine\nowner: ada # keep\ntitle: Old\ntags:\n- a\n- b\nstatus: draft\nnested:\n  x: 1\n---\n\nBody\n";
        let mut sheet = Sheet::parse(text).unwrap();
        sheet.set("title", Some("New: title".into()));
        sheet.set("status", None);
        sheet.set("vision", Some("pots".into()));
        assert_eq!(
            sheet.to_text(),
            "---\n# mine\nowner: ada # keep\ntitle: 'New: title'\ntags:\n- a\n- b\nnested:\n  x: 1\nvision: pots\n---\n\nBody\n"
        );
    }

    #[test]
    fn front_matter_that_cannot_be_edited_by_line_keeps_its_fields() {
        for yaml in ["{title: a, owner: ada}", "\"title\": a\nowner: ada", "title: |\n  a\n\n  b\nowner: ada"] {
            let mut sheet = Sheet::parse(&format!("---\n{yaml}\n---\nx")).unwrap();
            sheet.set("title", Some("b".into()));
            let again = Sheet::parse(&sheet.to_text()).unwrap();
            assert_eq!(again.text("title").unwrap().as_deref(), Some("b"), "{yaml}");
            assert_eq!(again.text("owner").unwrap().as_deref(), Some("ada"), "{yaml}");
            assert_eq!(again.body, "x");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_a_problem_with_a_reason() {
        for (text, word) in [
            ("---\ntitle: a\n", "no second ---"),
            ("---\ntitle: [a\n---\n", "cannot be understood"),
            ("---\njust words\n---\n", "name: value"),
            ("---\na: 1\na: 2\n---\n", "duplicate"),
            ("---\na: &x [1]\nb: *y\n---\n", "cannot be understood"),
        ] {
            let problem = Sheet::parse(text).unwrap_err();
            assert!(problem.0.contains(word), "{text:?}: {problem}");
        }
        assert!(Sheet::parse("---\ntitle: [a]\n---\n").unwrap().text("title").is_err());
    }

    #[test]
    fn a_document_without_front_matter_is_all_body() {
        for text in ["", "Just words", "\u{feff}Just words\r\n", "text\n---\nmore"] {
            let sheet = Sheet::parse(text).unwrap();
            assert_eq!(sheet.body, tidy(text.trim_start_matches('\u{feff}')));
        }
    }

    proptest! {
        #[test]
        fn any_title_and_body_come_back(title in "\\PC{1,80}", body in any::<String>(), other in "[a-z]{1,8}") {
            let mut sheet = Sheet::parse(&format!("---\nx-{other}: kept\n---\n")).unwrap();
            sheet.set("title", Some(title.trim().into()));
            sheet.body = body.clone();
            let again = Sheet::parse(&sheet.to_text()).unwrap();
            prop_assert_eq!(again.text("title").unwrap().unwrap_or_default(), title.trim());
            prop_assert_eq!(&again.body, &tidy(&body));
            prop_assert_eq!(again.text(&format!("x-{other}")).unwrap(), Some("kept".to_owned()));
            prop_assert_eq!(again.to_text(), sheet.to_text());
        }

        #[test]
        fn no_text_at_all_makes_it_fail_in_another_way(text in any::<String>(), yaml in "[a-z:{}\\[\\]&*!|>'\"\n -]{0,60}") {
            let _ = Sheet::parse(&text);
            let _ = Sheet::parse(&format!("---\n{yaml}\n---\n{text}"));
        }
    }
}
