#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use aws_lc_rs::digest::SHA256;
use flate2::read::GzDecoder;
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, openat};

use super::*;
use crate::tree::DEEPEST;

struct Packed {
    files: BTreeMap<PathBuf, Vec<u8>>,
    kinds: Vec<EntryType>,
}

fn project() -> (tempfile::TempDir, Volume) {
    let place = tempfile::tempdir().unwrap();
    let (data, spool) = (place.path().join("data"), place.path().join("instance"));
    fs::create_dir(&data).unwrap();
    fs::create_dir(&spool).unwrap();
    (place, Volume { data, apart: vec![".guard".into()], spool })
}

fn packed(volume: &Volume) -> Packed {
    let mut bytes = Vec::new();
    export(volume, "ai-diy-acme", &mut bytes).unwrap();
    unpacked(&bytes)
}

fn unpacked(bytes: &[u8]) -> Packed {
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    let mut packed = Packed { files: BTreeMap::new(), kinds: Vec::new() };
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().strip_prefix("ai-diy-acme").unwrap().to_owned();
        packed.kinds.push(entry.header().entry_type());
        if entry.header().entry_type() == EntryType::Regular {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            packed.files.insert(path, content);
        }
    }
    packed
}

impl Packed {
    fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(self.files.get(Path::new(name)).map_or(&[][..], Vec::as_slice)).into_owned()
    }

    /// What the manifest says, by the names that it means.
    fn sums(&self) -> BTreeMap<PathBuf, String> {
        let manifest = &self.files[Path::new("MANIFEST.sha256")];
        let lines = manifest.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines
            .map(|line| {
                let (is_escaped, line) = line.strip_prefix(b"\\").map_or((false, line), |rest| (true, rest));
                let (sum, name) = (&line[..64], &line[66..]);
                let name = if is_escaped {
                    String::from_utf8(name.to_vec()).unwrap().replace("\\n", "\n").replace("\\\\", "\\").into_bytes()
                } else {
                    name.to_vec()
                };
                (PathBuf::from(OsStr::from_bytes(&name)), String::from_utf8(sum.to_vec()).unwrap())
            })
            .collect()
    }

    fn data(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.files.iter().filter(|(path, _)| path.starts_with("data")).map(|(p, c)| (p.clone(), c.clone())).collect()
    }
}

fn sum(content: &[u8]) -> String {
    hex::encode(aws_lc_rs::digest::digest(&SHA256, content))
}

#[test]
fn every_file_is_there_with_its_checksum_and_nothing_but_the_applications_data() {
    let (_place, volume) = project();
    let data = &volume.data;
    fs::create_dir_all(data.join("visions/2026")).unwrap();
    fs::create_dir(data.join("empty")).unwrap();
    let large: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    fs::write(data.join("visions/2026/shop.md"), "A shop").unwrap();
    fs::write(data.join("large.bin"), &large).unwrap();
    fs::write(data.join("nothing"), "").unwrap();
    fs::write(volume.spool.join("token"), "secret").unwrap();
    fs::create_dir(data.join(".guard")).unwrap();
    fs::write(data.join(".guard/token"), "secret").unwrap();
    let packed = packed(&volume);
    let content = packed.data();
    let names: Vec<_> = content.keys().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(names, ["data/large.bin", "data/nothing", "data/visions/2026/shop.md"]);
    assert_eq!(content[Path::new("data/large.bin")], large);
    let sums: BTreeMap<_, _> = content.iter().map(|(path, content)| (path.clone(), sum(content))).collect();
    assert_eq!(packed.sums(), sums);
    assert!(packed.files.values().all(|content| content != b"secret"));
    assert!(!packed.files.contains_key(Path::new("LEFT-OUT.txt")), "{}", packed.text("LEFT-OUT.txt"));
    assert_eq!(fs::read_dir(&volume.spool).unwrap().count(), 1, "nothing was left behind");
}

#[test]
fn links_are_not_followed_pipes_not_waited_for_and_both_are_named() {
    let (place, volume) = project();
    let data = &volume.data;
    fs::write(place.path().join("neighbour"), "secret").unwrap();
    symlink(place.path().join("neighbour"), data.join("file")).unwrap();
    symlink("/etc", data.join("folder")).unwrap();
    symlink("..", data.join("up")).unwrap();
    symlink("nowhere\nelse", data.join("broken")).unwrap();
    let parent = openat(CWD, data, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
    mknodat(&parent, "pipe", FileType::Fifo, Mode::RUSR, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(data.join("socket")).unwrap();
    let packed = packed(&volume);
    assert_eq!(packed.data(), BTreeMap::new());
    assert!(packed.kinds.iter().all(|kind| [EntryType::Regular, EntryType::Directory].contains(kind)));
    let left_out = packed.text("LEFT-OUT.txt");
    for line in [
        "data/folder: it is a link, to /etc\n",
        "data/up: it is a link, to ..\n",
        "data/broken: it is a link, to nowhere\\nelse\n",
        "data/pipe: it is a pipe\n",
        "data/socket: it is a socket\n",
    ] {
        assert!(left_out.contains(line), "{left_out}");
    }
    assert_eq!(left_out.lines().count(), 6, "{left_out}");
}

#[test]
fn odd_names_come_through_byte_by_byte_and_can_not_forge_a_line_of_the_manifest() {
    let (_place, volume) = project();
    let names: [&[u8]; 7] = [
        b"two\nlines",
        b"back\\slash",
        b"\xff\xfe",
        b" spaces ",
        b"-rf",
        b"...",
        b"a\n0000000000000000000000000000000000000000000000000000000000000000  data/forged",
    ];
    // A name with a slash is a path.
    let names = names.map(|name| name.split(|byte| *byte == b'/').next().unwrap());
    let long = [b'n'; 255];
    for name in names.into_iter().chain([&long[..]]) {
        fs::write(volume.data.join(OsStr::from_bytes(name)), name).unwrap();
    }
    let packed = packed(&volume);
    assert_eq!(packed.data().len(), names.len() + 1);
    for (path, content) in packed.data() {
        assert_eq!(path.file_name().unwrap().as_bytes(), content);
    }
    let sums: BTreeMap<_, _> = packed.data().iter().map(|(path, content)| (path.clone(), sum(content))).collect();
    assert_eq!(packed.sums(), sums);
}

#[test]
fn a_file_of_holes_is_named_and_small_holes_are_zeros() {
    let (_place, volume) = project();
    File::create(volume.data.join("day")).unwrap().set_len(1 << 40).unwrap();
    File::create(volume.data.join("moment")).unwrap().set_len(1 << 20).unwrap();
    let packed = packed(&volume);
    let names: Vec<_> = packed.data().into_iter().map(|(path, content)| (path, content.len())).collect();
    assert_eq!(names, [(PathBuf::from("data/moment"), 1 << 20)]);
    let left_out = packed.text("LEFT-OUT.txt");
    assert!(left_out.contains("data/day: it is said to have 1099511627776 bytes"), "{left_out}");
}

#[test]
fn folders_without_end_are_packed_as_deep_as_is_sensible() {
    let (_place, volume) = project();
    let mut path = volume.data.clone();
    for _ in 0..DEEPEST + 10 {
        path.push("d");
        fs::create_dir(&path).unwrap();
    }
    let packed = packed(&volume);
    assert!(packed.text("LEFT-OUT.txt").contains("it is nested too deep"));
}

/// Nothing that would compress.
fn noise() -> Vec<u8> {
    let mut seed = 1_u32;
    let next = |_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    };
    (0..4_000_000).map(next).collect()
}

/// Changes the folder while it is being packed.
struct Meddler<F: FnMut()> {
    packed: Vec<u8>,
    meddle: F,
}

impl<F: FnMut()> Write for Meddler<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Long after the file was opened, and long before its end.
        if self.packed.len() > 1_000_000 {
            (self.meddle)();
        }
        self.packed.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_leaves_a_whole_archive_that_says_so() {
    let (_place, volume) = project();
    let path = volume.data.join("log");
    let noise = noise();
    for change in ["shorter", "longer", "link"] {
        fs::remove_file(&path).ok();
        fs::write(&path, &noise).unwrap();
        let mut is_done = false;
        let meddle = || {
            if !is_done {
                is_done = true;
                match change {
                    "shorter" => File::options().write(true).open(&path).unwrap().set_len(10).unwrap(),
                    "longer" => {
                        File::options().append(true).open(&path).unwrap().write_all(&[1; 1_000]).unwrap();
                    }
                    _ => {
                        fs::remove_file(&path).unwrap();
                        symlink("/etc/passwd", &path).unwrap();
                    }
                }
            }
        };
        let mut sink = Meddler { packed: Vec::new(), meddle };
        export(&volume, "ai-diy-acme", &mut sink).unwrap();
        let packed = unpacked(&sink.packed);
        let left_out = packed.text("LEFT-OUT.txt");
        match packed.data().get(Path::new("data/log")) {
            Some(content) => {
                assert_eq!(content.len(), noise.len(), "{change}");
                assert_eq!(packed.sums()[Path::new("data/log")], sum(content), "{change}");
                assert_eq!(change == "link", left_out.is_empty(), "{change}: {left_out}");
            }
            None => assert!(left_out.contains("data/log"), "{change}: {left_out}"),
        }
    }
}

#[test]
fn an_instance_that_is_removed_meanwhile_gives_no_archive_that_looks_whole() {
    let (_place, volume) = project();
    fs::write(volume.data.join("log"), noise()).unwrap();
    let mut sink =
        Meddler { packed: Vec::new(), meddle: || _ = fs::rename(&volume.data, volume.data.with_extension("gone")) };
    assert!(export(&volume, "ai-diy-acme", &mut sink).is_err());
}

#[test]
fn what_can_not_be_read_is_named() {
    if rustix::process::geteuid().is_root() {
        return;
    }
    let (_place, volume) = project();
    fs::write(volume.data.join("locked"), "x").unwrap();
    fs::set_permissions(volume.data.join("locked"), fs::Permissions::from_mode(0o000)).unwrap();
    assert!(packed(&volume).text("LEFT-OUT.txt").contains("data/locked: it can't be read"));
}
