//! Whether a person opens a page. A browser asks for one in the same way when a tab that was left
//! open loads itself anew, so what it says of the reason decides (Fetch Metadata, W3C).
//!
//! | the browser says | it is | use |
//! |---|---|---|
//! | `User: ?1` | typed, a bookmark, a link or form in use, back, the reload button, WebDriver | yes |
//! | no `User`, by one that has it | meta refresh, `location.reload()` or `.href` on a timer | no |
//! | `Dest: iframe` and the like | a part of a page: nobody opened it, and it may reload itself | no |
//! | `Dest: empty` | a page through a service worker, which hides why it was asked for | no |
//! | no `User`, by WebKit, which has none | whatever does not look like a reload | yes |
//! | nothing, since the address is plain http | whatever asks for HTML and no more looks like a reload | yes |
//!
//! A page looks like a reload when it was asked for from itself (`Referer`), or past the cache:
//! `location.reload()` and meta refresh do both, but a page may forbid its `Referer`. The reload
//! button does the latter too; without `User` it can't be told from them, and idle must cost nothing.

use http::header::{ACCEPT, CACHE_CONTROL, HOST, REFERER};
use http::{HeaderMap, Uri};

use super::rules::Asked;
use super::{agent, text};

/// Whether a browser's GET opens a page for a person.
pub(super) fn is_opened(asked: &Asked<'_>) -> bool {
    let headers = asked.headers;
    match text(headers, "sec-fetch-mode") {
        "navigate" if !matches!(text(headers, "sec-fetch-dest"), "document" | "") => false,
        "navigate" if text(headers, "sec-fetch-user") == "?1" => true,
        "navigate" => is_webkit(headers) && !looks_like_a_reload(asked),
        // Only a page navigation asks for HTML before anything else.
        "" => text(headers, ACCEPT.as_str()).starts_with("text/html") && !looks_like_a_reload(asked),
        _ => false,
    }
}

/// Safari, and everything on an iPhone. Those that descend from it name it too, and themselves.
fn is_webkit(headers: &HeaderMap) -> bool {
    let agent = agent(headers);
    agent.contains("applewebkit/") && !agent.contains("chrome/") && !agent.contains("chromium/")
}

fn looks_like_a_reload(asked: &Asked<'_>) -> bool {
    let cache = text(asked.headers, CACHE_CONTROL.as_str());
    cache.contains("max-age=0") || cache.contains("no-cache") || is_from_itself(asked)
}

fn is_from_itself(asked: &Asked<'_>) -> bool {
    let Ok(from) = text(asked.headers, REFERER.as_str()).parse::<Uri>() else { return false };
    let host = text(asked.headers, HOST.as_str());
    from.path_and_query() == asked.target.path_and_query()
        && from.authority().is_some_and(|from| from.as_str().eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use http::{HeaderName, HeaderValue, Method};

    use super::*;

    const CHROMIUM: &str = "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36";
    const FIREFOX: &str = "user-agent: Mozilla/5.0 (X11; rv:140.0) Gecko/20100101 Firefox/140.0";
    const SAFARI: &str = "user-agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15";
    const IPHONE: &str = "user-agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1";
    const NAVIGATE: &str = "sec-fetch-mode: navigate";
    const DOCUMENT: &str = "sec-fetch-dest: document";
    const USER: &str = "sec-fetch-user: ?1";
    const HTML: &str = "accept: text/html,application/xhtml+xml,*/*;q=0.8";
    const ITSELF: &str = "referer: http://acme.test:8080/board?week=3";
    const REVALIDATE: &str = "cache-control: max-age=0";

    fn is_use(lines: &[&str]) -> bool {
        let lines = ["host: acme.test:8080"].iter().chain(lines).map(|line| line.split_once(": ").unwrap());
        let headers =
            lines.map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()));
        let target = "/board?week=3".parse().unwrap();
        is_opened(&Asked { method: &Method::GET, target: &target, headers: &headers.collect() })
    }

    /// What Chromium 140 sends in each of these cases; for others, what their makers document.
    #[test]
    fn a_page_is_use_when_a_person_opens_it_and_not_when_a_tab_does() {
        for (lines, expected, what) in [
            (vec![CHROMIUM, NAVIGATE, DOCUMENT, USER, "sec-fetch-site: none"], true, "typed, a bookmark, WebDriver"),
            (vec![CHROMIUM, NAVIGATE, DOCUMENT, USER, "referer: http://acme.test:8080/"], true, "a link"),
            (vec![CHROMIUM, NAVIGATE, DOCUMENT, USER, ITSELF], true, "a link to the page that it is on"),
            (vec![CHROMIUM, NAVIGATE, DOCUMENT, USER, REVALIDATE], true, "the reload button"),
            (vec![FIREFOX, NAVIGATE, DOCUMENT, USER], true, "typed, a bookmark, a link"),
            (vec![CHROMIUM, NAVIGATE, USER], true, "the same, before there was a destination"),
            (vec![CHROMIUM, NAVIGATE, DOCUMENT, ITSELF, REVALIDATE], false, "meta refresh, and location.reload()"),
            (vec![CHROMIUM, NAVIGATE, DOCUMENT, ITSELF], false, "location.href = location.href"),
            (vec![CHROMIUM, NAVIGATE, DOCUMENT, "referer: http://acme.test:8080/"], false, "one page shows another"),
            (vec![CHROMIUM, NAVIGATE, DOCUMENT], false, "the same, without a word about where from"),
            (vec![FIREFOX, NAVIGATE, DOCUMENT], false, "the same"),
            (vec![CHROMIUM, NAVIGATE, "sec-fetch-dest: iframe", ITSELF], false, "a frame that reloads itself"),
            (vec![CHROMIUM, NAVIGATE, "sec-fetch-dest: iframe", USER], false, "a part of a page"),
            (vec![SAFARI, NAVIGATE, "sec-fetch-dest: iframe"], false, "a part of a page"),
            (vec![CHROMIUM, NAVIGATE, "sec-fetch-dest: object"], false, "a part of a page"),
            (vec![CHROMIUM, NAVIGATE, "sec-fetch-dest: empty"], false, "a service worker, for whatever reason"),
            (vec![CHROMIUM, NAVIGATE, DOCUMENT, "sec-fetch-user: ?0"], false, "no word that there is"),
            (vec![SAFARI, NAVIGATE, DOCUMENT], true, "typed, a bookmark"),
            (vec![IPHONE, NAVIGATE, DOCUMENT, "referer: http://acme.test:8080/"], true, "a link, on an iPhone"),
            (vec![SAFARI, NAVIGATE, DOCUMENT, USER, REVALIDATE], true, "should it learn to say so"),
            (vec![SAFARI, NAVIGATE, DOCUMENT, ITSELF], false, "a reload on a timer"),
            (vec![SAFARI, NAVIGATE, DOCUMENT, REVALIDATE], false, "a reload, of a page that hides where it is"),
            (vec![CHROMIUM, HTML], true, "typed, on plain http"),
            (vec![CHROMIUM, HTML, "referer: http://acme.test:8080/board"], true, "a link, on plain http"),
            (vec![CHROMIUM, HTML, "referer: http://site.test/board?week=3"], true, "the same path elsewhere"),
            (vec![CHROMIUM, HTML, ITSELF, REVALIDATE], false, "meta refresh and location.reload(), on plain http"),
            (vec![CHROMIUM, HTML, "referer: http://ACME.test:8080/board?week=3"], false, "hosts have no case"),
            (vec![FIREFOX, HTML, "cache-control: no-cache"], false, "a reload past the cache"),
            (vec![FIREFOX, "accept: application/json"], false, "a poll, on plain http"),
            (vec![CHROMIUM, "sec-fetch-mode: cors", HTML], false, "a script"),
        ] {
            assert_eq!(is_use(&lines), expected, "{what}: {lines:?}");
        }
    }
}
