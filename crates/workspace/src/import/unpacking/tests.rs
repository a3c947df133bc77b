#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::io::Seek as _;

use tempfile::TempDir;

use super::*;
use crate::export::Parcel;

/// One thing in an archive.
enum Thing<'a> {
    File(&'a str, &'a [u8]),
    Special(&'a str, EntryType),
    Note(EntryType, Vec<u8>),
}

use Thing::{File as Holds, Note, Special};

fn archive(things: &[Thing<'_>]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for thing in things {
        let (name, kind, bytes) = match thing {
            Holds(name, bytes) => (name.as_bytes(), EntryType::Regular, *bytes),
            Special(name, kind) => (name.as_bytes(), *kind, &b""[..]),
            Note(kind, bytes) => (&b"note"[..], *kind, bytes.as_slice()),
        };
        let mut header = tar::Header::new_gnu();
        // As it is: the usual ways to set a name refuse hostile ones.
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(kind);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

/// The files, with a list of their digests behind them.
fn listed(things: &[Thing<'_>]) -> Vec<u8> {
    let mut manifest = Manifest::default();
    for thing in things {
        if let Holds(name, bytes) = thing {
            manifest.add(name, &hex(&Sha256::digest(bytes)));
        }
    }
    let manifest = manifest.to_string();
    let mut all = archive(things);
    let end = archive(&[Holds(MANIFEST, manifest.as_bytes())]);
    all.truncate(all.len() - 1024);
    all.extend(end);
    all
}

fn take(bytes: &[u8], bounds: Bounds) -> (TempDir, Result<BTreeSet<String>, Fault>) {
    let home = tempfile::tempdir().unwrap();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    let taken = unpack(file, &Folder::open(home.path()).unwrap(), bounds);
    (home, taken)
}

#[test]
fn what_an_export_wrote_is_taken_whatever_its_names() {
    let mut bytes = Vec::new();
    let mut parcel = Parcel::new(&mut bytes, 0);
    let long = format!("attachments/{}/ö.png", "deep-folder-".repeat(20));
    let paths = ["visions/a.md", "visions/back\\slash.md", "history/visions/a/00001.md", long.as_str()];
    for path in paths {
        parcel.add_bytes(path, path.as_bytes()).unwrap();
    }
    parcel.finish().unwrap();
    let (home, taken) = take(&bytes, Bounds::default());
    assert_eq!(taken.unwrap(), paths.map(str::to_owned).into());
    assert_eq!(std::fs::read_to_string(home.path().join(&long)).unwrap(), long);
}

#[test]
fn what_another_tar_packed_is_taken_too() {
    let property = |text: &str| {
        let length = text.len() + 4;
        format!("{length} {text}\n").into_bytes()
    };
    let path = property("path=visions/a.md");
    let digest = hex(&Sha256::digest(b"x"));
    let manifest = format!("{digest} *visions/a.md\n");
    let bytes = archive(&[
        Note(EntryType::XGlobalHeader, property("comment=x1")),
        Special("./visions/", EntryType::Directory),
        Note(EntryType::XHeader, path),
        Holds("other", b"x"),
        Holds("./MANIFEST.sha256", manifest.as_bytes()),
    ]);
    assert_eq!(take(&bytes, Bounds::default()).1.unwrap(), BTreeSet::from(["visions/a.md".to_owned()]));
}

#[test]
fn hostile_archives_are_refused_in_words_and_reach_nothing() {
    let good = Holds("visions/a.md", b"a");
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("no archive", b"PK\x03\x04 something else entirely".repeat(40), "This is no export"),
        ("nothing", archive(&[]), "nothing is in it"),
        ("leads out", listed(&[Holds("../../escaped", b"x")]), "leads out of the folder"),
        ("leads out later", listed(&[Holds("visions/../../x", b"x")]), "leads out of the folder"),
        ("absolute", listed(&[Holds("/tmp/escaped", b"x")]), "begins at the root"),
        ("key", listed(&[Holds("settings.key", b"x")]), "no export holds such a file"),
        ("hook", listed(&[Holds("projects/a/git/hooks/post-commit", b"x")]), "no export holds such a file"),
        ("intent", listed(&[Holds("transit/import/intent.json", b"x")]), "no export holds such a file"),
        ("link", listed(&[Special("visions/a.md", EntryType::Symlink)]), "is a link"),
        ("hard link", listed(&[Special("visions/a.md", EntryType::Link)]), "is a link"),
        ("device", listed(&[Special("visions/a.md", EntryType::Char)]), "is a device"),
        ("disk", listed(&[Special("visions/a.md", EntryType::Block)]), "is a device"),
        ("pipe", listed(&[Special("visions/a.md", EntryType::Fifo)]), "is a pipe"),
        ("holes", listed(&[Special("visions/a.md", EntryType::GNUSparse)]), "file with holes"),
        ("unknown", listed(&[Special("visions/a.md", EntryType::new(b'Q'))]), "something unknown"),
        ("twice", listed(&[Holds("visions/a.md", b"a"), Holds("visions/a.md", b"b")]), "in the archive twice"),
        ("file and folder", listed(&[Holds("team/a", b"a"), Holds("team/a/b", b"b")]), "in the archive twice"),
        (
            "long name",
            listed(&[Note(EntryType::GNULongName, vec![b'a'; 70_000]), Holds("visions/a.md", b"a")]),
            "larger than any export",
        ),
        (
            "hidden size",
            listed(&[Note(EntryType::XHeader, b"20 size=99999999999\n".to_vec()), Holds("visions/a.md", b"a")]),
            "larger than any export",
        ),
        (
            "hidden name",
            listed(&[Note(EntryType::XHeader, b"16 path=../../x\n".to_vec()), Holds("visions/a.md", b"a")]),
            "leads out of the folder",
        ),
        ("no list", archive(std::slice::from_ref(&good)), "has no MANIFEST.sha256"),
        ("bad list", archive(&[good, Holds(MANIFEST, b"nonsense")]), "Line 1 of MANIFEST.sha256"),
        (
            "changed",
            archive(&[
                Holds("visions/a.md", b"b"),
                Holds(MANIFEST, format!("{}  visions/a.md\n", hex(&Sha256::digest(b"a"))).as_bytes()),
            ]),
            "is not as it was when the export was made",
        ),
        (
            "missing",
            archive(&[Holds(MANIFEST, format!("{}  visions/a.md\n", "0".repeat(64)).as_bytes())]),
            "is not in the archive",
        ),
        ("unlisted", archive(&[Holds("visions/a.md", b"a"), Holds(MANIFEST, b"")]), "not listed in"),
    ];
    for (case, bytes, words) in cases {
        let (home, taken) = take(&bytes, Bounds::default());
        let refused = taken.err().unwrap_or_else(|| panic!("{case} was taken")).to_string();
        assert!(refused.contains(words), "{case}: {refused}");
        let outside = home.path().parent().unwrap().join("escaped");
        assert!(!outside.exists() && !std::path::Path::new("/tmp/escaped").exists(), "{case}");
    }
}

#[test]
fn an_archive_that_was_cut_anywhere_is_refused() {
    let whole = listed(&[Holds("visions/a.md", &[b'a'; 1500]), Holds("visions/b.md", b"b")]);
    // Behind the list there are only empty blocks.
    for length in (0..whole.len() - 1024).step_by(256) {
        let (_home, taken) = take(&whole[..length], Bounds::default());
        assert!(taken.is_err(), "{length} bytes of {}", whole.len());
    }
}

#[test]
fn more_files_than_the_most_are_refused() {
    let bytes = listed(&[Holds("team/a", b""), Holds("team/b", b""), Holds("team/c", b"")]);
    let bounds = Bounds { files: 3, ..Bounds::default() };
    assert!(matches!(take(&bytes, bounds).1, Err(Fault::TooMany(3))));
    let bounds = Bounds { manifest: 10, ..Bounds::default() };
    assert!(matches!(take(&bytes, bounds).1, Err(Fault::Bloated)));
    assert!(take(&bytes, Bounds::default()).1.is_ok());
}
