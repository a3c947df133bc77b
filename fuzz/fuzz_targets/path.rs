//! Whatever target comes: a request leads to one place by its very host and path, nothing below the
//! app's prefix can be read as a way out of it, and what goes in is the rest, byte for byte.
#![no_main]

use std::sync::LazyLock;

use guard::fuzzing::{Door, DotSegments, Place, Way};
use http::{HeaderValue, Request, Uri};
use libfuzzer_sys::fuzz_target;

const WORKSPACE: HeaderValue = HeaderValue::from_static("acme.example");
const APP: HeaderValue = HeaderValue::from_static("Acme-App.example:8080");
const PREFIX: &str = "/yourapp/";

static DOOR: LazyLock<Door> = LazyLock::new(|| {
    let options = ["--issuer", "http://localhost:9", "--audience", "a", "--app-host", "acme-app.example"];
    Door::new(&[&options[..], &["--app-prefix", PREFIX]].concat()).unwrap()
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(target) = std::str::from_utf8(bytes) else { return };
    let Ok(uri) = target.parse::<Uri>() else { return };
    assert_eq!(DOOR.place(&APP, &uri), Ok(Place::App(Way::Host)));
    let path = uri.path().to_owned();
    let expected = match path.strip_prefix(PREFIX) {
        _ if format!("{path}/") == PREFIX => Place::App(Way::BarePrefix),
        Some(_) => Place::App(Way::Prefix),
        None => Place::Workspace,
    };
    let place = match DOOR.place(&WORKSPACE, &uri) {
        Ok(place) => place,
        Err(DotSegments) => {
            let could_be_dots = path.contains('.') || path.to_ascii_lowercase().contains("%2e");
            assert!(expected == Place::App(Way::Prefix) && could_be_dots, "{target}");
            return;
        }
    };
    assert_eq!(place, expected, "{target}");
    if place == Place::App(Way::Prefix) {
        for read in readings(&path) {
            assert!(resolved(&read).starts_with(PREFIX), "{target} is read as {read}, which leads out");
        }
    }
    let whole = uri.path_and_query().map(|whole| whole.as_str().to_owned());
    let mut request = Request::new(());
    *request.uri_mut() = uri;
    let Some(inward) = DOOR.inward(place, request) else { panic!("{target} leads in and can't be put so") };
    let inner = inward.uri().path_and_query().map(|whole| whole.as_str().to_owned());
    let before = if place == Place::App(Way::Prefix) { PREFIX.trim_end_matches('/') } else { "" };
    assert_eq!(inner.map(|inner| format!("{before}{inner}")), whole);
});

/// A path as servers read it: some decode it, some take a backslash for a slash, some leave out what
/// stands behind a semicolon, and some do several of these.
fn readings(path: &str) -> Vec<String> {
    let mut readings = vec![path.to_owned()];
    for step in [decoded, |path: &str| path.replace('\\', "/"), without_parameters] {
        let more: Vec<String> = readings.iter().map(|read| step(read)).collect();
        readings.extend(more);
    }
    readings
}

fn decoded(path: &str) -> String {
    let (bytes, mut decoded, mut at) = (path.as_bytes(), Vec::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        let digits = path.get(at + 1..at + 3).filter(|_| byte == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(code) => (decoded.push(code), at += 3).1,
            None => (decoded.push(byte), at += 1).1,
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn without_parameters(path: &str) -> String {
    let names: Vec<&str> = path.split('/').map(|segment| segment.split(';').next().unwrap_or_default()).collect();
    names.join("/")
}

/// A path without its dot segments (RFC 3986, 5.2.4).
fn resolved(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            name => kept.push(name),
        }
    }
    format!("/{}", kept.join("/"))
}
