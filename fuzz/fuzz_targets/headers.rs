//! Whatever headers come: what is left for the application says nothing of identity or origin, an
//! assertion or a password is read only where there is exactly one, and nothing that came through a
//! proxy or a browser passes for the application's own report.
#![no_main]

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use guard::fuzzing::{Assertion, assertion, basic, conceal, is_report, strip};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use libfuzzer_sys::fuzz_target;

/// Names that matter, so that the fuzzer need not guess them letter by letter.
const NAMES: [&str; 16] = [
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
    // Not 10, which ends a line.
    "via",
    "host",
    "origin",
    "referer",
    "via",
    "sec-fetch-site",
];

/// Reads what others refuse: missing padding, and bits that mean nothing.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fuzz_target!(|bytes: &[u8]| {
    let mut headers = headers(bytes);
    one_assertion(&headers);
    no_report_from_elsewhere(&headers);
    one_password(&headers);

    strip(&mut headers);
    for name in headers.keys() {
        let name = name.as_str().replace('_', "-");
        assert!(!["cf-", "x-forwarded", "x-spinoff-"].iter().any(|claim| name.starts_with(claim)), "{name}");
        assert!(!["forwarded", "x-real-ip"].contains(&name.as_str()), "{name}");
    }
    assert_eq!(assertion(&headers), Assertion::None);
    let once = headers.clone();
    strip(&mut headers);
    assert_eq!(headers, once, "a second time changes nothing");

    conceal(&mut headers, b"root");
    let left = headers.get_all("authorization").iter().find(|value| names_root(value.as_bytes()));
    assert_eq!(left, None);
});

/// One header a line: a byte for its name, or a byte and a name of its own with a colon.
fn headers(bytes: &[u8]) -> HeaderMap {
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
    headers
}

fn one_assertion(headers: &HeaderMap) {
    let sent = headers.get_all("cf-access-jwt-assertion").iter().count();
    match assertion(headers) {
        Assertion::One(_) if sent > 0 => assert_eq!(sent, 1),
        Assertion::One(token) => assert_eq!(cookies(headers, token.as_bytes()), 1),
        Assertion::None => assert_eq!(sent, 0),
        Assertion::Ambiguous => {}
    }
}

fn cookies(headers: &HeaderMap, token: &[u8]) -> usize {
    let wanted = [b"CF_Authorization=", token].concat();
    let pairs = headers.get_all("cookie").iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.filter(|pair| pair.trim_ascii() == wanted.as_slice()).count()
}

fn no_report_from_elsewhere(headers: &HeaderMap) {
    let target = Uri::from_static("/-/activity");
    assert!(!is_report("203.0.113.9:5".parse().unwrap(), &target, headers));
    if is_report("127.0.0.1:5".parse().unwrap(), &target, headers) {
        let hosts: Vec<_> = headers.get_all("host").iter().map(HeaderValue::as_bytes).collect();
        let [host] = hosts[..] else { panic!("{hosts:?}") };
        let name = host.rsplitn(2, |byte| *byte == b':').last().unwrap();
        assert!([&b"127.0.0.1"[..], b"[::1]", b"localhost"].contains(&name) || host == b"[::1]", "{host:?}");
        for name in ["cookie", "origin", "referer", "via", "x-forwarded-for", "forwarded", "sec-fetch-site"] {
            assert!(!headers.contains_key(name), "{name}");
        }
    }
}

fn one_password(headers: &HeaderMap) {
    let Some((user, password)) = basic(headers) else { return };
    assert!(!user.contains(&b':'));
    let sent: Vec<_> = headers.get_all("authorization").iter().map(HeaderValue::as_bytes).collect();
    let [sent] = sent[..] else { panic!("{sent:?}") };
    let pair = base64::engine::general_purpose::STANDARD.encode([&user[..], b":", &password].concat());
    assert!(sent.trim_ascii().ends_with(pair.as_bytes()));
}

/// Whether anybody could read credentials of the emergency door's user here.
fn names_root(value: &[u8]) -> bool {
    let Some((scheme, rest)) = value.trim_ascii().split_at_checked(5) else { return false };
    let reads_root = |encoded: &[u8]| LENIENT.decode(encoded).is_ok_and(|pair| pair.starts_with(b"root:"));
    scheme.eq_ignore_ascii_case(b"basic") && rest.starts_with(b" ") && reads_root(rest.trim_ascii())
}
