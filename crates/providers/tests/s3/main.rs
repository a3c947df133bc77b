//! The driver for object stores against a stand-in that checks signatures and fails on request.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use providers::ProviderError;
use providers::compute::Archive;
use providers::inventory::Verdict;
use providers::storage::{ObjectName, S3Settings, S3Storage, Storage};
use simulators::s3::S3;
use simulators::{Fault, Pace, Served, serve};
use world::Clock;

const LARGE: usize = 20 << 20;

struct Town {
    store: Arc<S3>,
    served: Served,
}

impl Town {
    async fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let store = Arc::new(S3::new("backups", "AKIA1", "s3cret", Clock::System));
        let served = serve(Arc::<S3>::clone(&store), Clock::System, Pace::Real).await.unwrap();
        Self { store, served }
    }

    fn settings(&self) -> S3Settings {
        S3Settings {
            endpoint: self.served.url.clone(),
            bucket: "backups".into(),
            prefix: "production".into(),
            region: "eu-central-1".into(),
            access_key_id: "AKIA1".into(),
            secret_access_key: "s3cret".to_owned().into(),
        }
    }

    fn driver(&self) -> S3Storage {
        S3Storage::new(&self.settings()).unwrap()
    }
}

fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

fn archive(bytes: usize) -> Archive {
    Archive::written_by(move |sink| {
        let piece: Vec<u8> = (0..1000_u32).map(|number| number.to_le_bytes()[0]).collect();
        let mut left = bytes;
        while left > 0 {
            let length = left.min(piece.len());
            sink.write_all(&piece[..length])?;
            left -= length;
        }
        Ok(())
    })
}

async fn read(driver: &S3Storage, name: &ObjectName) -> Vec<u8> {
    let mut archive = driver.get(name).await.unwrap();
    let mut content = Vec::new();
    while let Some(piece) = archive.next().await {
        content.extend_from_slice(&piece.unwrap());
    }
    content
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_comes_back_small_or_large_and_is_found_and_removed() {
    let town = Town::new().await;
    let driver = town.driver();
    assert!(driver.check().await.iter().all(|check| check.verdict == Verdict::Ok), "{:?}", driver.check().await);
    for (object, bytes) in [("ins_1/small", 10), ("ins_1/empty", 0), ("ins_2/large", LARGE)] {
        driver.put(&name(object), archive(bytes)).await.unwrap();
        let content = read(&driver, &name(object)).await;
        assert_eq!(content.len(), bytes, "{object}");
        assert!(content.iter().enumerate().all(|(at, byte)| *byte == (at % 1000).to_le_bytes()[0]), "{object}");
    }
    assert_eq!(town.store.uploads_under_way(), 0);
    assert!(town.store.objects().contains_key("production/ins_2/large"));
    for number in 0..5 {
        driver.put(&name(&format!("ins_3/{number}")), archive(1)).await.unwrap();
    }
    let mut all = driver.list().await.unwrap();
    all.sort();
    assert_eq!(all.len(), 8, "page by page: {all:?}");
    driver.put(&name("ins_1/small"), archive(11)).await.unwrap();
    assert_eq!(read(&driver, &name("ins_1/small")).await.len(), 11, "the second is kept");
    driver.delete(&name("ins_1/small")).await.unwrap();
    driver.delete(&name("ins_1/small")).await.unwrap();
    let missing = driver.get(&name("ins_1/small")).await.unwrap_err();
    assert!(matches!(missing, ProviderError::NotFound { .. }), "{missing}");
    assert!(driver.place(&name("ins_2/large")).ends_with("/backups/production/ins_2/large"));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_and_buckets_are_refused_in_words_that_hold_no_secret() {
    let town = Town::new().await;
    let wrong = [
        S3Settings { secret_access_key: "other-s3cret".to_owned().into(), ..town.settings() },
        S3Settings { access_key_id: "AKIA2".into(), ..town.settings() },
        S3Settings { bucket: "elsewhere".into(), ..town.settings() },
    ];
    for settings in wrong {
        let driver = S3Storage::new(&settings).unwrap();
        let error = driver.put(&name("a"), archive(10)).await.unwrap_err();
        assert!(!error.is_temporary(), "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
        let checks = driver.check().await;
        assert_eq!(checks[0].verdict, Verdict::Fail);
        assert!(checks[0].advice.contains("[backups]"), "{}", checks[0].advice);
    }
    assert!(town.store.objects().is_empty());
    let error = S3Storage::new(&S3Settings { prefix: "../up".into(), ..town.settings() }).unwrap_err();
    assert!(error.to_string().contains("prefix"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_that_pass_are_lived_through_and_keep_one_whole_object() {
    let town = Town::new().await;
    let driver = town.driver();
    for operation in ["PutObject", "CreateMultipartUpload", "UploadPart"] {
        for fault in [
            Fault::Status(500),
            Fault::Status(503),
            Fault::ResetBefore,
            Fault::ResetAfter,
            Fault::Slow(Duration::from_millis(50)),
        ] {
            town.served.faults.once(operation, fault);
            let object = name("ins_1/kept");
            let bytes = if operation == "PutObject" { 10 } else { LARGE };
            // What the driver does not live through by itself, a workflow tries again.
            if driver.put(&object, archive(bytes)).await.is_err() {
                driver.put(&object, archive(bytes)).await.unwrap();
            }
            assert_eq!(town.store.objects()["production/ins_1/kept"].len(), bytes, "{operation} {fault:?}");
            town.served.faults.clear();
        }
    }
    for fault in [Fault::Status(500), Fault::ResetAfter] {
        town.served.faults.once("CompleteMultipartUpload", fault);
        let object = name("ins_1/completed");
        if driver.put(&object, archive(LARGE)).await.is_err() {
            driver.put(&object, archive(LARGE)).await.unwrap();
        }
        assert_eq!(town.store.objects()["production/ins_1/completed"].len(), LARGE, "{fault:?}");
    }
    town.served.faults.once("GetObject", Fault::Status(503));
    assert_eq!(read(&driver, &name("ins_1/completed")).await.len(), LARGE);
    town.served.faults.once("DeleteObject", Fault::ResetAfter);
    driver.delete(&name("ins_1/completed")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_store_and_a_source_that_breaks_off_leave_what_was_there() {
    let town = Town::new().await;
    let driver = town.driver();
    let object = name("ins_1/kept");
    driver.put(&object, archive(10)).await.unwrap();
    town.store.limit(12 << 20);
    for bytes in [14 << 20, LARGE] {
        let error = driver.put(&object, archive(bytes)).await.unwrap_err();
        assert!(error.to_string().contains("XMinioStorageFull"), "{error}");
    }
    assert_eq!(town.store.uploads_under_way(), 0, "nothing is left half there");
    town.store.limit(usize::MAX);
    for bytes in [10, LARGE] {
        let broken = Archive::written_by(move |sink| {
            sink.write_all(&vec![7; bytes])?;
            Err(std::io::Error::other("the disk can't be read"))
        });
        let error = driver.put(&object, broken).await.unwrap_err();
        assert!(error.is_temporary() && error.to_string().contains("the disk can't be read"), "{error}");
    }
    assert_eq!(town.store.uploads_under_way(), 0);
    assert_eq!(read(&driver, &object).await.len(), 10);
}
