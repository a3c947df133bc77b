#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use rustix::fs::mkdirat;

use super::*;

/// So many folders, each in the one before; no path can name the innermost.
fn nest(top: &Path, depth: usize) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = openat(CWD, top, flags, Mode::empty()).unwrap();
    for _ in 0..depth {
        mkdirat(&folder, "deeper", Mode::RWXU).unwrap();
        folder = openat(&folder, "deeper", flags, Mode::empty()).unwrap();
    }
}

fn doomed(parent: &tempfile::TempDir) -> PathBuf {
    let doomed = parent.path().join("doomed");
    fs::create_dir(&doomed).unwrap();
    doomed
}

/// On a stack that a few hundred nested calls would use up.
fn remove_on_a_small_stack(path: &Path) {
    let path = path.to_owned();
    let thread = std::thread::Builder::new().stack_size(64 << 10);
    thread.spawn(move || remove_tree(&path)).unwrap().join().unwrap().unwrap();
}

#[test]
fn no_depth_is_too_deep_to_be_removed() {
    let parent = tempfile::tempdir().unwrap();
    let doomed = doomed(&parent);
    nest(&doomed, 50_000);
    remove_on_a_small_stack(&doomed);
    assert!(!doomed.exists());
    remove_tree(&doomed).unwrap();
}

#[test]
fn a_bush_is_removed_and_nothing_beside_it() {
    let parent = tempfile::tempdir().unwrap();
    let outside = parent.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("kept"), "theirs").unwrap();
    let doomed = doomed(&parent);
    for path in ["a/b/c/d", "a/b/e/f/g", "0/1/2", "1/0/2", "2", "h"] {
        let folder = doomed.join(path);
        fs::create_dir_all(&folder).unwrap();
        for number in 0..50 {
            fs::write(folder.join(format!("file {number}")), "x").unwrap();
        }
        symlink(&outside, folder.join("link")).unwrap();
    }
    symlink(&outside, doomed.join("link")).unwrap();
    remove_on_a_small_stack(&doomed);
    assert!(!doomed.exists());
    assert!(outside.join("kept").exists());
    symlink(&outside, &doomed).unwrap();
    remove_tree(&doomed).unwrap();
    assert!(fs::symlink_metadata(&doomed).is_err(), "of a link, the link is removed");
    assert!(outside.join("kept").exists());
}

#[test]
fn a_removal_that_was_broken_off_is_taken_up_again() {
    let parent = tempfile::tempdir().unwrap();
    let doomed = doomed(&parent);
    for (path, number) in [("data/a/b", 0), ("data/c/d/e", 1), ("data/f", 3)] {
        fs::create_dir_all(doomed.join(path)).unwrap();
        fs::write(doomed.join(path).join("file"), "x").unwrap();
        fs::create_dir_all(doomed.join(number.to_string()).join("deeper/still")).unwrap();
    }
    fs::write(doomed.join("2"), "a file that has the next number").unwrap();
    remove_tree(&doomed).unwrap();
    assert!(!doomed.exists());
}

#[test]
fn locks_do_not_keep_anything() {
    let parent = tempfile::tempdir().unwrap();
    let doomed = doomed(&parent);
    let modes = [0o000, 0o100, 0o400, 0o500, 0o300];
    for mode in modes {
        let locked = doomed.join(format!("{mode:o}")).join("locked");
        fs::create_dir_all(locked.join("deep/deeper")).unwrap();
        fs::write(locked.join("deep/file"), "x").unwrap();
        for path in [locked.join("deep/deeper"), locked.join("deep"), locked.clone()] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::set_permissions(locked.parent().unwrap(), fs::Permissions::from_mode(mode)).unwrap();
    }
    remove_tree(&doomed).unwrap();
    assert!(!doomed.exists());
}
