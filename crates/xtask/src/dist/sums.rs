//! Checksums, in the form that `sha256sum --check` reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::signature;
use crate::shell;

/// Stands beside what it is about.
pub const FILE: &str = "SHA256SUMS";

/// The checksums of these files in a folder, by name.
pub fn of(folder: &Path, names: &[String]) -> Result<String> {
    let mut names = names.to_vec();
    names.sort();
    let sums = shell::output(Command::new("sha256sum").arg("--").args(&names).current_dir(folder))?;
    Ok(format!("{sums}\n"))
}

/// What differs between a folder and its checksums.
pub fn faults(folder: &Path) -> Result<Vec<String>> {
    let path = folder.join(FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let said = read(&text)?;
    let mut faults = Vec::new();
    let mut present = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name == FILE || name == signature::FILE {
            continue;
        }
        if !said.contains_key(&name) {
            faults.push(format!("{name} stands in no checksum"));
        }
        present.push(name);
    }
    for (name, sum) in &said {
        if !present.contains(name) {
            faults.push(format!("{name} is missing"));
        } else if read(&of(folder, std::slice::from_ref(name))?)?.get(name) != Some(sum) {
            faults.push(format!("{name} is not what it was"));
        }
    }
    Ok(faults)
}

/// Checksums by the names of files, which are in no other folder.
pub fn read(text: &str) -> Result<BTreeMap<String, String>> {
    let mut sums = BTreeMap::new();
    for line in text.lines() {
        let (sum, name) =
            line.split_once("  ").with_context(|| format!("{FILE} has a line of another form: {line}"))?;
        let is_sum = sum.len() == 64 && sum.bytes().all(|letter| letter.is_ascii_hexdigit());
        let is_name = !name.is_empty() && !name.contains(['/', '\\']) && !name.starts_with('.');
        ensure!(is_sum && is_name, "{FILE} has a line of another form: {line}");
        ensure!(sums.insert(name.to_owned(), sum.to_owned()).is_none(), "{FILE} names {name} twice");
    }
    ensure!(!sums.is_empty(), "{FILE} is empty");
    Ok(sums)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::temporary::TemporaryFolder;

    #[test]
    fn whatever_was_changed_added_or_taken_is_found() {
        let folder = TemporaryFolder::new("dist-sums").unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("b"), "second").unwrap();
        fs::write(at("a"), "first").unwrap();
        let text = of(folder.path(), &["b".to_owned(), "a".to_owned()]).unwrap();
        assert!(text.ends_with("  b\n") && text.lines().next().unwrap().ends_with("  a"), "{text}");
        fs::write(at(FILE), text).unwrap();
        fs::write(at(signature::FILE), "not looked at here").unwrap();
        assert_eq!(faults(folder.path()).unwrap(), [""; 0]);
        fs::write(at("a"), "First").unwrap();
        fs::remove_file(at("b")).unwrap();
        fs::write(at("c"), "more").unwrap();
        let found = faults(folder.path()).unwrap();
        assert_eq!(found, ["c stands in no checksum", "a is not what it was", "b is missing"]);
    }

    #[test]
    fn a_list_of_another_form_is_no_list() {
        let sum = "0".repeat(64);
        assert_eq!(read(&format!("{sum}  a\n")).unwrap().len(), 1);
        for text in [
            String::new(),
            "nonsense\n".to_owned(),
            format!("{sum}  ../a\n"),
            format!("{sum}  /etc/passwd\n"),
            format!("{sum}  .\n"),
            format!("{}  a\n", &sum[1..]),
            format!("{sum}  a\n{sum}  a\n"),
        ] {
            assert!(read(&text).is_err(), "{text}");
        }
    }
}
