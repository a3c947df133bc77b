//! Paths of files in a project. A [`FilePath`] cannot lead out of it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Folders inside folders.
const DEEPEST: usize = 20;

/// A file in a project: relative, without `..`, without anything of git's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FilePath {
    folders: Vec<String>,
    file: String,
}

/// Why a text is no path of a file in a project; it is told to the model that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{shown}” is not the path of a file in the project: {why}. Use a path such as src/list.js.")]
pub struct NotAPath {
    shown: String,
    why: &'static str,
}

impl FilePath {
    /// Reads a path.
    ///
    /// # Errors
    /// [`NotAPath`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, NotAPath> {
        let refuse = |why| {
            let shown = text.chars().filter(|c| !c.is_control()).take(80).collect();
            Err(NotAPath { shown, why })
        };
        let plain = text.strip_prefix("./").unwrap_or(text);
        if plain.is_empty() || plain.len() > 500 {
            return refuse("it is empty or too long");
        }
        if plain.starts_with('/') {
            return refuse("it does not begin in the project's folder");
        }
        if plain.contains('\\') || plain.chars().any(char::is_control) {
            return refuse("it holds a character that paths do not have");
        }
        let mut parts: Vec<String> = plain.split('/').map(str::to_owned).collect();
        if parts.iter().any(|part| part == "..") {
            return refuse("it leads out of the folder it is in");
        }
        if parts.iter().any(|part| part.is_empty() || part == "." || part.len() > 200) {
            return refuse("a part of it is empty or too long");
        }
        if parts.iter().any(|part| part.trim_end_matches(['.', ' ']).eq_ignore_ascii_case(".git")) {
            return refuse("the history of the project is not a file of it");
        }
        match parts.pop() {
            Some(file) if parts.len() <= DEEPEST => Ok(Self { folders: parts, file }),
            _ => refuse("it is too deep"),
        }
    }

    /// The folders it lies in, the outermost first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().map(String::as_str)
    }

    /// The file's own name.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for folder in &self.folders {
            write!(f, "{folder}/")?;
        }
        f.write_str(&self.file)
    }
}

impl TryFrom<String> for FilePath {
    type Error = NotAPath;

    fn try_from(text: String) -> Result<Self, NotAPath> {
        Self::parse(&text)
    }
}

impl From<FilePath> for String {
    fn from(path: FilePath) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths_in_the_project_come_back_as_they_were() {
        for path in ["list.js", "src/a/b.test.mjs", ".env", ".gitignore", "a b/ü.txt", "..."] {
            assert_eq!(FilePath::parse(path).unwrap().to_string(), path);
        }
        assert_eq!(FilePath::parse("./src/list.js").unwrap().to_string(), "src/list.js");
    }

    #[test]
    fn whatever_leads_out_or_into_the_history_is_refused() {
        for path in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../../x",
            "a/..",
            "a//b",
            "a/",
            "./",
            "a/./b",
            "a\\..\\b",
            "a\0b",
            "a\nb",
            ".git/config",
            "a/.git/hooks/x",
            ".GIT/config",
            ".git./x",
            &"a/".repeat(30),
            &"x".repeat(501),
        ] {
            assert!(FilePath::parse(path).is_err(), "{path}");
        }
    }
}
