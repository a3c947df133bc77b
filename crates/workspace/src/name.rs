//! Names of documents: which file in which folder. A [`Name`] cannot leave its folder.

use serde::Deserialize;

/// The kinds of documents, each in a folder of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shelf {
    /// What is wanted and why.
    Visions,
    /// Pieces of work.
    Backlog,
    /// What was agreed on.
    Decisions,
}

impl Shelf {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 3] = [Self::Visions, Self::Backlog, Self::Decisions];

    /// The folder's name, which is also the first part of the address.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Visions => "visions",
            Self::Backlog => "backlog",
            Self::Decisions => "decisions",
        }
    }

    /// The shelf of a folder, if it is that of one.
    #[must_use]
    pub fn of_folder(folder: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shelf| shelf.folder() == folder)
    }

    /// What one document of this kind is called in a sentence.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Visions => "vision",
            Self::Backlog => "backlog item",
            Self::Decisions => "decision",
        }
    }
}

/// The name of a document: its file name without `.md`. Never empty, never hidden, no slashes, no
/// control characters, at most 200 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Why something is not a [`Name`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("that is not the name of a document")]
pub struct NotAName;

impl Name {
    /// Accepts names as they may stand in an address or in the folder.
    ///
    /// # Errors
    /// [`NotAName`] when the name could reach outside the folder, or could not be a file there.
    pub fn parse(raw: &str) -> Result<Self, NotAName> {
        let fits = !raw.is_empty() && raw.len() <= 200 && !raw.starts_with('.');
        if !fits || raw.chars().any(|c| c == '/' || c == '\\' || c.is_control()) {
            return Err(NotAName);
        }
        Ok(Self(raw.to_owned()))
    }

    /// A name made from any text at all, for a person to recognise in the folder.
    #[must_use]
    pub fn from_title(title: &str, otherwise: &str) -> Self {
        const LONGEST: usize = 60;
        let mut slug = String::new();
        for c in title.chars().flat_map(char::to_lowercase) {
            if slug.len() + c.len_utf8() > LONGEST {
                break;
            }
            if c.is_alphanumeric() {
                slug.push(c);
            } else if c == '\'' || c == '’' {
                // today’s is one word
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        let slug = slug.trim_end_matches('-');
        Self(if slug.is_empty() { otherwise } else { slug }.to_owned())
    }

    /// This name with a number behind it, for the second and later of the same title.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        Self(format!("{}-{number}", self.0))
    }

    /// This name as that of backlog item `number`: `B-12-title`.
    #[must_use]
    pub fn of_item(&self, number: u64) -> Self {
        Self(format!("B-{number}-{}", self.0))
    }

    /// The number in a backlog item's name, if it has one.
    #[must_use]
    pub fn item_number(&self) -> Option<u64> {
        let digits = self.0.strip_prefix("B-")?.split('-').next()?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    }

    /// The name of the file.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}.md", self.0)
    }

    /// The name as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as part of an address.
    #[must_use]
    pub fn in_address(&self) -> String {
        let mut address = String::new();
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                address.push(byte as char);
            } else {
                address.push_str(&format!("%{byte:02X}"));
            }
        }
        address
    }

    /// The name that is written as part of an address in this way.
    #[must_use]
    pub fn from_address(address: &str) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut rest = address.as_bytes();
        while let Some((first, behind)) = rest.split_first() {
            rest = behind;
            if *first == b'%' {
                let digits = str::from_utf8(behind.get(..2)?).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = behind.get(2..)?;
            } else {
                bytes.push(*first);
            }
        }
        Self::parse(&String::from_utf8(bytes).ok()?).ok()
    }

    /// A title for a document that has none of its own.
    #[must_use]
    pub fn as_title(&self) -> String {
        let without_id = match self.item_number() {
            Some(_) => self.0.splitn(3, '-').nth(2).unwrap_or(&self.0),
            None => &self.0,
        };
        let mut words = without_id.replace(['-', '_'], " ").trim().to_owned();
        if words.is_empty() {
            words.clone_from(&self.0);
        }
        let first_letter = words.chars().next().map_or(0, char::len_utf8);
        let (first, rest) = words.split_at(first_letter);
        format!("{}{rest}", first.to_uppercase())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_names_are_refused() {
        for raw in ["", ".", "..", ".hidden", "../../etc/passwd", "a/b", "a\\b", "nul\0", "line\n", &"x".repeat(201)] {
            assert_eq!(Name::parse(raw), Err(NotAName), "{raw:?}");
        }
    }

    #[test]
    fn titles_become_names_that_a_person_recognises() {
        for (title, name) in [
            ("Sell my pots!", "sell-my-pots"),
            ("Today’s 'best' pots", "todays-best-pots"),
            ("../../etc/passwd", "etc-passwd"),
            ("Über  Größe", "über-größe"),
            ("日本語", "日本語"),
            ("\0\u{1}…", "untitled"),
        ] {
            assert_eq!(Name::from_title(title, "untitled").as_str(), name, "{title:?}");
        }
    }

    #[test]
    fn an_item_is_known_by_its_number_whatever_follows() {
        let number = |raw: &str| Name::parse(raw).unwrap().item_number();
        assert_eq!(number("B-12-sign-in"), Some(12));
        assert_eq!(number("B-7"), Some(7));
        assert_eq!(number("B-x-7"), None);
        assert_eq!(number("B-+7"), None);
        assert_eq!(number("groceries"), None);
        assert_eq!(Name::parse("B-12-sign-in").unwrap().as_title(), "Sign in");
        assert_eq!(Name::parse("B-12").unwrap().as_title(), "B-12".replace('-', " "));
    }

    proptest! {
        #[test]
        fn every_title_makes_a_name_that_stays_in_its_folder(title in any::<String>()) {
            let name = Name::from_title(&title, "untitled");
            prop_assert_eq!(Name::parse(name.as_str()), Ok(name.clone()));
            prop_assert_eq!(Name::from_address(&name.in_address()), Some(name.clone()));
            let item = name.of_item(u64::MAX).numbered(u32::MAX);
            prop_assert!(Name::parse(item.as_str()).is_ok());
            prop_assert!(item.file().len() < 255);
        }
    }
}
