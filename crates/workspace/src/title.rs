//! Titles: one line that names a document.

/// One line, 1 to 200 characters, no control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title(String);

/// Why a text is no title, in words for the person who typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TitleError {
    /// Nothing was typed.
    #[error("Give it a title, so that others know what it is about.")]
    Empty,
    /// More than [`Title::LONGEST`] characters.
    #[error("The title is longer than 200 characters. Keep it short and put the rest into the text.")]
    TooLong,
    /// A line break or something unprintable.
    #[error("The title must be a single line without control characters.")]
    NotOneLine,
}

impl Default for Title {
    fn default() -> Self {
        Self("Untitled".to_owned())
    }
}

impl Title {
    /// How many characters a title may have.
    pub const LONGEST: usize = 200;

    /// Accepts a title without the blanks around it.
    ///
    /// # Errors
    /// [`TitleError`] says what to change.
    pub fn parse(raw: &str) -> Result<Self, TitleError> {
        let title = raw.trim();
        if title.is_empty() {
            return Err(TitleError::Empty);
        }
        if title.chars().count() > Self::LONGEST {
            return Err(TitleError::TooLong);
        }
        if title.chars().any(|c| c.is_control() || c == '\u{2028}' || c == '\u{2029}') {
            return Err(TitleError::NotOneLine);
        }
        Ok(Self(title.to_owned()))
    }

    /// The title as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_short_line() {
        assert_eq!(Title::parse("  Sell pots  ").as_ref().map(Title::as_str), Ok("Sell pots"));
        assert_eq!(Title::parse(" \n"), Err(TitleError::Empty));
        assert_eq!(Title::parse("a\0b"), Err(TitleError::NotOneLine));
        assert_eq!(Title::parse("a\nb"), Err(TitleError::NotOneLine));
        assert!(Title::parse(&"ü".repeat(200)).is_ok());
        assert_eq!(Title::parse(&"x".repeat(201)), Err(TitleError::TooLong));
    }
}
