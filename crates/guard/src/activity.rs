//! What counts as use. One pure function decides, so that a bill can be explained: billing follows
//! people and programs at work, not tabs left open.

use domain::Signal;
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, Method};

use crate::visitor::Visitor;

const ROBOTS: [&str; 9] = ["bot", "crawl", "spider", "slurp", "monitor", "uptime", "pingdom", "probe", "healthcheck"];

/// Which signal of use an admitted request is, if any.
///
/// - Visits without identity and robots are never use.
/// - A change (any method but GET, HEAD, OPTIONS) is use, whoever sends it.
/// - A person's GET is use when it opens a page. Scripts of an open tab fetch on their own account;
///   those GETs are not use, however many.
/// - A program's GET is an API call. A client is a program when it shows none of a browser's
///   marks.
/// - A WebSocket's opening is not use: its messages are judged one by one, see [`crate::frames`].
pub(crate) fn signal(visitor: &Visitor, method: &Method, headers: &HeaderMap) -> Option<Signal> {
    visitor.signal().and_then(|own| signal_of(own, method, headers))
}

/// The same for whoever's doings are `own` when they are use.
fn signal_of(own: Signal, method: &Method, headers: &HeaderMap) -> Option<Signal> {
    if is_robot(headers) || is_prefetch(headers) {
        return None;
    }
    let program = own == Signal::ApiCall || !is_browser(headers);
    let by = if program { Signal::ApiCall } else { Signal::Member };
    match *method {
        Method::HEAD | Method::OPTIONS => None,
        Method::GET if program => Some(by),
        Method::GET => opens_a_page(headers).then_some(by),
        _ => Some(by),
    }
}

fn is_browser(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("sec-fetch-")) || agent(headers).starts_with("mozilla/")
}

fn opens_a_page(headers: &HeaderMap) -> bool {
    match text(headers, "sec-fetch-mode") {
        "navigate" => true,
        // Browsers leave these headers out on addresses they do not trust; then only a page
        // navigation asks for HTML.
        "" => headers
            .get(ACCEPT)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|accept| accept.starts_with("text/html")),
        _ => false,
    }
}

fn is_prefetch(headers: &HeaderMap) -> bool {
    text(headers, "sec-purpose").contains("prefetch") || matches!(text(headers, "purpose"), "prefetch" | "preview")
}

fn is_robot(headers: &HeaderMap) -> bool {
    let agent = agent(headers);
    ROBOTS.iter().any(|word| agent.contains(word))
}

fn agent(headers: &HeaderMap) -> String {
    headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use http::{HeaderName, HeaderValue};

    use super::*;

    const FIREFOX: &str = "user-agent: Mozilla/5.0 (X11; rv:140.0) Gecko/20100101 Firefox/140.0";

    fn headers(lines: &[&str]) -> HeaderMap {
        let pairs = lines.iter().map(|line| line.split_once(": ").unwrap());
        pairs
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn use_is_what_people_and_programs_do() {
        let (ada, robot) = (Signal::Member, Signal::ApiCall);
        let (member, api) = (Some(Signal::Member), Some(Signal::ApiCall));
        for (visitor, method, lines, expected, what) in [
            (ada, "GET", vec![FIREFOX, "sec-fetch-mode: navigate"], member, "a page"),
            (ada, "GET", vec![FIREFOX, "accept: text/html,*/*"], member, "a page on an untrusted address"),
            (ada, "POST", vec![FIREFOX, "sec-fetch-mode: cors"], member, "a form or an upload"),
            (ada, "PUT", vec!["user-agent: curl/8.0"], api, "a program that changes something"),
            (ada, "DELETE", vec![FIREFOX], member, "a removal"),
            (ada, "GET", vec!["user-agent: curl/8.0"], api, "a program that reads"),
            (ada, "GET", vec![], api, "a program without a name"),
            (robot, "GET", vec![FIREFOX], api, "a service is a program, whatever it looks like"),
            (ada, "GET", vec![FIREFOX, "sec-fetch-mode: cors"], None, "a script of an open tab"),
            (ada, "GET", vec![FIREFOX, "sec-fetch-mode: no-cors"], None, "an image"),
            (ada, "GET", vec![FIREFOX, "accept: application/json"], None, "a poll on an untrusted address"),
            (ada, "GET", vec!["accept: text/event-stream", "sec-fetch-mode: cors"], None, "an event stream"),
            (ada, "HEAD", vec!["user-agent: curl/8.0"], None, "a look at headers"),
            (ada, "OPTIONS", vec![FIREFOX], None, "a preflight"),
            (ada, "GET", vec![FIREFOX, "sec-fetch-mode: navigate", "sec-purpose: prefetch;prerender"], None, "ahead"),
            (ada, "GET", vec!["user-agent: Googlebot/2.1"], None, "a robot"),
            (ada, "POST", vec!["user-agent: UptimeRobot/2.0"], None, "a monitor"),
        ] {
            let method: Method = method.parse().unwrap();
            assert_eq!(signal_of(visitor, &method, &headers(&lines)), expected, "{what}");
        }
        let upgrade = headers(&[FIREFOX, "sec-fetch-mode: websocket"]);
        assert_eq!(signal_of(ada, &Method::GET, &upgrade), None, "opening a WebSocket");
        assert_eq!(signal(&Visitor::Public, &Method::POST, &headers(&[FIREFOX])), None, "nobody");
    }
}
