//! HTTP/2's way to put a request, in the words of HTTP/1.1.

use http::header::{COOKIE, HOST};
use http::{HeaderMap, HeaderValue, Request, Uri, Version};

/// Separates cookies in one header.
const BETWEEN_COOKIES: &[u8] = b"; ";

/// HTTP/2 and absolute targets carry the host in the target, and HTTP/2 may send every cookie in a
/// header of its own (RFC 9113, 8.2.3). Programs look for one `Host` and one `Cookie`.
pub(crate) fn to_http1<B>(request: &mut Request<B>) {
    if !request.headers().contains_key(HOST)
        && let Some(host) = host(request.uri())
    {
        request.headers_mut().insert(HOST, host);
    }
    if request.version() == Version::HTTP_2 {
        join_cookies(request.headers_mut());
    }
}

/// Whether the target names a user beside the host, which no target of HTTP may (RFC 9110, 4.2.4).
pub(crate) fn has_user(target: &Uri) -> bool {
    target.authority().is_some_and(|authority| authority.as_str().contains('@'))
}

fn host(target: &Uri) -> Option<HeaderValue> {
    let authority = target.authority().filter(|_| !has_user(target))?;
    HeaderValue::from_str(authority.as_str()).ok()
}

fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() < 2 {
        return;
    }
    // Made of values and so one itself.
    if let Ok(joined) = HeaderValue::from_bytes(&cookies.join(BETWEEN_COOKIES)) {
        headers.insert(COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn translated(target: &str, version: Version, pairs: &[(&'static str, &'static str)]) -> Request<()> {
        let mut request = Request::builder().uri(target).version(version);
        for (name, value) in pairs {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap();
        to_http1(&mut request);
        request
    }

    #[test]
    fn the_target_names_the_host_unless_a_header_does() {
        for (target, pairs, expected) in [
            ("http://a.example:81/x", &[][..], Some("a.example:81")),
            ("http://a.example/x", &[("host", "b.example")], Some("b.example")),
            ("/x", &[], None),
            ("http://user@a.example/x", &[], None),
        ] {
            let request = translated(target, Version::HTTP_2, pairs);
            let host = request.headers().get(HOST).map(|host| host.to_str().unwrap());
            assert_eq!(host, expected, "{target} {pairs:?}");
        }
    }

    #[test]
    fn cookies_become_one_header_and_only_in_http_2() {
        let pairs = [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2; c=3")];
        let cookies = |version| {
            let request = translated("/", version, &pairs);
            request.headers().get_all(COOKIE).iter().map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(cookies(Version::HTTP_2), ["a=1; b=2; c=3"]);
        assert_eq!(cookies(Version::HTTP_11), ["a=1", "b=2; c=3"]);
    }
}
