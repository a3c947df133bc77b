#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[test]
fn links_neither_hide_nor_inflate_what_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("theirs"), vec![1; 1 << 20]).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
    fs::create_dir(folder.path().join("below")).unwrap();
    fs::write(folder.path().join("below/file"), vec![1; 300_000]).unwrap();
    fs::hard_link(folder.path().join("below/file"), folder.path().join("again")).unwrap();
    let used = used_bytes(folder.path(), u64::MAX).unwrap();
    assert!((300_000..400_000).contains(&used), "{used}");
}

#[test]
fn everything_counts_however_it_is_spread_over_folders() {
    let volume = tempfile::tempdir().unwrap();
    for path in ["a/b/c", "a/b/d", "a/e/f/g", "h"] {
        fs::create_dir_all(volume.path().join(path)).unwrap();
        fs::write(volume.path().join(path).join("file"), vec![1; 100_000]).unwrap();
    }
    let used = used_bytes(volume.path(), u64::MAX).unwrap();
    assert!((400_000..500_000).contains(&used), "{used}");
}

#[test]
fn empty_files_fill_a_volume_too() {
    let volume = tempfile::tempdir().unwrap();
    for number in 0..1000 {
        fs::write(volume.path().join(number.to_string()), "").unwrap();
    }
    assert!(used_bytes(volume.path(), 1_000_000).unwrap() > 1_000_000);
    assert!(used_bytes(volume.path(), 10_000_000).unwrap() >= 1000 * ENTRY_BYTES);
}

#[test]
fn what_is_nested_too_deeply_is_noticed() {
    let volume = tempfile::tempdir().unwrap();
    fs::create_dir_all(volume.path().join("a/".repeat(DEPTH))).unwrap();
    assert!(used_bytes(volume.path(), u64::MAX).is_ok());
    fs::create_dir_all(volume.path().join("a/".repeat(DEPTH + 1))).unwrap();
    assert!(matches!(used_bytes(volume.path(), u64::MAX), Err(Unmeasured::Evaded(_))));
}

#[test]
fn what_is_locked_is_measured_or_noticed() {
    let volume = tempfile::tempdir().unwrap();
    let locked = volume.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::write(locked.join("file"), vec![1; 300_000]).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    match used_bytes(volume.path(), u64::MAX) {
        Ok(used) => assert!(used > 300_000, "{used}"),
        Err(cause) => assert!(matches!(cause, Unmeasured::Evaded(_)), "{cause:?}"),
    }
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_volume_is_measured_again_when_space_vanishes_or_time_passes_but_never_all_the_time() {
    let seconds = Duration::from_secs;
    let room = |bytes| Room { bytes, entries: 10 };
    let last = Measurement { used: 60, room: room(1000), took: Duration::from_millis(100) };
    assert!(!last.is_outdated(seconds(30), room(1000), 100));
    assert!(!last.is_outdated(seconds(30), room(995), 100));
    assert!(last.is_outdated(seconds(30), room(990), 100));
    assert!(last.is_outdated(seconds(30), Room { entries: 9, ..room(1000) }, 100));
    assert!(!last.is_outdated(seconds(1), room(0), 100));
    assert!(last.is_outdated(seconds(120), room(2000), 100));
    // What costs next to nothing is done now and then without a sign.
    let quick = Measurement { took: Duration::from_millis(2), ..last };
    assert!(!quick.is_outdated(seconds(9), room(2000), 100));
    assert!(quick.is_outdated(seconds(10), room(2000), 100));
    let slow = Measurement { took: seconds(10), ..last };
    assert!(!slow.is_outdated(seconds(150), room(0), 100));
}
