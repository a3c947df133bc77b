use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use hyper::body::Body as _;

use crate::Body;

/// A request kept to be sent again, should the kept connection that it was sent on turn out to be
/// dead. Nearly all are thrown away unused, so that the headers lie in one buffer: the copy of a map
/// of them takes four times as long.
pub(crate) struct Spare {
    method: Method,
    target: Uri,
    fields: Vec<u8>,
}

impl Spare {
    /// A copy of what does no harm when it is done twice: idempotent, and without a body.
    pub(crate) fn of(request: &Request<Body>) -> Option<Self> {
        let idempotent = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        if !idempotent || !request.body().is_end_stream() {
            return None;
        }
        let fields = written(request.headers());
        Some(Self { method: request.method().clone(), target: request.uri().clone(), fields })
    }

    pub(crate) fn into_request(self) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = self.method;
        *request.uri_mut() = self.target;
        *request.headers_mut() = read(self.fields.into());
        request
    }
}

/// One after the other: name, line end, value, line end. Neither can have a line end in it.
fn written(headers: &HeaderMap) -> Vec<u8> {
    let lengths = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 2);
    let mut fields = Vec::with_capacity(lengths.sum());
    for (name, value) in headers {
        fields.extend_from_slice(name.as_ref());
        fields.push(b'\n');
        fields.extend_from_slice(value.as_bytes());
        fields.push(b'\n');
    }
    fields
}

fn read(fields: Bytes) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut lines = fields.split(|byte| *byte == b'\n');
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        let value = HeaderValue::from_maybe_shared(fields.slice_ref(value));
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), value) {
            headers.append(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_spare_is_the_same_request() {
        let request = Request::get("/a?b")
            .header("host", "a")
            .header("x-many", "1")
            .header("x-empty", "")
            .header("x-many", "2")
            .header("x-bytes", HeaderValue::from_bytes(b"\xff \t;").unwrap())
            .body(Body::empty())
            .unwrap();
        let again = Spare::of(&request).unwrap().into_request();
        assert_eq!((again.method(), again.uri()), (request.method(), request.uri()));
        assert_eq!(again.headers(), request.headers());
    }

    #[test]
    fn what_could_do_harm_twice_has_no_spare() {
        for (method, body) in [("POST", ""), ("DELETE", ""), ("GET", "body")] {
            let body = if body.is_empty() { Body::empty() } else { Body::from(body) };
            let request = Request::builder().method(method).uri("/").body(body).unwrap();
            assert!(Spare::of(&request).is_none(), "{method}");
        }
    }
}
