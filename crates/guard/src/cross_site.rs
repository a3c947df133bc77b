//! Requests that pages of other hostnames have browsers send. Neighbours of a workspace, such as the app
//! that it makes or another customer's, are of one site with it, so browsers add the visitor's cookies
//! to what their pages send here. What such a page asks for, the visitor did not.

use http::header::{HOST, ORIGIN, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a page of another hostname sends this. Programs don't say where they come from, and no page
/// is behind them.
pub(crate) fn is_from_elsewhere<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    match only(headers, &SEC_FETCH_SITE) {
        // The browser has compared the two, and knows better than we do what the page's address is:
        // pages can have `null` for an origin, and proxies can change our name.
        Only(site) => site != "same-origin" && site != "none",
        Several => true,
        Nothing => match only(headers, &ORIGIN) {
            Nothing => false,
            Only(origin) => !headers.get(HOST).is_some_and(|host| is_at(origin, host)),
            Several => true,
        },
    }
}

/// Whether this does more than look: by its method, or by opening a way to do so.
pub(crate) fn acts<B>(request: &Request<B>) -> bool {
    !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
        || request.headers().contains_key(UPGRADE)
}

use Found::{Nothing, Only, Several};

enum Found<'h> {
    Nothing,
    Only(&'h HeaderValue),
    Several,
}

fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Found<'h> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Nothing,
        (Some(value), None) => Only(value),
        (Some(_), Some(_)) => Several,
    }
}

/// Whether an origin is at this host and port.
fn is_at(origin: &HeaderValue, host: &HeaderValue) -> bool {
    let (Ok(origin), Ok(host)) = (origin.to_str(), host.to_str()) else { return false };
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let usual = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare = |authority: &str| authority.strip_suffix(usual).unwrap_or(authority).to_ascii_lowercase();
    bare(authority) == bare(host)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn elsewhere(host: &str, lines: &[(&str, &str)]) -> bool {
        let mut request = Request::post("/").header("host", host);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        is_from_elsewhere(&request.body(()).unwrap())
    }

    #[test]
    fn what_the_browser_says_of_the_site_counts_before_the_origin() {
        for (site, other) in [
            ("same-origin", false),
            ("none", false),
            ("same-site", true),
            ("cross-site", true),
            ("", true),
            ("x", true),
        ] {
            for origin in ["http://acme.test", "null", "http://acme-app.test"] {
                let lines = [("sec-fetch-site", site), ("origin", origin)];
                assert_eq!(elsewhere("acme.test", &lines), other, "{site} {origin}");
            }
            assert_eq!(elsewhere("acme.test", &[("sec-fetch-site", site)]), other, "{site}");
        }
        assert!(elsewhere("acme.test", &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")]));
    }

    #[test]
    fn an_origin_is_compared_with_the_host_and_its_port() {
        for (origin, host) in [
            ("http://acme.test", "acme.test"),
            ("https://ACME.test", "acme.TEST"),
            ("http://acme.test:8080", "acme.test:8080"),
            ("https://acme.test", "acme.test:443"),
            ("http://acme.test:80", "acme.test"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert!(!elsewhere(host, &[("origin", origin)]), "{origin} at {host}");
        }
        for (origin, host) in [
            ("null", "acme.test"),
            ("", "acme.test"),
            ("acme.test", "acme.test"),
            ("http://acme-app.test", "acme.test"),
            ("http://acme.test.evil.example", "acme.test"),
            ("http://acme.test:8081", "acme.test:8080"),
            ("http://acme.test", "acme.test:443"),
            ("http://acme.test, http://acme.test", "acme.test"),
            ("file://acme.test", "acme.test"),
            ("http://x@acme.test", "acme.test"),
        ] {
            assert!(elsewhere(host, &[("origin", origin)]), "{origin} at {host}");
        }
        assert!(elsewhere("acme.test", &[("origin", "http://acme.test"), ("origin", "http://acme.test")]));
        assert!(!elsewhere("acme.test", &[]), "a program");
    }
}
