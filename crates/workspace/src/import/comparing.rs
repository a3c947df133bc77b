//! What was unpacked beside what is here, file by file.

use std::fs::File;
use std::io::{self, BufReader, Read};

use crate::export::DEEPEST;
use crate::folder::Folder;

/// What is here of a file that was unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// Nothing.
    Absent,
    /// The same.
    Same,
    /// The same, and more after it: a journal that went on.
    Continued,
    /// Something else.
    Different,
}

impl Likeness {
    /// Compares the file at a path with the one at a path here.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn of(unpacked: &Folder, path: &str, here: &Folder, path_here: &str) -> io::Result<Self> {
        let Some((folder, name)) = here.way_to(path_here)? else { return Ok(Self::Absent) };
        if !folder.has(name)? {
            return Ok(Self::Absent);
        }
        // What is no file here is something else, whatever it is.
        let Ok(Some(ours)) = folder.open_to_read(name) else { return Ok(Self::Different) };
        let Some((folder, name)) = unpacked.way_to(path)? else { return Ok(Self::Different) };
        let Some(theirs) = folder.open_to_read(name)? else { return Ok(Self::Different) };
        begins_with(ours, theirs)
    }
}

fn begins_with(ours: File, theirs: File) -> io::Result<Likeness> {
    let (length, wanted) = (ours.metadata()?.len(), theirs.metadata()?.len());
    if length < wanted {
        return Ok(Likeness::Different);
    }
    let (mut ours, mut theirs) = (BufReader::new(ours), BufReader::new(theirs));
    let (mut one, mut other) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let read = theirs.read(&mut other)?;
        let Some(piece) = one.get_mut(..read).filter(|piece| !piece.is_empty()) else { break };
        ours.read_exact(piece)?;
        if Some(&*piece) != other.get(..read) {
            return Ok(Likeness::Different);
        }
    }
    Ok(if length == wanted { Likeness::Same } else { Likeness::Continued })
}

/// The paths of all files below a path that was unpacked; the path itself where it is a file.
///
/// # Errors
/// When the disk fails.
pub fn files_below(unpacked: &Folder, path: &str) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    if let Some((folder, name)) = unpacked.way_to(path)? {
        add_files(&folder, name, path, DEEPEST + 3, &mut files)?;
    }
    Ok(files)
}

fn add_files(folder: &Folder, name: &str, path: &str, deeper: usize, files: &mut Vec<String>) -> io::Result<()> {
    if !folder.has(name)? {
        return Ok(());
    }
    match folder.enter(name) {
        Ok(Some(inner)) if deeper > 0 => {
            let mut names = inner.all_entries()?;
            names.sort();
            for name in names {
                add_files(&inner, &name, &format!("{path}/{name}"), deeper - 1, files)?;
            }
        }
        _ => files.push(path.to_owned()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_journal_that_went_on_is_told_from_another_one() {
        let home = tempfile::tempdir().unwrap();
        for folder in ["there", "here"] {
            std::fs::create_dir(home.path().join(folder)).unwrap();
        }
        std::fs::write(home.path().join("there/j"), "one\n").unwrap();
        let folder = |name: &str| Folder::open(&home.path().join(name)).unwrap();
        let likeness = || Likeness::of(&folder("there"), "j", &folder("here"), "j").unwrap();
        assert_eq!(likeness(), Likeness::Absent);
        for (text, expected) in [
            ("one\n", Likeness::Same),
            ("one\ntwo\n", Likeness::Continued),
            ("two\n", Likeness::Different),
            ("on", Likeness::Different),
        ] {
            std::fs::write(home.path().join("here/j"), text).unwrap();
            assert_eq!(likeness(), expected, "{text:?}");
        }
        std::fs::remove_file(home.path().join("here/j")).unwrap();
        std::os::unix::fs::symlink(home.path().join("there/j"), home.path().join("here/j")).unwrap();
        assert_eq!(likeness(), Likeness::Different, "a link is not followed");
    }
}
