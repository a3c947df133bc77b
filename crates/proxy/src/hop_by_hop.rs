//! Headers that are about one connection and end with it (RFC 9110, 7.6.1).

use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

static ALWAYS: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Naming one of these in `Connection` would change what the message *is*, so it is not obeyed.
static NEVER_BY_NAME: [HeaderName; 2] = [HOST, CONTENT_LENGTH];

/// What says where a message goes and where it ends comes before its body, or too late.
static OF_HEADS: [HeaderName; 4] = [HOST, CONTENT_LENGTH, TRAILER, EXPECT];

/// What `Connection` usually says. None of it names a header that is not removed anyway.
const USUAL: [&str; 4] = ["keep-alive", "close", "upgrade", "te"];

/// Removes the hop's own headers and those that `Connection` names.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = tokens(headers, &CONNECTION)
        .filter(|name| !USUAL.iter().any(|usual| name.eq_ignore_ascii_case(usual)))
        .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
        .filter(|name| !NEVER_BY_NAME.contains(name))
        .collect();
    for name in named.iter().chain(&ALWAYS) {
        headers.remove(name);
    }
}

/// Takes fields out of a request's trailers, or out of what it announces of them: those that say what
/// the message is, or concern one hop, and those that are `barred`.
#[derive(Clone, Copy)]
pub(crate) struct TrailerSieve {
    pub(crate) barred: fn(&HeaderName) -> bool,
}

impl TrailerSieve {
    /// Leaves what may come after a body.
    pub(crate) fn sift(self, trailers: &mut HeaderMap) {
        let gone: Vec<HeaderName> = trailers.keys().filter(|name| self.takes(name)).cloned().collect();
        for name in gone {
            trailers.remove(name);
        }
    }

    /// The same for the names in `Trailer`.
    pub(crate) fn sift_announced(self, headers: &mut HeaderMap) {
        if !headers.contains_key(TRAILER) {
            return;
        }
        let left: Vec<String> = tokens(headers, &TRAILER)
            .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
            .filter(|name| !self.takes(name))
            .map(|name| name.to_string())
            .collect();
        headers.remove(TRAILER);
        if let (false, Ok(left)) = (left.is_empty(), HeaderValue::try_from(left.join(", "))) {
            headers.insert(TRAILER, left);
        }
    }

    fn takes(self, name: &HeaderName) -> bool {
        ALWAYS.iter().chain(&OF_HEADS).any(|other| is_like(name, other)) || (self.barred)(name)
    }
}

/// Whether two names are one to programs that get their headers as variables.
fn is_like(name: &HeaderName, other: &HeaderName) -> bool {
    let (name, other) = (name.as_str().as_bytes(), other.as_str().as_bytes());
    let mut pairs = name.iter().zip(other);
    name.len() == other.len() && pairs.all(|(byte, wanted)| byte == wanted || (*byte, *wanted) == (b'_', b'-'))
}

/// Whether the sender of a request accepts trailers.
pub(crate) fn accepts_trailers(headers: &HeaderMap) -> bool {
    has_token(headers, &TE, "trailers")
}

/// Asks the next hop for trailers in the client's stead.
pub(crate) fn ask_for_trailers(headers: &mut HeaderMap) {
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.append(CONNECTION, HeaderValue::from_static("te"));
}

/// Whether a comma-separated header has this element, letter case aside.
pub(crate) fn has_token(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    tokens(headers, name).any(|token| token.eq_ignore_ascii_case(wanted))
}

fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn stripped(pairs: &[(&'static str, &'static str)]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        strip(&mut headers);
        let mut left: Vec<String> = headers.keys().map(ToString::to_string).collect();
        left.sort();
        left
    }

    #[test]
    fn the_hop_keeps_its_own_headers() {
        let left = stripped(&[
            ("connection", "close, X-One"),
            ("connection", "x-two"),
            ("keep-alive", "timeout=5"),
            ("proxy-authorization", "Basic x"),
            ("te", "gzip"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("x-three", "3"),
        ]);
        assert_eq!(left, ["x-three"]);
    }

    #[test]
    fn trailers_are_sifted_as_they_are_announced() {
        let sieve = TrailerSieve { barred: |name| name == "x-who" };
        let fields = ["x-sum", "x-who", "host", "content_length", "transfer-encoding", "te", "trailer", "keep_alive"];
        let mut trailers: HeaderMap =
            fields.map(|name| (name.parse().unwrap(), HeaderValue::from_static("1"))).into_iter().collect();
        sieve.sift(&mut trailers);
        assert_eq!(trailers.keys().collect::<Vec<_>>(), ["x-sum"]);

        for (announced, left) in [
            (&["X-Who, X-Sum", "no name, content-length,, x-more"][..], Some("x-sum, x-more")),
            (&["x-sum"], Some("x-sum")),
            (&["X-WHO"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in announced {
                headers.append(TRAILER, HeaderValue::from_static(line));
            }
            sieve.sift_announced(&mut headers);
            let found: Vec<_> = headers.get_all(TRAILER).iter().map(|value| value.to_str().unwrap()).collect();
            assert_eq!(found, left.into_iter().collect::<Vec<_>>(), "{announced:?}");
        }
    }

    #[test]
    fn what_the_message_is_cannot_be_taken_by_name() {
        let left = stripped(&[("connection", "host, content-length"), ("host", "a"), ("content-length", "5")]);
        assert_eq!(left, ["content-length", "host"]);
    }
}
