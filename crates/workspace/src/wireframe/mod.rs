//! Wireframes in words: a few plain lines that say what is on a screen. They are drawn here, so that
//! nothing that a model or anybody else writes is ever markup.
//!
//! ```text
//! # Shopping list            a heading
//! What is missing at home?   words
//! Name: ____                 a field with its label
//! [ Add ] [ Cancel ]         buttons beside each other
//! [x] Milk                   a box to tick
//! - Bread                    a line of a list
//! ---                        a line across
//! ![A basket]                a picture of something
//! { Sign in                  a box around what follows, up to the line
//! }
//! ```

mod drawing;

use crate::front_matter::Problem;

/// How the names of their files end.
pub const ENDING: &str = ".wireframe";

/// The longest text, in bytes.
pub const LARGEST: usize = 8 * 1024;

const MOST_LINES: usize = 150;
const LONGEST_LINE: usize = 300;
const DEEPEST: usize = 4;

/// A screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wireframe(Vec<Element>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Element {
    Heading(String),
    Words(String),
    Field(String),
    Buttons(Vec<String>),
    Tick { text: String, is_ticked: bool },
    Item(String),
    Rule,
    Picture(String),
    Frame { title: String, inside: Vec<Element> },
}

impl Wireframe {
    /// Reads a screen.
    ///
    /// # Errors
    /// [`Problem`] says what is wrong, to a person as to a model.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let problem = |why: String| Err(Problem(why));
        if text.len() > LARGEST {
            return problem(format!("A wireframe has at most {} KiB of text.", LARGEST / 1024));
        }
        // The screen itself, and the boxes that are open, each with its title.
        let mut open: Vec<(String, Vec<Element>)> = vec![(String::new(), Vec::new())];
        let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
        for (count, (number, line)) in lines.enumerate() {
            if count == MOST_LINES || line.chars().count() > LONGEST_LINE {
                return problem(format!(
                    "A wireframe has at most {MOST_LINES} lines of {LONGEST_LINE} characters; line {} is more.",
                    number + 1
                ));
            }
            if let Some(title) = line.strip_prefix('{') {
                if open.len() > DEEPEST {
                    return problem(format!(
                        "Boxes lie at most {DEEPEST} deep in each other; line {} is deeper.",
                        number + 1
                    ));
                }
                open.push((title.trim().to_owned(), Vec::new()));
            } else if line == "}" {
                let closed = open.pop();
                match (closed, open.last_mut()) {
                    (Some((title, inside)), Some((_, around))) => around.push(Element::Frame { title, inside }),
                    _ => return problem(format!("Line {} ends a box, but none is open.", number + 1)),
                }
            } else if let Some((_, around)) = open.last_mut() {
                around.push(Element::parse(line));
            }
        }
        match open.pop() {
            Some((title, _)) if !open.is_empty() => {
                problem(format!("The box “{title}” has no end; write }} on a line of its own."))
            }
            Some((_, elements)) if !elements.is_empty() => Ok(Self(elements)),
            _ => problem("The wireframe is empty: say what is on the screen, a line each.".to_owned()),
        }
    }

    /// The screen as an SVG picture; everything in it is drawn here.
    #[must_use]
    pub fn to_svg(&self, title: &str) -> String {
        drawing::draw(title, &self.0)
    }
}

impl Element {
    fn parse(line: &str) -> Self {
        let text = |text: &str| text.trim().to_owned();
        if let Some(rest) = line.strip_prefix('#') {
            return Self::Heading(text(rest.trim_start_matches('#')));
        }
        if line.len() >= 3 && line.bytes().all(|byte| byte == b'-') {
            return Self::Rule;
        }
        if let Some(rest) = line.strip_prefix("- ") {
            return Self::Item(text(rest));
        }
        if let Some(rest) = line.strip_prefix("![") {
            return Self::Picture(text(rest.trim_end_matches(']')));
        }
        for (mark, is_ticked) in [("[ ]", false), ("[x]", true), ("[X]", true), ("[]", false)] {
            if let Some(rest) = line.strip_prefix(mark) {
                return Self::Tick { text: text(rest), is_ticked };
            }
        }
        if let Some(buttons) = buttons(line) {
            return Self::Buttons(buttons);
        }
        match line.strip_suffix("__") {
            Some(label) => Self::Field(text(label.trim_end_matches('_').trim_end().trim_end_matches(':'))),
            None => Self::Words(line.to_owned()),
        }
    }
}

/// The buttons of a line that holds nothing else.
fn buttons(line: &str) -> Option<Vec<String>> {
    let mut buttons = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (button, behind) = rest.strip_prefix('[')?.split_once(']')?;
        buttons.push(button.trim().to_owned());
        rest = behind.trim_start();
    }
    Some(buttons)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "# List\n\nWhat is missing?\nName: ____\n[ Add ] [Cancel]\n[x] Milk\n[ ] Bread\n- Eggs\n---\n![A basket]\n{ Sign in\nPassword ___\n}\n[ half\n";

    #[test]
    fn every_kind_of_line_is_understood() {
        let text = |words: &str| words.to_owned();
        let frame = Element::Frame { title: text("Sign in"), inside: vec![Element::Field(text("Password"))] };
        let expected = vec![
            Element::Heading(text("List")),
            Element::Words(text("What is missing?")),
            Element::Field(text("Name")),
            Element::Buttons(vec![text("Add"), text("Cancel")]),
            Element::Tick { text: text("Milk"), is_ticked: true },
            Element::Tick { text: text("Bread"), is_ticked: false },
            Element::Item(text("Eggs")),
            Element::Rule,
            Element::Picture(text("A basket")),
            frame,
            Element::Words(text("[ half")),
        ];
        assert_eq!(Wireframe::parse(TEXT).unwrap().0, expected);
    }

    #[test]
    fn what_is_no_wireframe_is_refused_in_words() {
        let long = "a".repeat(LONGEST_LINE + 1);
        let many = "a\n".repeat(MOST_LINES + 1);
        let deep = "{ a\n".repeat(DEEPEST + 1);
        let huge = "a\n".repeat(LARGEST);
        for (text, why) in [
            ("", "is empty"),
            (" \n\n", "is empty"),
            ("{ a\nb", "“a” has no end"),
            ("a\n}", "Line 2 ends a box"),
            (long.as_str(), "at most 150 lines"),
            (many.as_str(), "line 151 is more"),
            (deep.as_str(), "line 5 is deeper"),
            (huge.as_str(), "at most 8 KiB"),
        ] {
            let problem = Wireframe::parse(text).unwrap_err();
            assert!(problem.0.contains(why), "{problem}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_none_of_it_is_markup(text in "([<>&\"'\\[\\]{}_#!x \n-]|\\PC|\u{0}|\u{202e}){0,80}", title in any::<String>()) {
            let Ok(wireframe) = Wireframe::parse(&text) else { return Ok(()) };
            let svg = wireframe.to_svg(&title);
            let names = svg.split('<').skip(1).map(|tag| tag.trim_start_matches('/'));
            let mut names = names.map(|tag| tag.split([' ', '>', '/']).next().unwrap_or_default());
            let ours = ["svg", "title", "desc", "rect", "text", "tspan", "line", "circle", "path", "g"];
            prop_assert!(names.all(|name| ours.contains(&name)), "{}", svg);
            prop_assert!(!svg.chars().any(|c| c.is_control() && c != '\n'));
        }
    }
}
