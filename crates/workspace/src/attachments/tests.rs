#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::visitor::Visitor;
use proptest::prelude::*;

struct Desk {
    home: tempfile::TempDir,
    library: Library,
    item: Name,
}

impl Desk {
    fn open() -> Self {
        let home = tempfile::tempdir().unwrap();
        let library = Library::open(home.path()).unwrap();
        Self { home, library, item: Name::parse("B-1-price").unwrap() }
    }

    fn add(&self, name: &str, bytes: &[u8], mark: Option<&str>) -> Name {
        let new = NewFile { name, bytes, about: " what\nit shows ", mark };
        Attachments::add(&self.library, Shelf::Backlog, &self.item, &new, &by()).unwrap()
    }

    fn names(&self) -> (String, String) {
        let all = Attachments::of(&self.library, Shelf::Backlog, &self.item).unwrap();
        let joined = |files: &[Attachment]| files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(" ");
        (joined(&all.present), joined(&all.removed))
    }

    fn remove(&self, name: &str) -> Result<(), LibraryError> {
        Attachments::remove(&self.library, Shelf::Backlog, &self.item, &Name::parse(name).unwrap(), &by())
    }

    fn restore(&self, name: &str) -> Result<(), LibraryError> {
        Attachments::restore(&self.library, Shelf::Backlog, &self.item, &Name::parse(name).unwrap(), &by())
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.home.path().join("attachments/backlog/B-1-price").join(file)
    }
}

fn by() -> Signature {
    Signature { by: Visitor::You, at: Timestamp::from_second(1_700_000_000).unwrap() }
}

#[test]
fn a_file_is_kept_removed_and_restored_and_no_name_is_used_twice() {
    let desk = Desk::open();
    assert_eq!(desk.names(), (String::new(), String::new()));
    assert_eq!(desk.add("C:\\Plan (1).PNG", b"one", None).as_str(), "plan-1.png");
    let all = Attachments::of(&desk.library, Shelf::Backlog, &desk.item).unwrap();
    let file = &all.present[0];
    assert_eq!((file.size, file.about.as_str(), file.picture), (3, "what it shows", None));
    assert_eq!(file.last, Some(("you".to_owned(), by().at)));

    desk.remove("plan-1.png").unwrap();
    assert_eq!(desk.names(), (String::new(), "plan-1.png".to_owned()));
    assert!(matches!(desk.remove("plan-1.png"), Err(LibraryError::Missing)));
    assert_eq!(desk.add("plan-1.png", b"two", None).as_str(), "plan-1-2.png");
    desk.restore("plan-1.png").unwrap();
    assert_eq!(desk.names().0, "plan-1-2.png plan-1.png");
    assert_eq!(std::fs::read(desk.path("plan-1.png")).unwrap(), b"one");
    assert!(matches!(desk.restore("plan-1.png"), Err(LibraryError::Missing)));
    let all = Attachments::of(&desk.library, Shelf::Backlog, &desk.item).unwrap();
    assert_eq!(all.present[1].about, "what it shows", "what it shows is known for as long as it is there");
}

#[test]
fn files_that_say_something_about_others_are_no_attachments() {
    let desk = Desk::open();
    for name in ["journal.jsonl", "removed"] {
        assert_ne!(desk.add(name, b"x", None).as_str(), name);
        assert!(matches!(desk.remove(name), Err(LibraryError::Missing)));
        let opened = Attachments::open(&desk.library, Shelf::Backlog, &desk.item, &Name::parse(name).unwrap());
        assert!(matches!(opened, Err(LibraryError::Missing)));
    }
    assert_eq!(desk.names().0, "journal-2.jsonl removed-2");
}

#[test]
fn what_lies_there_by_hand_is_an_attachment_and_a_link_is_none() {
    let desk = Desk::open();
    desk.add("a.txt", b"x", None);
    std::fs::write(desk.path("By hand.gif"), b"GIF89a").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", desk.path("link.txt")).unwrap();
    std::fs::create_dir(desk.path("folder")).unwrap();
    assert_eq!(desk.names().0, "By hand.gif a.txt");
    let link = Name::parse("link.txt").unwrap();
    assert!(Attachments::open(&desk.library, Shelf::Backlog, &desk.item, &link).is_err());
    assert!(desk.remove("link.txt").is_err());
    desk.remove("By hand.gif").unwrap();
    std::fs::write(desk.path("By hand.gif"), b"another").unwrap();
    let refused = desk.restore("By hand.gif").unwrap_err().to_string();
    assert!(refused.contains("is there twice"), "{refused}");
    assert_eq!(std::fs::read(desk.path("removed/By hand.gif")).unwrap(), b"GIF89a");
}

#[test]
fn an_approval_that_is_repeated_after_a_crash_attaches_once() {
    let desk = Desk::open();
    let first = desk.add("list.wireframe", b"# List", Some("M-1/4"));
    assert_eq!(desk.add("list.wireframe", b"# List", Some("M-1/4")), first);
    // The program died between the journal and the file.
    std::fs::remove_file(desk.path(first.as_str())).unwrap();
    let again = desk.add("list.wireframe", b"# List", Some("M-1/4"));
    assert_eq!(desk.names().0, again.as_str());
    assert_ne!(desk.add("list.wireframe", b"# List", Some("M-1/5")), again);
}

proptest! {
    #[test]
    fn every_name_becomes_one_that_stays_in_its_folder(wanted in any::<String>()) {
        let (stem, ending) = safe(&wanted);
        let name = Name::parse(&format!("{}{ending}", stem.as_str())).unwrap();
        prop_assert!(!name.as_str().contains(['/', '\\', '"', '<', '\n']));
        prop_assert!(name.as_str().len() < 100);
    }
}
