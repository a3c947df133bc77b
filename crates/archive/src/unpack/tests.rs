#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Cursor;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tar::{Builder, Header};

use super::*;
use crate::{Volume, pack};

fn project() -> (tempfile::TempDir, Volume) {
    let place = tempfile::tempdir().unwrap();
    let (data, spool) = (place.path().join("data"), place.path().to_owned());
    fs::create_dir(&data).unwrap();
    (place, Volume { data, apart: Vec::new(), spool })
}

fn packed(volume: &Volume) -> (Vec<u8>, Contents) {
    let mut bytes = Vec::new();
    let contents = pack(volume, &mut bytes).unwrap();
    (bytes, contents)
}

fn incoming(volume: &Volume) -> PathBuf {
    volume.data.with_extension("incoming")
}

fn restored(volume: &Volume, bytes: &[u8]) -> io::Result<Contents> {
    let contents = unpack(&incoming(volume), None, &mut Cursor::new(bytes))?;
    remove_tree(&volume.data)?;
    fs::rename(incoming(volume), &volume.data)?;
    Ok(contents)
}

/// Everything about a tree that an application could notice.
fn picture(top: &Path) -> BTreeMap<PathBuf, String> {
    fn look(top: &Path, path: &Path, seen: &mut BTreeMap<PathBuf, String>) {
        let found = fs::symlink_metadata(path).unwrap();
        let content = if found.is_file() {
            format!("{:?} {} names", fs::read(path).unwrap(), found.nlink())
        } else if found.is_symlink() {
            format!("{:?}", fs::read_link(path).unwrap())
        } else {
            String::new()
        };
        let kind = found.mode();
        let shown = format!("{kind:o} {}.{:09} {content}", found.mtime(), found.mtime_nsec());
        seen.insert(path.strip_prefix(top).unwrap().to_owned(), shown);
        if found.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                look(top, &entry.unwrap().path(), seen);
            }
        }
    }
    let mut seen = BTreeMap::new();
    look(top, top, &mut seen);
    seen
}

#[test]
fn what_is_put_back_is_what_was_there_to_the_last_bit() {
    let (_place, volume) = project();
    let data = volume.data.clone();
    fs::create_dir_all(data.join("a/b")).unwrap();
    fs::create_dir(data.join("empty")).unwrap();
    fs::write(data.join("a/b/words"), "words").unwrap();
    fs::set_permissions(data.join("a/b/words"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::write(data.join("a/tool"), "#!/bin/sh").unwrap();
    fs::set_permissions(data.join("a/tool"), fs::Permissions::from_mode(0o4751)).unwrap();
    fs::hard_link(data.join("a/b/words"), data.join("a/same words")).unwrap();
    symlink("b/words", data.join("a/link")).unwrap();
    symlink("/etc/passwd", data.join("outside")).unwrap();
    symlink("a//b/./../x/", data.join("odd link")).unwrap();
    symlink(format!("{}\n{}", "l".repeat(200), "end"), data.join("long link")).unwrap();
    let top = openat(CWD, &data, FOLDER, Mode::empty()).unwrap();
    mknodat(&top, "pipe", FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    fs::write(data.join(OsStr::from_bytes(b"\xff\xfe\n")), "odd name").unwrap();
    fs::write(data.join("n".repeat(255)), "long name").unwrap();
    let mut holes = File::create(data.join("holes")).unwrap();
    holes.set_len(3 << 20).unwrap();
    holes.seek(SeekFrom::Start(1 << 20)).unwrap();
    holes.write_all(b"in the middle").unwrap();
    let old = Timespec { tv_sec: -86_400, tv_nsec: 5 };
    utimensat(&top, "a", &at(old), AtFlags::empty()).unwrap();
    fs::set_permissions(data.join("empty"), fs::Permissions::from_mode(0o1777)).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o710)).unwrap();
    let before = picture(&data);
    let (bytes, contents) = packed(&volume);
    assert_eq!((contents.files, contents.left_out), (5, 0));
    fs::remove_file(data.join("a/b/words")).unwrap();
    fs::write(data.join("later"), "x").unwrap();
    assert_eq!(restored(&volume, &bytes).unwrap(), contents);
    assert_eq!(picture(&data), before);
    let on_disk = fs::metadata(data.join("holes")).unwrap().blocks() * 512;
    assert!(on_disk < 1 << 20, "holes stay holes: {on_disk}");
    assert!(!incoming(&volume).exists());
}

#[test]
fn what_can_not_be_taken_along_is_counted_outside_and_named_inside_only() {
    let (_place, volume) = project();
    File::create(volume.data.join("day")).unwrap().set_len(1 << 40).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(volume.data.join("socket")).unwrap();
    let (bytes, contents) = packed(&volume);
    assert_eq!((contents.files, contents.left_out), (0, 2));
    let mut archive = Archive::new(Cursor::new(&bytes));
    let mut list = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path_bytes().as_ref() == LEFT_OUT.as_bytes() {
            entry.read_to_string(&mut list).unwrap();
        }
    }
    assert!(list.contains("data/socket: it is a socket\n") && list.contains("data/day: it is said to have"), "{list}");
    restored(&volume, &bytes).unwrap();
    assert_eq!(fs::read_dir(&volume.data).unwrap().count(), 0);
}

/// Paths, kinds and where they lead.
type Entries = &'static [(&'static [u8], EntryType, &'static [u8])];

/// An archive of entries that no backup of ours has.
struct Forgery(Builder<Vec<u8>>, End);

impl Forgery {
    fn new() -> Self {
        let mut forgery = Self(Builder::new(Vec::new()), End::default());
        forgery.add(b"data", EntryType::Directory, b"", b"");
        forgery
    }

    fn add(&mut self, path: &[u8], kind: EntryType, target: &[u8], content: &[u8]) {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..path.len()].copy_from_slice(path);
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target);
        header.set_entry_type(kind);
        header.set_mode(0o700);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self.1.entries += 1;
        if kind == EntryType::Regular {
            self.1.files += 1;
            self.1.bytes += content.len() as u64;
        }
    }

    fn finished(mut self) -> Vec<u8> {
        let end = serde_json::to_vec(&self.1).unwrap();
        self.add(END.as_bytes(), EntryType::Regular, b"", &end);
        self.0.into_inner().unwrap()
    }
}

#[test]
fn no_archive_whatever_is_in_it_writes_outside_or_harms_what_is_there() {
    let hostile: [(&str, Entries); 14] = [
        ("up", &[(b"data/../evil", EntryType::Regular, b"")]),
        ("absolute", &[(b"/tmp/evil", EntryType::Regular, b"")]),
        ("beside", &[(b"evil", EntryType::Regular, b"")]),
        ("twice the slash", &[(b"data//evil", EntryType::Regular, b"")]),
        ("dot", &[(b"data/./evil", EntryType::Regular, b"")]),
        ("through a link", &[(b"data/way", EntryType::Symlink, b"/"), (b"data/way/evil", EntryType::Regular, b"")]),
        ("over a link", &[(b"data/way", EntryType::Symlink, b"/tmp/evil"), (b"data/way", EntryType::Regular, b"")]),
        ("folder over a link", &[(b"data/way", EntryType::Symlink, b"/"), (b"data/way", EntryType::Directory, b"")]),
        ("second name outside", &[(b"data/passwd", EntryType::Link, b"/etc/passwd")]),
        ("second name up", &[(b"data/evil", EntryType::Link, b"data/../../project.json")]),
        (
            "second name through a link",
            &[(b"data/way", EntryType::Symlink, b"/etc"), (b"data/evil", EntryType::Link, b"data/way/passwd")],
        ),
        ("device", &[(b"data/null", EntryType::Char, b"")]),
        ("disk", &[(b"data/disk", EntryType::Block, b"")]),
        (
            "a folder that was left",
            &[
                (b"data/a", EntryType::Directory, b""),
                (b"data/b", EntryType::Directory, b""),
                (b"data/a/evil", EntryType::Regular, b""),
            ],
        ),
    ];
    for (what, entries) in hostile {
        let (place, volume) = project();
        fs::write(volume.data.join("mine"), "untouched").unwrap();
        let around = picture(place.path());
        let mut forgery = Forgery::new();
        for (path, kind, target) in entries {
            forgery.add(path, *kind, target, b"");
        }
        let outcome = restored(&volume, &forgery.finished());
        assert!(outcome.is_err(), "{what}");
        let error = outcome.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput), "{what}: {error:?}");
        remove_tree(&incoming(&volume)).unwrap();
        let same = |(path, now): (PathBuf, String)| path == Path::new("") || around.get(&path) == Some(&now);
        assert!(picture(place.path()).into_iter().all(same), "{what}");
        assert!(!Path::new("/tmp/evil").exists(), "{what}");
    }
}

#[test]
fn what_is_cut_off_anywhere_leaves_the_present_data() {
    let (_place, volume) = project();
    fs::create_dir(volume.data.join("notes")).unwrap();
    fs::write(volume.data.join("notes/words"), "words").unwrap();
    symlink("notes", volume.data.join("link")).unwrap();
    let (bytes, _) = packed(&volume);
    fs::write(volume.data.join("later"), "x").unwrap();
    let before = picture(&volume.data);
    // Behind its end, an archive is padded.
    let end = bytes.len() - 1024;
    for length in (0..end).step_by(97) {
        assert!(restored(&volume, &bytes[..length]).is_err(), "{length} of {}", bytes.len());
        assert_eq!(picture(&volume.data), before);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Trees of any shape come back as they were.
    #[test]
    fn any_tree_survives_the_way_there_and_back(
        entries in prop::collection::vec(
            ("[a-c]{1,2}(/[a-c ]{1,2}){0,3}", 0_u32..4, prop::collection::vec(any::<u8>(), 0..2000), 0_u32..0o1000, any::<i32>()),
            0..40,
        )
    ) {
        let (_place, volume) = project();
        for (path, kind, content, mode, seconds) in entries {
            let path = volume.data.join(path);
            if fs::create_dir_all(path.parent().unwrap()).is_err() || fs::symlink_metadata(&path).is_ok() {
                continue;
            }
            let made = match kind {
                0 => fs::create_dir(&path),
                1 => symlink(OsStr::from_bytes(&[b"to ", &mode.to_le_bytes().map(|byte| byte | 1)[..]].concat()), &path),
                _ => fs::write(&path, &content),
            };
            if made.is_ok() && kind != 1 {
                let modified = Timespec { tv_sec: i64::from(seconds), tv_nsec: i64::from(mode) };
                // Those of folders change again with what is put into them.
                utimensat(CWD, &path, &at(modified), AtFlags::empty()).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(mode | 0o700)).unwrap();
            }
        }
        let before = picture(&volume.data);
        let (bytes, contents) = packed(&volume);
        prop_assert_eq!(restored(&volume, &bytes).unwrap(), contents);
        prop_assert_eq!(picture(&volume.data), before);
    }
}
