//! A vision: what is wanted and why, in the words of those who want it.

use crate::front_matter::{Problem, Sheet, tidy};
use crate::name::Name;
use crate::title::Title;

/// How far a vision has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisionStatus {
    /// Still being thought about.
    Draft,
    /// Everyone means the same by it.
    Agreed,
}

impl VisionStatus {
    /// All of them, in order.
    pub const ALL: [Self; 2] = [Self::Draft, Self::Agreed];

    /// The word in files, forms and addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Agreed => "agreed",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`Problem`] names the words there are.
    pub fn parse(word: &str) -> Result<Self, Problem> {
        let known = Self::ALL.into_iter().find(|status| status.word().eq_ignore_ascii_case(word));
        known.ok_or_else(|| Problem(format!("The status is “{word}”. Use draft or agreed.")))
    }
}

/// A vision as it is shown and edited.
#[derive(Debug, Clone, PartialEq)]
pub struct Vision {
    /// What it is called.
    pub title: Title,
    /// How far it has come.
    pub status: VisionStatus,
    /// What it says, Markdown.
    pub body: String,
}

impl Vision {
    /// Reads a vision from its file's text; what the text leaves out is taken from `name` or usual.
    ///
    /// # Errors
    /// [`Problem`] says what is wrong with the text.
    pub fn parse(name: &Name, text: &str) -> Result<Self, Problem> {
        let sheet = Sheet::parse(text)?;
        let title = title_of(&sheet, name)?;
        let status = sheet.text("status")?.map_or(Ok(VisionStatus::Draft), |word| VisionStatus::parse(&word))?;
        Ok(Self { title, status, body: sheet.body })
    }

    /// Writes the vision over its file's `former` text, which keeps what this program does not know.
    ///
    /// # Errors
    /// [`Problem`] when the former text cannot be understood, so that nothing of it is lost.
    pub fn write_over(&self, former: &str) -> Result<String, Problem> {
        let mut sheet = Sheet::parse(former)?;
        sheet.set("title", Some(self.title.as_str().into()));
        sheet.set("status", Some(self.status.word().into()));
        sheet.body = tidy(&self.body);
        Ok(sheet.to_text())
    }
}

/// The title in the front matter, or one made from the file's name.
pub(crate) fn title_of(sheet: &Sheet, name: &Name) -> Result<Title, Problem> {
    let title = sheet.text("title")?.unwrap_or_else(|| name.as_title());
    Title::parse(&title).map_err(|error| Problem(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_plain_note_is_a_draft_named_after_its_file() {
        let vision = Vision::parse(&Name::parse("sell-pots").unwrap(), "Just an idea.").unwrap();
        assert_eq!(
            (vision.title.as_str(), vision.status, vision.body.as_str()),
            ("Sell pots", VisionStatus::Draft, "Just an idea.")
        );
    }

    #[test]
    fn an_unknown_status_is_a_problem_that_names_the_known_ones() {
        let problem = Vision::parse(&Name::parse("a").unwrap(), "---\nstatus: great\n---\n").unwrap_err();
        assert_eq!(problem.0, "The status is “great”. Use draft or agreed.");
    }

    proptest! {
        #[test]
        fn every_vision_comes_back(title in any::<String>(), body in any::<String>(), agreed in any::<bool>()) {
            let Ok(title) = Title::parse(&title) else { return Ok(()) };
            let status = if agreed { VisionStatus::Agreed } else { VisionStatus::Draft };
            let vision = Vision { title, status, body: tidy(&body) };
            let text = vision.write_over("---\nmine: yes\n---\nold\n").unwrap();
            prop_assert!(text.starts_with("---\nmine: yes\n"));
            prop_assert_eq!(Vision::parse(&Name::parse("a").unwrap(), &text).unwrap(), vision);
        }
    }
}
