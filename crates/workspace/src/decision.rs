//! A decision: what people agreed on, when and where. The scribe writes it down, a person's click
//! makes it one.

use crate::front_matter::{Problem, Sheet, tidy};
use crate::name::Name;
use crate::title::Title;
use crate::vision::title_of;

/// A decision as it is shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// What it is called.
    pub title: Title,
    /// Who decided.
    pub by: Option<String>,
    /// When, RFC 3339.
    pub at: Option<String>,
    /// Who wrote it down.
    pub scribe: Option<String>,
    /// The meeting's number, such as `M-3`.
    pub meeting: Option<String>,
    /// The address of the document it is about.
    pub about: Option<String>,
    /// The proposal it came from, such as `M-3/2`; by it a repeated approval finds what it did before.
    pub proposal: Option<String>,
    /// What it says, Markdown.
    pub body: String,
}

impl Decision {
    /// Reads a decision from its file's text.
    ///
    /// # Errors
    /// [`Problem`] says what is wrong with the text.
    pub fn parse(name: &Name, text: &str) -> Result<Self, Problem> {
        let sheet = Sheet::parse(text)?;
        Ok(Self {
            title: title_of(&sheet, name)?,
            by: sheet.text("by")?,
            at: sheet.text("decided")?,
            scribe: sheet.text("scribe")?,
            meeting: sheet.text("meeting")?,
            about: sheet.text("about")?,
            proposal: sheet.text("proposal")?,
            body: sheet.body,
        })
    }

    /// Writes the decision as a file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut sheet = Sheet::default();
        sheet.set("title", Some(self.title.as_str().into()));
        for (field, value) in [
            ("decided", &self.at),
            ("by", &self.by),
            ("scribe", &self.scribe),
            ("meeting", &self.meeting),
            ("about", &self.about),
            ("proposal", &self.proposal),
        ] {
            sheet.set(field, value.as_deref().map(Into::into));
        }
        sheet.body = tidy(&self.body);
        sheet.to_text()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_decision_comes_back_as_it_was_written() {
        let decision = Decision {
            title: Title::parse("Agreed: pots").unwrap(),
            by: Some("ada@example.com".to_owned()),
            at: Some("2026-11-30T12:00:00Z".to_owned()),
            scribe: Some("Wil".to_owned()),
            meeting: Some("M-1".to_owned()),
            about: None,
            proposal: Some("M-1/2".to_owned()),
            body: "We sell pots.".to_owned(),
        };
        let name = Name::parse("x").unwrap();
        assert_eq!(Decision::parse(&name, &decision.to_text()).unwrap(), decision);
    }
}
