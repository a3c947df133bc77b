//! Files that come with what somebody says. They are kept sealed, and only ever given out to be saved.

/// So many with one message.
pub(crate) const MOST: usize = 5;
/// The largest, in bytes.
pub(crate) const LARGEST: usize = 5 << 20;
/// All of one message together, in bytes.
pub(crate) const ALL_TOGETHER: usize = 10 << 20;
const LONGEST_NAME: usize = 120;

/// A file that comes with what somebody says.
#[derive(Debug, Clone)]
pub(crate) struct NewAttachment {
    pub name: String,
    pub content: Vec<u8>,
}

/// The files of one message, within the limits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bundle(Vec<NewAttachment>);

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AttachmentError {
    #[error("{0} is larger than 5 MB")]
    Large(String),
    #[error("the files are larger than 10 MB together")]
    LargeTogether,
    #[error("there are more than {MOST} files")]
    Many,
}

impl Bundle {
    /// Adds a file.
    pub(crate) fn add(&mut self, name: &str, content: Vec<u8>) -> Result<(), AttachmentError> {
        let name = cleaned(name);
        if content.len() > LARGEST {
            return Err(AttachmentError::Large(name));
        }
        if self.0.len() >= MOST {
            return Err(AttachmentError::Many);
        }
        let together: usize = self.0.iter().map(|file| file.content.len()).sum();
        if together + content.len() > ALL_TOGETHER {
            return Err(AttachmentError::LargeTogether);
        }
        self.0.push(NewAttachment { name, content });
        Ok(())
    }

    /// Those that were taken, in their order.
    pub(crate) fn files(&self) -> &[NewAttachment] {
        &self.0
    }
}

/// A name that says nothing of folders and turns nothing around it.
pub(crate) fn cleaned(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = last.chars().filter(|c| !c.is_control() && !is_direction(*c));
    let short: String = plain.take(LONGEST_NAME).collect();
    let short = short.trim().trim_matches('.');
    if short.is_empty() { "file".to_owned() } else { short.to_owned() }
}

/// Marks that make `exe.txt` out of `txt.exe`.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_a_limit_is_not_taken() {
        let mut bundle = Bundle::default();
        let large = AttachmentError::Large("a".to_owned());
        assert_eq!(bundle.add("a", vec![0; LARGEST + 1]), Err(large));
        assert_eq!(bundle.add("b", vec![0; LARGEST]), Ok(()));
        assert_eq!(bundle.add("c", vec![0; LARGEST]), Ok(()));
        assert_eq!(bundle.add("d", vec![0]), Err(AttachmentError::LargeTogether));
        for name in ["e", "f", "g"] {
            assert_eq!(bundle.add(name, Vec::new()), Ok(()));
        }
        assert_eq!(bundle.add("h", Vec::new()), Err(AttachmentError::Many));
        assert_eq!(bundle.files().len(), MOST);
    }

    #[test]
    fn a_name_leads_into_no_folder_and_hides_nothing() {
        assert_eq!(cleaned("../../etc/passwd"), "passwd");
        assert_eq!(cleaned("C:\\Users\\ada\\log.txt"), "log.txt");
        assert_eq!(cleaned("photo\u{202e}gpj.exe\r\n"), "photogpj.exe");
        assert_eq!(cleaned(".."), "file");
        assert_eq!(cleaned(&"x".repeat(500)).len(), LONGEST_NAME);
    }
}
