//! Whatever cookies the app gives: a browser keeps none for another hostname, none that passes for a
//! sign-in, and below a prefix none for other paths; and what it sends back reaches the app as it was
//! given, without any of the workspace's.
#![no_main]

use std::sync::LazyLock;

use guard::fuzzing::{Door, Place, Way, strip_answer};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request};
use libfuzzer_sys::fuzz_target;

const HOST: HeaderValue = HeaderValue::from_static("acme.example");
const MARKS: [&str; 2] = ["yourapp.", "__Secure-yourapp."];
const PLATFORMS: [&str; 5] =
    ["cf_authorization", "cf_appsession", "spinoff_sign_in", "spinoff_emergency", "__host-spinoff_emergency"];

static DOOR: LazyLock<Door> = LazyLock::new(|| {
    let options = ["--issuer", "http://localhost:9", "--audience", "a", "--app-host", "acme-app.example"];
    Door::new(&[&options[..], &["--app-prefix", "/yourapp/"]].concat()).unwrap()
});

/// A cookie as browsers read it (RFC 6265, 5.2).
struct Kept {
    /// As it is sent back.
    pair: String,
    name: String,
    path: Option<String>,
    domain: Option<String>,
}

fuzz_target!(|bytes: &[u8]| {
    let given: HeaderMap = bytes
        .split(|byte| *byte == b'\n')
        .take(20)
        .filter_map(|line| Some((SET_COOKIE, HeaderValue::from_bytes(line).ok()?)))
        .collect();

    let mut by_application = given.clone();
    strip_answer(&mut by_application);
    kept(&by_application).iter().for_each(is_no_sign_in);

    let mut by_host = given.clone();
    DOOR.outward(Way::Host, &HOST, &mut by_host);
    for cookie in kept(&by_host) {
        is_no_sign_in(&cookie);
        assert_eq!(cookie.domain, None, "{}", cookie.pair);
    }

    let mut by_prefix = given.clone();
    DOOR.outward(Way::Prefix, &HOST, &mut by_prefix);
    let marked = kept(&by_prefix);
    for cookie in &marked {
        is_no_sign_in(cookie);
        assert_eq!(cookie.domain, None, "{}", cookie.pair);
        assert!(MARKS.iter().any(|mark| begins(&cookie.name, mark)), "{}", cookie.pair);
        let path = cookie.path.as_deref().unwrap_or_default();
        assert!(path == "/yourapp" || path.starts_with("/yourapp/"), "{path}");
    }
    comes_back(&marked, &kept(&given));
    only_marked_cookies_go_in(bytes);
});

/// What the browser keeps, each as the app gave it.
fn comes_back(marked: &[Kept], given: &[Kept]) {
    let sent = marked.iter().map(|cookie| cookie.pair.as_str()).chain(["workspace=secret"]).collect::<Vec<_>>();
    for pair in inside(&sent.join("; ")) {
        assert!(given.iter().any(|cookie| cookie.pair == pair), "{pair} was never given");
    }
}

fn only_marked_cookies_go_in(bytes: &[u8]) {
    let sent = text(bytes);
    let outside: Vec<&str> = sent.split(';').map(str::trim_ascii).collect();
    for pair in inside(&sent) {
        let is_of = |whole: &&str| {
            MARKS.iter().any(|mark| {
                let before = mark.strip_suffix(MARKS[0]).unwrap_or_default();
                begins(whole, mark)
                    && format!("{}{}", &whole[..before.len()], &whole[mark.len()..]).trim_ascii() == pair
            })
        };
        assert!(outside.iter().any(is_of), "{pair} goes in, and {outside:?} came");
    }
}

/// The cookies that the app gets to see of those that came.
fn inside(sent: &str) -> Vec<String> {
    let sent: Vec<u8> = sent.chars().map(|letter| u8::try_from(letter).unwrap()).collect();
    let Ok(sent) = HeaderValue::from_bytes(&sent) else { return Vec::new() };
    let request = Request::builder().uri("/yourapp/").header(COOKIE, sent).body(()).unwrap();
    let request = DOOR.inward(Place::App(Way::Prefix), request).unwrap();
    let values = request.headers().get_all(COOKIE).iter().map(|value| text(value.as_bytes()));
    let pairs = values.flat_map(|value| value.split(';').map(|pair| pair.trim_ascii().to_owned()).collect::<Vec<_>>());
    pairs.filter(|pair| !pair.is_empty()).collect()
}

fn kept(headers: &HeaderMap) -> Vec<Kept> {
    headers.get_all(SET_COOKIE).iter().map(|value| read(&text(value.as_bytes()))).collect()
}

/// Each byte as the character with its number, so that none is lost.
fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn read(text: &str) -> Kept {
    let mut parts = text.split(';');
    let pair = parts.next().unwrap_or_default();
    let (name, value) = pair.split_once('=').map_or(("", pair), |(name, value)| (name, value));
    let (name, value) = (name.trim_ascii(), value.trim_ascii());
    let (mut path, mut domain) = (None, None);
    for attribute in parts {
        let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        match name.trim_ascii().to_ascii_lowercase().as_str() {
            "path" => path = Some(value.trim_ascii().to_owned()),
            "domain" => domain = Some(value.trim_ascii().to_owned()),
            _ => {}
        }
    }
    let pair = if name.is_empty() { value.to_owned() } else { format!("{name}={value}") };
    Kept { pair, name: name.to_owned(), path, domain }
}

fn is_no_sign_in(cookie: &Kept) {
    let name = cookie.pair.split('=').next().unwrap_or_default().trim_ascii();
    assert!(!PLATFORMS.iter().any(|ours| name.eq_ignore_ascii_case(ours)), "{}", cookie.pair);
}

fn begins(text: &str, with: &str) -> bool {
    text.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with))
}
