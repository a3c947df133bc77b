//! Digests of files by path, in the format that `sha256sum -c` reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Paths and their SHA-256, in hexadecimal.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Manifest(BTreeMap<String, String>);

impl Manifest {
    /// Adds a file.
    pub fn add(&mut self, path: &str, digest: &str) {
        self.0.insert(path.to_owned(), digest.to_owned());
    }

    /// Reads one; says which line is wrong.
    ///
    /// # Errors
    /// The number of the first line that cannot be understood, from 1.
    pub fn parse(text: &str) -> Result<Self, usize> {
        let mut manifest = Self::default();
        for (index, line) in text.lines().enumerate() {
            let (path, digest) = read_line(line).ok_or(index + 1)?;
            if manifest.0.insert(path, digest).is_some() {
                return Err(index + 1);
            }
        }
        Ok(manifest)
    }

    /// The digest of a file, if it is listed.
    #[must_use]
    pub fn digest(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// The files that are listed.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl std::fmt::Display for Manifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (path, digest) in &self.0 {
            // A line that begins with a backslash has such names escaped.
            let is_escaped = path.contains(['\\', '\n', '\r']);
            let path = path.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
            f.write_str(if is_escaped { "\\" } else { "" })?;
            writeln!(f, "{digest}  {path}")?;
        }
        Ok(())
    }
}

fn read_line(line: &str) -> Option<(String, String)> {
    let (is_escaped, line) = line.strip_prefix('\\').map_or((false, line), |rest| (true, rest));
    let (digest, path) = line.split_at_checked(64)?;
    let path = path.strip_prefix("  ").or_else(|| path.strip_prefix(" *"))?;
    let is_digest = digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let path = if is_escaped { unescape(path)? } else { path.to_owned() };
    (is_digest && !path.is_empty()).then(|| (path, digest.to_owned()))
}

fn unescape(path: &str) -> Option<String> {
    let mut plain = String::new();
    let mut letters = path.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            letter => letter,
        });
    }
    Some(plain)
}

/// A digest in hexadecimal.
#[must_use]
pub fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_of_any_kind_come_back() {
        let mut manifest = Manifest::default();
        for path in ["a.md", "back\\slash", "line\nbreak", "carriage\r", "  spaces", "*star", "größe"] {
            manifest.add(path, &"a1".repeat(32));
        }
        assert_eq!(Manifest::parse(&manifest.to_string()).unwrap(), manifest);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let good = format!("{}  a\n", "0".repeat(64));
        for bad in
            ["x", "", &"0".repeat(64), &format!("{}  ", "0".repeat(64)), &format!("{}  b", "Z".repeat(64)), "größe…"]
        {
            assert_eq!(Manifest::parse(&format!("{good}{bad}\n")), Err(2), "{bad}");
        }
        assert_eq!(Manifest::parse(&format!("{good}{good}")), Err(2), "the same file twice");
    }
}
