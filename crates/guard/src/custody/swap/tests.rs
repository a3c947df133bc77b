#![allow(clippy::unwrap_used)]
use std::cell::Cell;
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use super::*;

thread_local! {
    /// How many steps are left until the guard is killed.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Where a guard can be killed.
pub(super) fn step() -> io::Result<()> {
    LEFT.with(|left| {
        left.set(left.get().saturating_sub(1));
        if left.get() == 0 { Err(io::Error::other("killed")) } else { Ok(()) }
    })
}

fn killed_after<T>(steps: usize, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    LEFT.with(|left| left.set(steps));
    let outcome = work();
    LEFT.with(|left| left.set(usize::MAX));
    outcome
}

struct Place {
    folder: tempfile::TempDir,
    exchange: Exchange,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let data = folder.path();
        fs::create_dir_all(data.join("notes/deep")).unwrap();
        fs::write(data.join("notes/deep/one"), "old").unwrap();
        fs::write(data.join("same name"), "old").unwrap();
        fs::write(data.join("turns into a folder"), "old").unwrap();
        symlink("/etc", data.join("link")).unwrap();
        fs::create_dir(data.join(".guard")).unwrap();
        fs::write(data.join(".guard/token"), "the guard's").unwrap();
        let exchange = Exchange::new(data, &[".guard".into(), WORKSHOP.into()]);
        Self { folder, exchange }
    }

    fn unpack(&self) {
        let new = self.exchange.prepare().unwrap();
        fs::create_dir_all(new.join("notes")).unwrap();
        fs::write(new.join("notes/two"), "new").unwrap();
        fs::write(new.join("same name"), "new").unwrap();
        fs::create_dir(new.join("turns into a folder")).unwrap();
        fs::create_dir(new.join("locked")).unwrap();
        fs::set_permissions(new.join("locked"), fs::Permissions::from_mode(0o555)).unwrap();
    }

    fn picture(&self) -> BTreeMap<PathBuf, String> {
        fn look(top: &Path, path: &Path, seen: &mut BTreeMap<PathBuf, String>) {
            for entry in fs::read_dir(path).unwrap() {
                let path = entry.unwrap().path();
                let found = fs::symlink_metadata(&path).unwrap();
                let content = if found.is_file() { fs::read_to_string(&path).unwrap() } else { String::new() };
                let shown = format!("{:o} {content}", found.permissions().mode());
                seen.insert(path.strip_prefix(top).unwrap().to_owned(), shown);
                if found.is_dir() {
                    look(top, &path, seen);
                }
            }
        }
        let mut seen = BTreeMap::new();
        look(self.folder.path(), self.folder.path(), &mut seen);
        seen
    }
}

/// What it comes to when nothing goes wrong.
fn wanted() -> (BTreeMap<PathBuf, String>, BTreeMap<PathBuf, String>) {
    let place = Place::new();
    let old = place.picture();
    place.unpack();
    place.exchange.begin().unwrap();
    (old, place.picture())
}

#[test]
fn the_new_takes_the_place_of_the_old_and_what_is_not_the_applications_stays() {
    let (old, new) = wanted();
    let names: Vec<_> = new.keys().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(names, [".guard", ".guard/token", "locked", "notes", "notes/two", "same name", "turns into a folder"]);
    assert_eq!(new[Path::new("same name")], old[Path::new("same name")].replace("old", "new"));
    assert_eq!(new[Path::new("locked")], "40555 ");
}

#[test]
fn killed_at_any_step_and_started_again_it_is_all_of_the_old_or_all_of_the_new() {
    let (old, new) = wanted();
    let mut ends = [0, 0];
    for steps in 1.. {
        let place = Place::new();
        place.unpack();
        let outcome = killed_after(steps, || place.exchange.begin());
        place.exchange.finish().unwrap();
        let found = place.picture();
        ends[usize::from(found == new)] += 1;
        assert!(found == new || found == old, "killed at step {steps}: {found:#?}");
        if outcome.is_ok() {
            break;
        }
    }
    assert!(ends[0] > 0 && ends[1] > 8, "{ends:?}");
}

#[test]
fn killed_again_and_again_while_it_goes_on_it_still_comes_to_its_end() {
    let (_, new) = wanted();
    let place = Place::new();
    place.unpack();
    // Past the step from which there is no way back.
    assert!(killed_after(3, || place.exchange.begin()).is_err());
    for _ in 0..200 {
        if killed_after(3, || place.exchange.finish()).is_ok() {
            break;
        }
    }
    assert_eq!(place.picture(), new);
}

#[test]
fn what_was_unpacked_in_part_is_removed_and_nothing_else_is_touched() {
    let place = Place::new();
    let old = place.picture();
    place.unpack();
    place.exchange.finish().unwrap();
    assert_eq!(place.picture(), old);
    place.exchange.finish().unwrap();
}

#[test]
fn whatever_an_application_put_in_the_place_of_the_workshop_leads_nowhere() {
    let place = Place::new();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("phase"), "out").unwrap();
    let workshop = place.folder.path().join(WORKSHOP);
    symlink(elsewhere.path(), &workshop).unwrap();
    let old = place.picture();
    place.exchange.finish().unwrap();
    assert!(elsewhere.path().join("phase").exists() && fs::symlink_metadata(&workshop).is_err());
    assert_eq!(place.picture().len() + 1, old.len());
    fs::create_dir(&workshop).unwrap();
    fs::write(workshop.join("phase"), "nonsense").unwrap();
    assert!(place.exchange.finish().is_err(), "nobody guesses how far it got");
}

#[test]
fn what_came_there_since_is_out_of_the_way() {
    let (_, new) = wanted();
    let place = Place::new();
    place.unpack();
    fs::create_dir(place.exchange.old_data()).unwrap();
    place.exchange.note(Phase::Out).unwrap();
    place.exchange.move_out().unwrap();
    place.exchange.note(Phase::In).unwrap();
    fs::create_dir_all(place.folder.path().join("same name/full")).unwrap();
    fs::create_dir_all(place.folder.path().join("notes/full")).unwrap();
    fs::write(place.folder.path().join("turns into a folder"), "stray").unwrap();
    place.exchange.finish().unwrap();
    assert_eq!(place.picture(), new);
}
