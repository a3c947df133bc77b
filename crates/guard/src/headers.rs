//! What a request says about identity and origin: read from the one place where it counts,
//! removed from every place where it could deceive the application.

use std::net::{IpAddr, SocketAddr};

use access::cookies::pairs;
use access::protocol::{
    ASSERTION, ASSERTION_COOKIE, FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PROTO, USER, USER_ID, strip_claims,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::cookies;
use crate::peers::{Peer, TrustedProxies};

/// What a request brings to prove who is asking.
#[derive(Debug, PartialEq, Eq)]
pub enum Assertion<'r> {
    /// Nothing.
    None,
    /// One, of which nothing is known yet.
    One(&'r str),
    /// Two values, or one that is no text: whoever sends that does not mean well.
    Ambiguous,
}

/// Where a request came from, as far as that is known.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) client: IpAddr,
    pub(crate) proto: &'static str,
}

/// Finds the assertion: in the header, else in the cookie. A header is never passed over in favour
/// of the cookie, whatever is in it.
pub(crate) fn assertion(headers: &HeaderMap) -> Assertion<'_> {
    let mut values = headers.get_all(ASSERTION).into_iter();
    match (values.next(), values.next()) {
        (None, _) => cookie_assertion(headers),
        (Some(value), None) => value.to_str().map_or(Assertion::Ambiguous, Assertion::One),
        (Some(_), Some(_)) => Assertion::Ambiguous,
    }
}

/// The origin of a request. Only a trusted proxy is believed when it names another address; of those
/// it names, the last that is no trusted proxy itself, since what stands before that was said by a
/// stranger. Otherwise the peer is the client, and the scheme is the issuer's, since both stand before
/// the same public hostname.
pub(crate) fn origin(headers: &HeaderMap, peer: Peer, trusted: &TrustedProxies, issuer: &str) -> Origin {
    let by_issuer = if issuer.starts_with("https:") { "https" } else { "http" };
    if !peer.is_trusted {
        return Origin { client: peer.address.ip(), proto: by_issuer };
    }
    let proto = match backwards(headers, &FORWARDED_PROTO).next() {
        Some("https") => "https",
        Some("http") => "http",
        _ => by_issuer,
    };
    let mut client = peer.address.ip();
    for hop in backwards(headers, &FORWARDED_FOR) {
        // Behind something unreadable there is nobody to be named.
        let Some(address) = address(hop) else { break };
        client = address;
        if !trusted.contains(address) {
            break;
        }
    }
    Origin { client, proto }
}

/// The elements of a header to which every hop adds one, the last first.
fn backwards<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let texts = headers.get_all(name).iter().rev().map(|value| value.to_str().unwrap_or_default());
    texts.flat_map(|text| text.rsplit(',')).map(str::trim)
}

/// An address, which some proxies give with its port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    text.parse::<IpAddr>().or_else(|_| with_port()).ok().map(|address| address.to_canonical())
}

/// Removes everything by which a client could pose as somebody else or as the edge.
pub(crate) fn strip(headers: &mut HeaderMap) {
    strip_claims(headers);
    cookies::strip_request(headers);
}

/// Tells the application where the request came from.
pub(crate) fn set_origin(headers: &mut HeaderMap, origin: &Origin, host: HeaderValue) {
    if let Ok(client) = HeaderValue::from_str(&origin.client.to_string()) {
        headers.insert(FORWARDED_FOR, client);
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(origin.proto));
    headers.insert(FORWARDED_HOST, host);
}

/// Tells the application who is asking.
pub(crate) fn set_user(headers: &mut HeaderMap, user: &str, subject: &str) {
    // An address may have letters beyond ASCII: they travel as the bytes they are.
    if let Ok(user) = HeaderValue::from_bytes(user.as_bytes()) {
        headers.insert(USER, user);
    }
    if let Ok(subject) = HeaderValue::from_str(subject)
        && !subject.is_empty()
    {
        headers.insert(USER_ID, subject);
    }
}

fn cookie_assertion(headers: &HeaderMap) -> Assertion<'_> {
    let mut found = Assertion::None;
    for pair in pairs(headers) {
        let Some(value) = pair.strip_prefix(ASSERTION_COOKIE.as_bytes()).and_then(|rest| rest.strip_prefix(b"="))
        else {
            continue;
        };
        found = match (found, std::str::from_utf8(value)) {
            (Assertion::None, Ok(value)) => Assertion::One(value),
            _ => return Assertion::Ambiguous,
        };
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use http::header::COOKIE;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_header_counts_before_the_cookie_and_two_of_either_are_ambiguous() {
        for (pairs, expected) in [
            (vec![], Assertion::None),
            (vec![("cf-access-jwt-assertion", "a")], Assertion::One("a")),
            (vec![("cookie", "x=1; CF_Authorization=b; y=2")], Assertion::One("b")),
            (vec![("cf-access-jwt-assertion", "a"), ("cookie", "CF_Authorization=b")], Assertion::One("a")),
            (vec![("cf-access-jwt-assertion", ""), ("cookie", "CF_Authorization=b")], Assertion::One("")),
            (vec![("cf-access-jwt-assertion", "a"), ("cf-access-jwt-assertion", "a")], Assertion::Ambiguous),
            (vec![("cookie", "CF_Authorization=b; CF_Authorization=c")], Assertion::Ambiguous),
            (vec![("cookie", "CF_Authorization=b"), ("cookie", "CF_Authorization=b")], Assertion::Ambiguous),
            (vec![("cookie", "cf_authorization=b; XCF_Authorization=c; CF_Authorization2=d")], Assertion::None),
            (vec![("cf_access_jwt_assertion", "a")], Assertion::None),
        ] {
            assert_eq!(assertion(&headers(&pairs)), expected, "{pairs:?}");
        }
    }

    #[test]
    fn everything_that_could_be_spoofed_goes_and_the_rest_stays() {
        let mut map = headers(&[
            ("cf-access-jwt-assertion", "x"),
            ("cf-access-authenticated-user-email", "x"),
            ("cf_access_jwt_assertion", "x"),
            ("x-forwarded-for", "x"),
            ("x_forwarded_for", "x"),
            ("x-forwarded_user", "x"),
            ("x-forwarded-email", "x"),
            ("x-forwarded", "x"),
            ("forwarded", "x"),
            ("x-real-ip", "x"),
            ("x_real_ip", "x"),
            ("x-spinoff-user", "x"),
            ("x_spinoff_user_id", "x"),
            ("cf-connecting-ip", "x"),
            ("cf-ipcountry", "x"),
            ("x-original-url", "x"),
            ("authorization", "Bearer app"),
            ("x-requested-with", "y"),
            ("cookie", "a=1;CF_Authorization=t ; b=2; cf_appsession=z"),
            ("cookie", "CF_Authorization=t"),
            ("cookie", "c=\"3\""),
        ]);
        strip(&mut map);
        let mut left: Vec<String> = map.keys().map(ToString::to_string).collect();
        left.sort();
        assert_eq!(left, ["authorization", "cookie", "x-requested-with"]);
        let cookies: Vec<&HeaderValue> = map.get_all(COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; b=2; c=\"3\""]);
    }

    #[test]
    fn only_a_trusted_proxy_names_another_client() {
        let issuer = "http://localhost:8080";
        let of = |said: &HeaderMap, trusted: &TrustedProxies, peer: &str, issuer: &str| {
            let origin = origin(said, trusted.peer(peer.parse().unwrap()), trusted, issuer);
            (origin.client.to_string(), origin.proto)
        };
        let here = TrustedProxies::default();
        let said = headers(&[("x-forwarded-for", "6.6.6.6, 1.2.3.4"), ("x-forwarded-proto", "https")]);
        for peer in ["127.0.0.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
            assert_eq!(of(&said, &here, peer, issuer), ("1.2.3.4".into(), "https"), "{peer}");
        }
        for peer in ["10.0.0.9:5", "[::ffff:10.0.0.9]:5"] {
            assert_eq!(of(&said, &here, peer, issuer), ("10.0.0.9".into(), "http"), "{peer}");
        }
        let odd = headers(&[("x-forwarded-for", "nonsense"), ("x-forwarded-proto", "javascript")]);
        assert_eq!(of(&odd, &here, "[::1]:5", "https://issuer"), ("::1".into(), "https"));

        let proxies = TrustedProxies::parse(&["10.0.0.0/8".into(), "::1".into()]).unwrap();
        for (lines, client) in [
            (&["1.2.3.4"][..], "1.2.3.4"),
            (&["6.6.6.6, 1.2.3.4, 10.1.1.1, ::1"], "1.2.3.4"),
            (&["6.6.6.6, 1.2.3.4", "10.1.1.1"], "1.2.3.4"),
            (&["10.2.2.2, 10.1.1.1"], "10.2.2.2"),
            (&["1.2.3.4, nonsense, 10.1.1.1"], "10.1.1.1"),
            (&["::ffff:1.2.3.4"], "1.2.3.4"),
            (&["1.2.3.4:5678, 10.1.1.1:80"], "1.2.3.4"),
            (&["[2001:db8::1]:5678"], "2001:db8::1"),
            (&["6.6.6.6,"], "10.0.0.9"),
            (&[], "10.0.0.9"),
        ] {
            let said: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            assert_eq!(of(&headers(&said), &proxies, "10.0.0.9:5", issuer).0, client, "{lines:?}");
        }
        assert_eq!(of(&said, &proxies, "127.0.0.1:5", issuer), ("127.0.0.1".into(), "http"), "no longer trusted");
    }
}
