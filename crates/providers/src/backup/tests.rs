#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use super::*;
use crate::storage::FolderStorage;

struct Place {
    folder: tempfile::TempDir,
    storage: Arc<dyn Storage>,
    identity: Identity,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let storage: Arc<dyn Storage> = Arc::new(FolderStorage::new(folder.path()));
        Self { folder, storage, identity: Identity::generate() }
    }

    async fn keep(&self, content: &'static [u8]) -> Kept {
        let target = Target { storage: Arc::clone(&self.storage), name: name(), recipient: self.identity.recipient() };
        let pack = move |sink: &mut dyn Write| {
            sink.write_all(content)?;
            Ok(Contents { files: 1, bytes: content.len() as u64, left_out: 0 })
        };
        target.keep(pack).await.unwrap()
    }

    async fn read(&self, identity: &Identity, kept: &Kept) -> Result<Vec<u8>, ProviderError> {
        let source = Source {
            storage: Arc::clone(&self.storage),
            name: name(),
            identity: identity.clone(),
            sha256: kept.sha256.clone(),
            bytes: kept.bytes,
        };
        let unpack = |packed: &mut dyn Read| {
            let mut content = Vec::new();
            packed.read_to_end(&mut content)?;
            Ok(content)
        };
        source.read(unpack).await
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join(name().as_str())
    }
}

fn name() -> ObjectName {
    ObjectName::parse("ins_1/bak_1.tar.gz.age").unwrap()
}

#[tokio::test]
async fn what_is_kept_can_be_read_with_its_key_alone() {
    let place = Place::new();
    let kept = place.keep(b"a customer's words").await;
    let on_disk = std::fs::read(place.file()).unwrap();
    assert_eq!(kept.bytes, on_disk.len() as u64);
    assert_eq!(kept.sha256, hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &on_disk)));
    assert!(!on_disk.windows(8).any(|window| window == b"customer"));
    assert_eq!(place.read(&place.identity, &kept).await.unwrap(), b"a customer's words");
    let stranger = Identity::generate();
    let refused = place.read(&stranger, &kept).await.unwrap_err();
    assert!(refused.to_string().contains("another key"), "{refused}");
    assert!(matches!(refused, ProviderError::Refused { .. }));
    let secret = place.identity.to_secret();
    assert_eq!(place.read(&Identity::parse(&secret).unwrap(), &kept).await.unwrap(), b"a customer's words");
    assert!(!format!("{:?}", place.identity).contains("SECRET"));
}

#[tokio::test]
async fn nothing_that_was_changed_or_cut_off_is_taken_for_whole() {
    let place = Place::new();
    let kept = place.keep(b"a customer's words").await;
    let whole = std::fs::read(place.file()).unwrap();
    for length in 0..whole.len() {
        std::fs::write(place.file(), &whole[..length]).unwrap();
        let refused = place.read(&place.identity, &kept).await.unwrap_err();
        assert!(matches!(refused, ProviderError::Refused { .. }), "{length}: {refused}");
    }
    for position in (0..whole.len()).step_by(7) {
        let mut changed = whole.clone();
        changed[position] ^= 1;
        std::fs::write(place.file(), &changed).unwrap();
        let refused = place.read(&place.identity, &kept).await.unwrap_err();
        assert!(matches!(refused, ProviderError::Refused { .. }), "{position}: {refused}");
    }
    std::fs::write(place.file(), [&whole[..], b"more"].concat()).unwrap();
    assert!(place.read(&place.identity, &kept).await.is_err());
}

#[tokio::test]
async fn a_forgery_for_the_same_key_is_refused_since_its_checksum_is_another() {
    let place = Place::new();
    let kept = place.keep(b"a customer's words").await;
    let _ = place.keep(b"somebody else's words").await;
    let refused = place.read(&place.identity, &kept).await.unwrap_err();
    assert!(refused.to_string().contains("checksum"), "{refused}");
}

#[tokio::test]
async fn what_breaks_off_while_it_is_packed_is_not_kept_and_leaves_the_former_one() {
    let place = Place::new();
    let kept = place.keep(b"a customer's words").await;
    let target = Target { storage: Arc::clone(&place.storage), name: name(), recipient: place.identity.recipient() };
    let broken = target.keep(|sink| {
        // More than waits on the way.
        for _ in 0..100 {
            sink.write_all(&[7; 65_536])?;
        }
        Err(io::Error::other("the disk can't be read"))
    });
    let error = broken.await.unwrap_err();
    assert!(error.to_string().contains("the disk can't be read"), "{error}");
    assert!(error.is_temporary());
    assert_eq!(place.read(&place.identity, &kept).await.unwrap(), b"a customer's words");
    assert_eq!(place.storage.list().await.unwrap(), [name()]);
    let left = std::fs::read_dir(place.file().parent().unwrap()).unwrap().count();
    assert_eq!(left, 1, "a part was left behind");
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_missing() {
    let place = Place::new();
    let kept = place.keep(b"a customer's words").await;
    place.storage.delete(&name()).await.unwrap();
    place.storage.delete(&name()).await.unwrap();
    assert!(matches!(place.read(&place.identity, &kept).await, Err(ProviderError::NotFound { .. })));
    assert_eq!(place.storage.list().await.unwrap(), []);
    assert_eq!(std::fs::read_dir(place.folder.path()).unwrap().count(), 0, "empty folders are removed");
}
