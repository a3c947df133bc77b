//! A stateful object store that speaks S3's language, with the refusals of the real one.
//!
//! It keeps one bucket, checks each request's signature (version 4) and checksum, and lists page by page.
//!
//! # How it differs from the real one
//! - There is one bucket and one key, addressed by path. There are no versions, policies, redirects or conditions.
//! - A part may be of any size; the real one wants 5 MB of each but the last.
//! - It has as much room as it is told ([`S3::limit`]), and says `XMinioStorageFull` beyond that, as MinIO does.

mod signature;
mod uploads;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::{Method, StatusCode};
use world::Clock;

use crate::{Answer, Request, Simulator};
use signature::Key;
use uploads::Uploads;

/// So many keys are on one page of a list.
const PAGE: usize = 3;
/// A part and what goes with it.
const LONGEST_BODY: usize = 16 << 20;

/// See the module.
#[derive(Debug)]
pub struct S3 {
    bucket: String,
    key: Key,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    objects: BTreeMap<String, Bytes>,
    uploads: Uploads,
    limit: usize,
}

/// Why something was not done.
#[derive(Debug, Clone, Copy)]
struct Refusal(StatusCode, &'static str);

impl S3 {
    /// A store with one empty bucket and one key to it.
    pub fn new(bucket: &str, access_key_id: &str, secret_access_key: &str, clock: Clock) -> Self {
        let state = State { objects: BTreeMap::new(), uploads: Uploads::default(), limit: usize::MAX };
        Self {
            bucket: bucket.to_owned(),
            key: Key::new(access_key_id, secret_access_key),
            clock,
            state: Mutex::new(state),
        }
    }

    /// It has room for so many bytes from now on.
    pub fn limit(&self, bytes: usize) {
        self.state().limit = bytes;
    }

    /// What it keeps.
    pub fn objects(&self) -> BTreeMap<String, Bytes> {
        self.state().objects.clone()
    }

    /// Uploads that were begun, and neither completed nor given up.
    pub fn uploads_under_way(&self) -> usize {
        self.state().uploads.under_way()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, request: &Request) -> Result<Answer, Refusal> {
        self.key.check(request, self.clock.now())?;
        let asked = Asked::of(request);
        if asked.bucket != self.bucket {
            return Err(Refusal(StatusCode::NOT_FOUND, "NoSuchBucket"));
        }
        let mut state = self.state();
        let body = request.body();
        match (request.method(), asked.key.as_str()) {
            (&Method::GET, "") => Ok(xml(state.page(&asked))),
            (&Method::GET | &Method::HEAD, key) => {
                let found = state.objects.get(key).ok_or(Refusal(StatusCode::NOT_FOUND, "NoSuchKey"))?;
                Ok(with_tag(found.clone(), found))
            }
            (&Method::PUT, key) => match (asked.parameter("uploadId"), asked.parameter("partNumber")) {
                (Some(upload), Some(part)) => {
                    state.has_room(body.len())?;
                    let number = part.parse().map_err(|_| Refusal(StatusCode::BAD_REQUEST, "InvalidArgument"))?;
                    state.uploads.add(&upload, number, body.clone())?;
                    Ok(with_tag(Bytes::new(), body))
                }
                _ => {
                    state.has_room(body.len())?;
                    state.objects.insert(key.to_owned(), body.clone());
                    Ok(with_tag(Bytes::new(), body))
                }
            },
            (&Method::POST, key) => match asked.parameter("uploadId") {
                Some(upload) => {
                    let whole = state.uploads.complete(&upload, &String::from_utf8_lossy(body))?;
                    let answer = format!(
                        "<CompleteMultipartUploadResult><Key>{key}</Key><ETag>{}</ETag></CompleteMultipartUploadResult>",
                        tag(&whole)
                    );
                    state.objects.insert(key.to_owned(), whole);
                    Ok(xml(answer))
                }
                None if asked.parameter("uploads").is_some() => {
                    let upload = state.uploads.begin();
                    Ok(xml(format!(
                        "<InitiateMultipartUploadResult><Bucket>{}</Bucket><Key>{key}</Key><UploadId>{upload}</UploadId>\
                         </InitiateMultipartUploadResult>",
                        self.bucket
                    )))
                }
                None => Err(Refusal(StatusCode::NOT_IMPLEMENTED, "NotImplemented")),
            },
            (&Method::DELETE, key) => {
                match asked.parameter("uploadId") {
                    Some(upload) => state.uploads.give_up(&upload)?,
                    None => _ = state.objects.remove(key),
                }
                Ok(empty(StatusCode::NO_CONTENT))
            }
            _ => Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed")),
        }
    }
}

impl State {
    fn has_room(&self, bytes: usize) -> Result<(), Refusal> {
        let held: usize = self.objects.values().map(Bytes::len).sum();
        if held + self.uploads.bytes() + bytes > self.limit {
            return Err(Refusal(StatusCode::INSUFFICIENT_STORAGE, "XMinioStorageFull"));
        }
        Ok(())
    }

    fn page(&self, asked: &Asked) -> String {
        let prefix = asked.parameter("prefix").unwrap_or_default();
        let after = asked.parameter("continuation-token").unwrap_or_default();
        let matching = || self.objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after);
        let mut page = String::from("<ListBucketResult>");
        for (key, content) in matching().take(PAGE) {
            page += &format!(
                "<Contents><Key>{key}</Key><LastModified>2026-11-24T12:00:00.000Z</LastModified><ETag>{}</ETag>\
                 <Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                tag(content),
                content.len()
            );
        }
        let last = matching().nth(PAGE - 1).filter(|_| matching().count() > PAGE);
        page += &format!("<IsTruncated>{}</IsTruncated>", last.is_some());
        if let Some((key, _)) = last {
            page += &format!("<NextContinuationToken>{key}</NextContinuationToken>");
        }
        page + "</ListBucketResult>"
    }
}

/// What a request is about.
struct Asked {
    bucket: String,
    key: String,
    parameters: Vec<(String, String)>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let path = request.uri().path().trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let query = request.uri().query().unwrap_or_default();
        let parameters = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { bucket: bucket.to_owned(), key: key.to_owned(), parameters }
    }

    fn parameter(&self, name: &str) -> Option<String> {
        self.parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone())
    }
}

fn tag(content: &Bytes) -> String {
    format!("\"{}\"", hex::encode(&digest(&SHA256, content).as_ref()[..16]))
}

fn with_tag(body: Bytes, of: &Bytes) -> Answer {
    let mut answer = http::Response::new(body);
    let headers = answer.headers_mut();
    if let Ok(tag) = tag(of).parse() {
        headers.insert(http::header::ETAG, tag);
    }
    headers.insert(http::header::LAST_MODIFIED, http::HeaderValue::from_static("Tue, 24 Nov 2026 12:00:00 GMT"));
    answer
}

fn xml(text: String) -> Answer {
    http::Response::new(text.into())
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = http::Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

#[async_trait]
impl Simulator for S3 {
    fn operation(&self, request: &Request) -> String {
        let asked = Asked::of(request);
        let what = match (request.method(), asked.key.is_empty()) {
            (&Method::GET, true) => "ListObjectsV2",
            (&Method::GET, false) => "GetObject",
            (&Method::HEAD, _) => "HeadObject",
            (&Method::PUT, _) if asked.parameter("partNumber").is_some() => "UploadPart",
            (&Method::PUT, _) => "PutObject",
            (&Method::POST, _) if asked.parameter("uploads").is_some() => "CreateMultipartUpload",
            (&Method::POST, _) => "CompleteMultipartUpload",
            (&Method::DELETE, _) if asked.parameter("uploadId").is_some() => "AbortMultipartUpload",
            (&Method::DELETE, _) => "DeleteObject",
            _ => "Other",
        };
        what.to_owned()
    }

    async fn answer(&self, request: Request) -> Answer {
        self.done(&request).unwrap_or_else(|Refusal(status, code)| {
            let mut answer = xml(format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"));
            *answer.status_mut() = status;
            answer
        })
    }

    fn failure(&self, status: u16) -> Bytes {
        let code = if status == 503 { "SlowDown" } else { "InternalError" };
        format!("<Error><Code>{code}</Code><Message>rehearsed</Message></Error>").into()
    }

    fn longest_body(&self) -> usize {
        LONGEST_BODY
    }
}
