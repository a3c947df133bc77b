//! Paths in an archive: which of them can be part of an export.

use std::fmt;

use crate::export::{
    APP, BENCH, BENCH_KEPT, DATA, DEEPEST, FOLDERS, LEFT_OUT, MANIFEST, MEMBERS, PROJECTS, PUSHES, README, SETTINGS,
    USAGE,
};
use crate::name::Name;
use crate::project::BUNDLE;

/// The longest path, and the longest name in it, in bytes.
const LONGEST: usize = 4000;
const LONGEST_NAME: usize = 255;

/// A path of a file that an export can hold: nothing in it leads out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Inside(String);

impl Inside {
    /// Reads a path as an archive names it.
    ///
    /// # Errors
    /// Why no export can hold it.
    pub fn parse(raw: &[u8]) -> Result<Self, &'static str> {
        let text = str::from_utf8(raw).map_err(|_| "its name is not UTF-8")?;
        let text = text.strip_prefix("./").unwrap_or(text);
        if text.len() > LONGEST {
            return Err("its path is too long");
        }
        if text.starts_with('/') {
            return Err("its path begins at the root of the disk");
        }
        let parts: Vec<&str> = text.split('/').collect();
        if parts.contains(&"..") {
            return Err("its path leads out of the folder");
        }
        if parts.iter().any(|part| part.is_empty() || *part == "." || part.contains('\0')) {
            return Err("its path is none");
        }
        if parts.iter().any(|part| part.len() > LONGEST_NAME) {
            return Err("a name in its path is too long");
        }
        if parts.len() > DEEPEST + 3 {
            return Err("it lies in too many folders");
        }
        if is_part_of_an_export(&parts) { Ok(Self(text.to_owned())) } else { Err("no export holds such a file") }
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_part_of_an_export(parts: &[&str]) -> bool {
    match parts {
        [file] => [README, LEFT_OUT, MANIFEST, USAGE, APP, SETTINGS, MEMBERS].contains(file),
        [folder, inside, rest @ ..] if *folder == BENCH => {
            let [commands, outputs] = BENCH_KEPT;
            (*inside == commands && rest.is_empty()) || (*inside == outputs && rest.len() == 1)
        }
        [folder, name, inside, rest @ ..] if *folder == PROJECTS => {
            let is_file = [BUNDLE, PUSHES].contains(inside) && rest.is_empty();
            Name::parse(name).is_ok() && (is_file || (*inside == DATA && !rest.is_empty()))
        }
        [folder, ..] => FOLDERS.contains(folder),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_that_stay_inside_and_that_exports_hold_are_taken() {
        for good in [
            "visions/shop.md",
            "./visions/shop.md",
            "history/visions/shop/00001.md",
            "meetings/M-1/journal.jsonl",
            "bench/outputs/1.txt",
            "projects/shop/data/a/b",
            "attachments/B-1/größe .png",
            "settings.json",
        ] {
            assert!(Inside::parse(good.as_bytes()).is_ok(), "{good}");
        }
        let deep = format!("attachments/{}x", "a/".repeat(60));
        let long = format!("attachments/{}", "a".repeat(300));
        for (bad, why) in [
            ("../visions/a.md", "leads out"),
            ("visions/../../a.md", "leads out"),
            ("/etc/passwd", "begins at the root"),
            ("visions//a.md", "is none"),
            ("visions/./a.md", "is none"),
            ("visions/a\0.md", "is none"),
            ("", "is none"),
            ("settings.key", "no export"),
            ("bench/temporary/x", "no export"),
            ("bench/outputs/1/2", "no export"),
            ("projects/shop/git/config", "no export"),
            ("projects/shop/work/x", "no export"),
            ("projects/.x/data/a", "no export"),
            ("transit/x", "no export"),
            (&deep, "too many folders"),
            (&long, "too long"),
        ] {
            let refused = Inside::parse(bad.as_bytes()).err().unwrap_or_default();
            assert!(refused.contains(why), "{bad}: {refused}");
        }
        assert!(Inside::parse(b"visions/\xff.md").is_err());
    }
}
