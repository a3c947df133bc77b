#![allow(clippy::unwrap_used)]
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

fn archive(content: &'static [u8]) -> Archive {
    Archive::written_by(move |sink| sink.write_all(content))
}

async fn read(storage: &FolderStorage, name: &ObjectName) -> Vec<u8> {
    let mut archive = storage.get(name).await.unwrap();
    let mut content = Vec::new();
    while let Some(piece) = archive.next().await {
        content.extend_from_slice(&piece.unwrap());
    }
    content
}

#[tokio::test]
async fn keeping_twice_keeps_the_second_and_what_an_earlier_attempt_left_goes() {
    let folder = tempfile::tempdir().unwrap();
    let storage = FolderStorage::new(folder.path().join("made/on/demand"));
    storage.put(&name("a/b"), archive(b"first")).await.unwrap();
    let left = folder.path().join("made/on/demand/a/.part-b-1-1");
    fs::write(&left, "half").unwrap();
    storage.put(&name("a/b"), archive(b"second")).await.unwrap();
    assert_eq!(read(&storage, &name("a/b")).await, b"second");
    assert!(!left.exists());
    let mode = fs::metadata(folder.path().join("made/on/demand/a/b")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    storage.put(&name("c"), archive(b"third")).await.unwrap();
    let mut all = storage.list().await.unwrap();
    all.sort();
    assert_eq!(all, [name("a/b"), name("c")]);
    assert!(storage.check().await.iter().all(|check| check.verdict == Verdict::Ok));
}

#[tokio::test]
async fn a_folder_that_can_not_be_used_is_said_so_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let storage = FolderStorage::new(folder.path().join("file/below"));
    let checks = storage.check().await;
    assert_eq!(checks[0].verdict, Verdict::Fail);
    assert!(checks[0].advice.contains("[backups] folder"), "{}", checks[0].advice);
    assert!(storage.put(&name("a"), archive(b"x")).await.unwrap_err().is_temporary());
}

#[test]
fn a_name_leads_nowhere_else() {
    for wrong in ["", "/", "a/", "/a", "a//b", "..", "a/../b", ".hidden", "a/.part-b", "A", "a b", "a\0", "ä", "a\\b"]
    {
        assert!(ObjectName::parse(wrong).is_err(), "{wrong:?}");
    }
    assert!(ObjectName::parse(&"a".repeat(501)).is_err());
    assert_eq!(name("ins_1/bak_2.tar.gz.age").as_str(), "ins_1/bak_2.tar.gz.age");
}
