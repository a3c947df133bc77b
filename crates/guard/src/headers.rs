//! What a request says about identity and origin: read from the one place where it counts,
//! removed from every place where it could deceive the application.

use std::net::{IpAddr, SocketAddr};

use access::protocol::{
    ASSERTION, ASSERTION_COOKIE, FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PROTO, USER, USER_ID, is_claim,
};
use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The platform's cookies: they open this instance's door, so the application never sees them.
const PLATFORM_COOKIES: [&str; 6] =
    [ASSERTION_COOKIE, "CF_AppSession", "CF_Session", "CF_Binding", "spinoff_sign_in", "__Host-spinoff_sign_in"];
/// The cookies of the emergency door, by plain HTTP and by HTTPS.
pub(crate) const EMERGENCY_COOKIES: [&str; 2] = ["spinoff_emergency", "__Host-spinoff_emergency"];

/// What a request brings to prove who is asking.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Assertion<'r> {
    None,
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

/// The origin of a request. Only a peer on this machine, the built-in edge, is believed when it
/// names another: nobody else reaches the loopback address from outside. Otherwise the peer is the
/// client, and the scheme is the issuer's, since both stand before the same public hostname.
pub(crate) fn origin(headers: &HeaderMap, peer: SocketAddr, issuer: &str) -> Origin {
    let by_issuer = if issuer.starts_with("https:") { "https" } else { "http" };
    if !peer.ip().is_loopback() {
        return Origin { client: peer.ip(), proto: by_issuer };
    }
    let last =
        |name: &HeaderName| headers.get_all(name).iter().next_back()?.to_str().ok()?.rsplit(',').next().map(str::trim);
    let proto = match last(&FORWARDED_PROTO) {
        Some("https") => "https",
        Some("http") => "http",
        _ => by_issuer,
    };
    let client = last(&FORWARDED_FOR).and_then(|client| client.parse().ok()).unwrap_or(peer.ip());
    Origin { client, proto }
}

/// Removes everything by which a client could pose as somebody else or as the edge.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let claims: Vec<HeaderName> = headers.keys().filter(|name| is_claim(name)).cloned().collect();
    for name in claims {
        headers.remove(name);
    }
    strip_platform_cookies(headers);
}

/// Whether a cookie, as `name=value`, has one of the platform's names.
pub(crate) fn is_platforms(pair: &[u8]) -> bool {
    let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
    PLATFORM_COOKIES.iter().chain(&EMERGENCY_COOKIES).any(|cookie| name.eq_ignore_ascii_case(cookie.as_bytes()))
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
    for pair in headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';')) {
        let pair = pair.trim_ascii();
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

fn strip_platform_cookies(headers: &mut HeaderMap) {
    let has_ours = |value: &HeaderValue| value.as_bytes().split(|byte| *byte == b';').any(is_platforms);
    if !headers.get_all(COOKIE).iter().any(has_ours) {
        return;
    }
    let kept: Vec<HeaderValue> = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| {
            let pairs: Vec<&[u8]> = value
                .as_bytes()
                .split(|byte| *byte == b';')
                .map(<[u8]>::trim_ascii)
                .filter(|pair| !pair.is_empty() && !is_platforms(pair))
                .collect();
            HeaderValue::from_bytes(&pairs.join(&b"; "[..])).ok().filter(|value| !value.is_empty())
        })
        .collect();
    headers.remove(COOKIE);
    for value in kept {
        headers.append(COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
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
        assert_eq!(cookies, ["a=1; b=2", "c=\"3\""]);
    }

    #[test]
    fn only_a_peer_on_this_machine_names_another_client() {
        let said = headers(&[("x-forwarded-for", "6.6.6.6, 1.2.3.4"), ("x-forwarded-proto", "https")]);
        let near = origin(&said, "127.0.0.1:5".parse().unwrap(), "http://localhost:8080");
        assert_eq!((near.client.to_string().as_str(), near.proto), ("1.2.3.4", "https"));
        let far = origin(&said, "10.0.0.9:5".parse().unwrap(), "http://localhost:8080");
        assert_eq!((far.client.to_string().as_str(), far.proto), ("10.0.0.9", "http"));
        let odd = headers(&[("x-forwarded-for", "nonsense"), ("x-forwarded-proto", "javascript")]);
        let odd = origin(&odd, "[::1]:5".parse().unwrap(), "https://issuer");
        assert_eq!((odd.client.to_string().as_str(), odd.proto), ("::1", "https"));
    }
}
