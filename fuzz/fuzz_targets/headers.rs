//! Whatever headers come: what is left for the application says nothing of identity or origin, and
//! an assertion is read only where there is exactly one.
#![no_main]

use guard::fuzzing::{Found, found_assertion, strip};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;

/// Names that matter, so that the fuzzer need not guess them letter by letter.
const NAMES: [&str; 10] = [
    "cookie",
    "cf-access-jwt-assertion",
    "cf_access_jwt_assertion",
    "x-forwarded-for",
    "x_spinoff_user",
    "x-spinoff-user-id",
    "forwarded",
    "connection",
    "authorization",
    "x-real-ip",
];

fuzz_target!(|bytes: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(40) {
        let Some((&name, value)) = line.split_first() else { continue };
        let (name, value) = match NAMES.get(usize::from(name)) {
            Some(known) => (HeaderName::from_static(known), value),
            None => {
                let colon = value.iter().position(|byte| *byte == b':').unwrap_or(value.len());
                let Ok(name) = HeaderName::from_bytes(&value[..colon]) else { continue };
                (name, value.get(colon + 1..).unwrap_or_default())
            }
        };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    let sent = headers.get_all("cf-access-jwt-assertion").iter().count();
    match found_assertion(&headers) {
        Found::One(_) if sent > 0 => assert_eq!(sent, 1),
        Found::One(token) => assert_eq!(cookies(&headers, token.as_bytes()), 1),
        Found::None => assert_eq!(sent, 0),
        Found::Ambiguous => {}
    }
    strip(&mut headers);
    for name in headers.keys() {
        let name = name.as_str().replace('_', "-");
        assert!(!["cf-", "x-forwarded", "x-spinoff-"].iter().any(|claim| name.starts_with(claim)), "{name}");
        assert!(!["forwarded", "x-real-ip"].contains(&name.as_str()), "{name}");
    }
    assert!(matches!(found_assertion(&headers), Found::None));
    let once = headers.clone();
    strip(&mut headers);
    assert_eq!(headers, once, "a second time changes nothing");
});

fn cookies(headers: &HeaderMap, token: &[u8]) -> usize {
    let wanted = [b"CF_Authorization=", token].concat();
    let pairs = headers.get_all("cookie").iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.filter(|pair| pair.trim_ascii() == wanted.as_slice()).count()
}
