//! Signatures of version 4, computed again and compared.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::Refusal;
use crate::Request;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How old a request may be.
const OLDEST: SignedDuration = SignedDuration::from_mins(15);

/// What requests are signed with.
#[derive(Debug)]
pub(super) struct Key {
    id: String,
    secret: String,
}

impl Key {
    pub(super) fn new(id: &str, secret: &str) -> Self {
        Self { id: id.to_owned(), secret: secret.to_owned() }
    }

    /// Whether a request was signed with this key, lately, and is as it was when it was signed.
    pub(super) fn check(&self, request: &Request, now: Timestamp) -> Result<(), Refusal> {
        let forbidden = |code| Refusal(StatusCode::FORBIDDEN, code);
        let said = Said::in_header(&header(request, "authorization")).ok_or_else(|| forbidden("AccessDenied"))?;
        if said.key_id != self.id {
            return Err(forbidden("InvalidAccessKeyId"));
        }
        let date = header(request, "x-amz-date");
        let at = moment(&date).ok_or_else(|| forbidden("AccessDenied"))?;
        if now.duration_since(at).abs() > OLDEST || !date.starts_with(&said.day) {
            return Err(forbidden("RequestTimeTooSkewed"));
        }
        let sum = header(request, "x-amz-content-sha256");
        if sum != hex::encode(digest(&SHA256, request.body())) {
            return Err(Refusal(StatusCode::BAD_REQUEST, "XAmzContentSHA256Mismatch"));
        }
        let scope = format!("{}/{}/s3/aws4_request", said.day, said.region);
        let canonical = hex::encode(digest(&SHA256, canonical(request, &said.headers, &sum).as_bytes()));
        let to_sign = [ALGORITHM, &date, &scope, &canonical].join("\n");
        let expected = hex::encode(self.sign(&said, &to_sign));
        let is_same = verify_slices_are_equal(expected.as_bytes(), said.signature.as_bytes()).is_ok();
        if is_same { Ok(()) } else { Err(forbidden("SignatureDoesNotMatch")) }
    }

    fn sign(&self, said: &Said, to_sign: &str) -> Vec<u8> {
        let steps = [said.day.as_str(), said.region.as_str(), "s3", "aws4_request", to_sign];
        steps.into_iter().fold(format!("AWS4{}", self.secret).into_bytes(), |key, text| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes()).as_ref().to_vec()
        })
    }
}

/// What the header says.
struct Said {
    key_id: String,
    day: String,
    region: String,
    headers: Vec<String>,
    signature: String,
}

impl Said {
    fn in_header(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.strip_prefix(ALGORITHM)?.split(',').map(str::trim).collect();
        let part = |name: &str| parts.iter().find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let scope: Vec<&str> = part("Credential")?.split('/').collect();
        let [key_id, day, region, "s3", "aws4_request"] = scope.as_slice() else { return None };
        let headers: Vec<String> = part("SignedHeaders")?.split(';').map(str::to_owned).collect();
        // Without these, a request could be sent again as another one.
        let needed = ["host", "x-amz-content-sha256", "x-amz-date"];
        needed.iter().all(|name| headers.iter().any(|found| found == name)).then(|| Self {
            key_id: (*key_id).to_owned(),
            day: (*day).to_owned(),
            region: (*region).to_owned(),
            headers,
            signature: part("Signature").unwrap_or_default().to_owned(),
        })
    }
}

fn canonical(request: &Request, headers: &[String], sum: &str) -> String {
    let mut query: Vec<String> = request.uri().query().unwrap_or_default().split('&').map(str::to_owned).collect();
    query.retain(|pair| !pair.is_empty());
    for pair in &mut query {
        if !pair.contains('=') {
            pair.push('=');
        }
    }
    query.sort();
    let lines: String = headers.iter().map(|name| format!("{name}:{}\n", header(request, name).trim())).collect();
    let (method, path) = (request.method().as_str(), request.uri().path());
    [method, path, &query.join("&"), &lines, &headers.join(";"), sum].join("\n")
}

fn header(request: &Request, name: &str) -> String {
    let value = request.headers().get(name).and_then(|value| value.to_str().ok());
    // In HTTP/2 the host is part of the address.
    let host = || request.uri().authority().filter(|_| name == "host").map(http::uri::Authority::as_str);
    value.or_else(host).unwrap_or_default().to_owned()
}

/// Reads `20261124T120000Z`.
fn moment(text: &str) -> Option<Timestamp> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (year, month, day) = (day.get(..4)?, day.get(4..6)?, day.get(6..8)?);
    let (hour, minute, second) = (time.get(..2)?, time.get(2..4)?, time.get(4..6)?);
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}
