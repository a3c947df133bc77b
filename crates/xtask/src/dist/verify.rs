//! Checks a release as its receiver would, and more.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::{archive, sbom, signature, sums};

/// Checks everything; the error says how much is wrong, after each was printed.
pub fn run(folder: &Path, key: Option<&Path>) -> Result<()> {
    if let Some(key) = key {
        // First, since nothing else is worth anything when somebody else made it.
        signature::check(key, &folder.join(sums::FILE), &folder.join(signature::FILE))?;
    }
    let faults = faults(folder)?;
    for fault in &faults {
        eprintln!("{fault}");
    }
    match faults.len() {
        0 => {
            match key {
                Some(key) => println!("{} is whole, and signed with {}", folder.display(), key.display()),
                None => println!("{} is whole; nobody's signature was looked at", folder.display()),
            }
            Ok(())
        }
        1 => bail!("one thing is wrong with {}", folder.display()),
        many => bail!("{many} things are wrong with {}", folder.display()),
    }
}

fn faults(folder: &Path) -> Result<Vec<String>> {
    let mut faults = sums::faults(folder)?;
    if !faults.is_empty() {
        return Ok(faults);
    }
    let text = fs::read_to_string(folder.join(sums::FILE)).context("reading the checksums")?;
    let mut archives = 0;
    for file in sums::read(&text)?.keys() {
        let Some(name) = file.strip_suffix(archive::ENDING) else { continue };
        archives += 1;
        faults.extend(archive::faults(name, &folder.join(file))?);
        faults.extend(sbom::faults(name, &folder.join(format!("{name}{}", sbom::ENDING))));
    }
    if archives == 0 {
        faults.push("there is no archive in it".to_owned());
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::temporary::TemporaryFolder;

    #[test]
    fn a_folder_without_an_archive_is_no_release() {
        let folder = TemporaryFolder::new("dist-verify").unwrap();
        fs::write(folder.path().join("notes.txt"), "hello").unwrap();
        let text = sums::of(folder.path(), &["notes.txt".to_owned()]).unwrap();
        fs::write(folder.path().join(sums::FILE), text).unwrap();
        assert_eq!(faults(folder.path()).unwrap(), ["there is no archive in it"]);
        assert!(run(folder.path(), None).is_err());
        assert!(run(folder.path(), Some(&folder.path().join("no-key"))).is_err());
    }
}
