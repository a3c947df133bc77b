//! Backups in an object store that speaks S3's language.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore as _, ObjectStoreExt as _, PutPayload, RetryConfig, WriteMultipart,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{ObjectName, Storage};
use crate::ProviderError;
use crate::compute::Archive;
use crate::inventory::{Check, Verdict};

/// What is smaller goes as one; the largest object is ten thousand of these, so 80 GB.
const PART: usize = 8 << 20;
/// Parts on their way at once.
const PARTS_AT_ONCE: usize = 3;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a part may take to be sent, and how long an answer may pause.
const DEADLINE: Duration = Duration::from_mins(2);
/// Within it, what failed is tried again; after it, the workflow tries again later.
const KEEP_TRYING: Duration = Duration::from_secs(30);

/// Where the store is, and who we are there.
#[derive(Debug, Clone)]
pub struct S3Settings {
    /// `https://s3.eu-central-1.amazonaws.com`, or any other that speaks the same language.
    pub endpoint: String,
    /// The bucket, which exists.
    pub bucket: String,
    /// What names begin with there; empty for nothing.
    pub prefix: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Who we are.
    pub access_key_id: String,
    /// What we sign with.
    pub secret_access_key: SecretString,
}

/// See the module.
#[derive(Debug)]
pub struct S3Storage {
    store: AmazonS3,
    endpoint: String,
    bucket: String,
    prefix: String,
}

impl S3Storage {
    /// A way to the store. Asks nobody yet.
    ///
    /// # Errors
    /// Refused when a setting can't be meant.
    pub fn new(settings: &S3Settings) -> Result<Self, ProviderError> {
        let endpoint = settings.endpoint.trim_end_matches('/').to_owned();
        let refuse = |why: String| {
            ProviderError::refused(format!("use the object store at {endpoint}"), why, "correct it in [backups]")
        };
        let prefix = settings.prefix.trim_matches('/').to_owned();
        if !prefix.is_empty() {
            ObjectName::parse(&prefix).map_err(|why| refuse(format!("its prefix is no name: {why}")))?;
        }
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(5),
                base: 2.0,
            },
            max_retries: 4,
            retry_timeout: KEEP_TRYING,
        };
        // A whole answer takes as long as a backup is large.
        let options = ClientOptions::new()
            .with_timeout_disabled()
            .with_connect_timeout(CONNECT)
            .with_read_timeout(DEADLINE)
            .with_allow_http(endpoint.starts_with("http://"));
        let store = AmazonS3Builder::new()
            .with_endpoint(&endpoint)
            .with_bucket_name(&settings.bucket)
            .with_region(&settings.region)
            .with_access_key_id(&settings.access_key_id)
            .with_secret_access_key(settings.secret_access_key.expose_secret())
            .with_virtual_hosted_style_request(false)
            .with_client_options(options)
            .with_retry(retry)
            // Not every store knows how to remove many at once, and one is removed at a time here.
            .with_disable_bulk_delete(true)
            .build()
            .map_err(|why| refuse(why.to_string()))?;
        Ok(Self { store, endpoint, bucket: settings.bucket.clone(), prefix })
    }

    fn key(&self, name: &str) -> Path {
        if self.prefix.is_empty() { Path::from(name) } else { Path::from(format!("{}/{name}", self.prefix)) }
    }

    async fn put_in_parts(&self, key: &Path, first: Vec<u8>, mut content: Archive) -> Result<(), Broken> {
        let upload = self.store.put_multipart(key).await?;
        let mut parts = WriteMultipart::new_with_chunk_size(upload, PART);
        parts.write(&first);
        drop(first);
        let outcome = async {
            while let Some(piece) = content.next().await {
                parts.wait_for_capacity(PARTS_AT_ONCE).await?;
                parts.put(piece.map_err(Broken::Source)?);
            }
            Ok(())
        };
        match outcome.await {
            Ok(()) => Ok(parts.finish().await.map(drop)?),
            Err(broken) => {
                // What stays behind if this fails is removed by the bucket's rule for uploads that were broken off.
                let _ = parts.abort().await;
                Err(broken)
            }
        }
    }
}

/// Why nothing was kept.
enum Broken {
    /// What was to be kept did not come to its end.
    Source(std::io::Error),
    Store(object_store::Error),
}

impl From<object_store::Error> for Broken {
    fn from(error: object_store::Error) -> Self {
        Self::Store(error)
    }
}

#[async_trait]
impl Storage for S3Storage {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn place(&self, name: &ObjectName) -> String {
        format!("{}/{}/{}", self.endpoint, self.bucket, self.key(name.as_str()))
    }

    async fn put(&self, name: &ObjectName, mut content: Archive) -> Result<(), ProviderError> {
        let what = || format!("keep {}", self.place(name));
        let key = self.key(name.as_str());
        let mut first = Vec::new();
        while first.len() < PART {
            match content.next().await {
                Some(piece) => {
                    first.extend_from_slice(&piece.map_err(|why| ProviderError::unavailable(what(), why))?);
                }
                None => {
                    let put = self.store.put(&key, PutPayload::from(first)).await;
                    return put.map(drop).map_err(|error| told(what(), error));
                }
            }
        }
        self.put_in_parts(&key, first, content).await.map_err(|broken| match broken {
            Broken::Source(why) => ProviderError::unavailable(what(), why),
            Broken::Store(error) => told(what(), error),
        })
    }

    async fn get(&self, name: &ObjectName) -> Result<Archive, ProviderError> {
        let what = format!("read {}", self.place(name));
        let found = self.store.get(&self.key(name.as_str())).await.map_err(|error| told(what, error))?;
        let (sender, archive) = Archive::fed();
        let mut stream = found.into_stream();
        tokio::spawn(async move {
            loop {
                let piece = match stream.try_next().await {
                    Ok(None) => return,
                    Ok(Some(piece)) => Ok(piece),
                    Err(error) => Err(std::io::Error::other(error.to_string())),
                };
                let is_over = piece.is_err();
                if sender.send(piece).await.is_err() || is_over {
                    return;
                }
            }
        });
        Ok(archive)
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), ProviderError> {
        match self.store.delete(&self.key(name.as_str())).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(told(format!("remove {}", self.place(name)), error)),
        }
    }

    async fn list(&self) -> Result<Vec<ObjectName>, ProviderError> {
        let prefix = (!self.prefix.is_empty()).then(|| Path::from(self.prefix.as_str()));
        let all: Vec<_> = self
            .store
            .list(prefix.as_ref())
            .try_collect()
            .await
            .map_err(|error| told(format!("list {}/{}", self.endpoint, self.bucket), error))?;
        let ours = |key: &Path| {
            let key = key.as_ref();
            let below = if self.prefix.is_empty() { key } else { key.strip_prefix(&self.prefix)?.strip_prefix('/')? };
            ObjectName::parse(below).ok()
        };
        Ok(all.iter().filter_map(|found| ours(&found.location)).collect())
    }

    async fn check(&self) -> Vec<Check> {
        let probe = self.key("probe");
        let tried = async {
            self.store.put(&probe, PutPayload::from_static(b"backups are kept here")).await?;
            self.store.delete(&probe).await
        };
        let name = "object store for backups".to_owned();
        let place = format!("{}/{}", self.endpoint, self.bucket);
        vec![match tried.await {
            Ok(()) => {
                Check { name, verdict: Verdict::Ok, found: format!("{place} can be written to"), advice: String::new() }
            }
            Err(error) => {
                let advice =
                    "see that the bucket exists, and that the keys in [backups] may put, get, list and delete there";
                let found = told(format!("write to {place}"), error).to_string();
                Check { name, verdict: Verdict::Fail, found, advice: advice.to_owned() }
            }
        }]
    }
}

/// What an answer means for the next try. Nothing in these errors is secret: requests are signed, keys are not sent.
fn told(what: String, error: object_store::Error) -> ProviderError {
    let next = "see that the bucket exists, and that the keys in [backups] may put, get, list and delete there";
    match error {
        object_store::Error::NotFound { path, .. } => ProviderError::not_found(format!("{path} in the object store")),
        object_store::Error::PermissionDenied { .. } => ProviderError::refused(what, "the keys may not do that", next),
        object_store::Error::Unauthenticated { .. } => {
            ProviderError::refused(what, "the keys are not known there", next)
        }
        other => ProviderError::unavailable(what, other),
    }
}
