//! Visits of the site, counted without telling visitors apart: a number for each page and day, and nothing else. No cookie,
//! no address, no fingerprint, not even for a moment. A visit is a page that a browser opened coming from elsewhere, which
//! browsers say themselves with every request (`Sec-Fetch-Site`).
//!
//! Not counted are robots, what is loaded ahead, pages that are loaded again, whoever is signed in, and whoever asks not to
//! be followed (`Sec-GPC`, `DNT`).

pub(crate) mod store;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ::store::Db;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::app::App;

/// What the names of programs that are nobody contain, in small letters.
const ROBOTS: [&str; 14] = [
    "bot",
    "crawl",
    "spider",
    "slurp",
    "headless",
    "preview",
    "scan",
    "monitor",
    "uptime",
    "lighthouse",
    "pingdom",
    "facebookexternalhit",
    "archiver",
    "fetch",
];

/// A page whose visits are counted. The words are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Page {
    Landing,
    Pricing,
    GettingStarted,
    Documents,
    Signup,
}

/// What is counted of a page on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    /// Opened, from wherever.
    pub views: u64,
    /// Opened from elsewhere.
    pub arrivals: u64,
}

/// What was counted in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Visited {
    /// Visits from elsewhere, of any page.
    pub visits: u64,
    /// How often the form for signing up was opened.
    pub forms: u64,
}

/// Where from somebody opened a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CameFrom {
    Elsewhere,
    Here,
}

/// What was seen and is not stored yet. While it is being stored, more gathers, so that however many come, one at a time is
/// written; and nobody waits for it. What a kill takes with it is a moment's count of pages.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visits(Arc<Mutex<BTreeMap<(Date, Page), Seen>>>);

impl Page {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Landing => "landing",
            Self::Pricing => "pricing",
            Self::GettingStarted => "getting_started",
            Self::Documents => "documents",
            Self::Signup => "signup",
        }
    }

    fn at(path: &str) -> Option<Self> {
        match path {
            "/" => Some(Self::Landing),
            "/pricing" => Some(Self::Pricing),
            "/getting-started" => Some(Self::GettingStarted),
            "/docs" => Some(Self::Documents),
            "/signup" => Some(Self::Signup),
            path if path.starts_with("/docs/") => Some(Self::Documents),
            _ => None,
        }
    }
}

impl Visits {
    fn count(&self, db: &Db, day: Date, page: Page, from: CameFrom) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_taken_care_of = !waiting.is_empty();
        let seen = waiting.entry((day, page)).or_default();
        seen.views += 1;
        seen.arrivals += u64::from(from == CameFrom::Elsewhere);
        drop(waiting);
        if !is_taken_care_of {
            let (visits, db) = (self.clone(), db.clone());
            tokio::spawn(async move { visits.store(&db).await });
        }
    }

    async fn store(&self, db: &Db) {
        let seen = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if let Err(error) = store::add(db, &seen).await {
            tracing::warn!("Some visits of the site are not counted: {error}");
        }
    }
}

/// Counts what a visitor opens, once it was answered.
pub(crate) async fn notice(State(app): State<App>, request: Request, next: Next) -> Response {
    let page = Page::at(request.uri().path()).filter(|_| request.method() == Method::GET);
    let seen = page.zip(came_from(request.headers()));
    let response = next.run(request).await;
    if let Some((page, from)) = seen.filter(|_| response.status().is_success()) {
        let day = app.clock.now().to_zoned_datetime(TimeZone::UTC).date();
        app.visits().count(&app.db, day, page, from);
    }
    response
}

/// Where from a person's browser opens a page for the first time; none for everything else.
fn came_from(headers: &HeaderMap) -> Option<CameFrom> {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_opened = said("sec-fetch-mode") == "navigate" && said("sec-fetch-dest") == "document";
    let is_ahead = said("sec-purpose").contains("prefetch") || said("purpose") == "prefetch";
    let is_again = ["max-age=0", "no-cache"].contains(&said("cache-control"));
    let is_unwanted = said("sec-gpc") == "1" || said("dnt") == "1";
    let agent = said(header::USER_AGENT.as_str()).to_lowercase();
    let is_robot = !agent.starts_with("mozilla/") || ROBOTS.iter().any(|robot| agent.contains(robot));
    let cookies = headers.get_all(header::COOKIE);
    let is_signed_in = cookies
        .iter()
        .any(|cookie| cookie.to_str().is_ok_and(|cookie| cookie.contains(access::protocol::ASSERTION_COOKIE)));
    if !is_opened || is_ahead || is_again || is_unwanted || is_robot || is_signed_in {
        return None;
    }
    match said("sec-fetch-site") {
        "none" | "cross-site" => Some(CameFrom::Elsewhere),
        "same-origin" | "same-site" => Some(CameFrom::Here),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

    fn opened(changes: &[(&'static str, &'static str)]) -> Option<CameFrom> {
        let mut headers = HeaderMap::new();
        let usual = [
            ("user-agent", FIREFOX),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
            ("sec-fetch-site", "none"),
        ];
        for (name, value) in usual.iter().chain(changes) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        came_from(&headers)
    }

    #[test]
    fn a_person_who_comes_from_elsewhere_is_a_visit_and_one_who_goes_on_is_not() {
        assert_eq!(opened(&[]), Some(CameFrom::Elsewhere));
        assert_eq!(opened(&[("sec-fetch-site", "cross-site")]), Some(CameFrom::Elsewhere));
        assert_eq!(opened(&[("sec-fetch-site", "same-origin")]), Some(CameFrom::Here));
    }

    #[test]
    fn robots_frames_reloads_members_and_who_wants_it_so_are_not_counted() {
        for change in [
            ("user-agent", "curl/8.5.0"),
            ("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
            ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0.0.0 Safari/537.36"),
            ("sec-fetch-dest", "iframe"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-site", "who knows"),
            ("sec-purpose", "prefetch;prerender"),
            ("cache-control", "max-age=0"),
            ("dnt", "1"),
            ("sec-gpc", "1"),
            ("cookie", "theme=dark; CF_Authorization=abc"),
        ] {
            assert_eq!(opened(&[change]), None, "{change:?}");
        }
    }

    #[test]
    fn pages_are_known_by_their_path() {
        for (path, page) in [
            ("/", Some(Page::Landing)),
            ("/docs/api/instances", Some(Page::Documents)),
            ("/signup", Some(Page::Signup)),
            ("/signup/availability", None),
            ("/status", None),
            ("/docsome", None),
        ] {
            assert_eq!(Page::at(path), page, "{path}");
        }
    }
}
