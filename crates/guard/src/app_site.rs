//! The app that a customer makes: generated code, behind the same door as the workspace that made
//! it and otherwise apart from it.
//!
//! What holds here:
//! - A hostname of its own is the safe way: browsers then keep the app's pages from the workspace's.
//!   Only that very name leads to the app, and the app's answers never come from the workspace.
//! - Nothing of the app is public, unless its whole hostname is shared ([`Sharing`]). Public paths are
//!   the workspace's.
//! - The app gives browsers no cookie that another hostname would see, and none that passes for a
//!   sign-in. What else its headers could say about more than itself is taken out.
//! - Below a path prefix the app shares the workspace's origin, so its scripts can do there what the
//!   visitor can. Its server still sees none of the workspace's cookies: those of the app are marked
//!   on their way out, and only marked ones go back in. Scripts that look for such a cookie by its
//!   name don't find it; that is the price.

mod addresses;
mod cookies;
mod sharing;
pub(crate) mod sharing_order;

use http::header::{CONTENT_LOCATION, HOST, LOCATION, ORIGIN, REFRESH, STRICT_TRANSPORT_SECURITY};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use proxy::{Address, Body, ForwardError, NotForwardable, Timeouts, Upstream};
use tokio_util::sync::CancellationToken;

use self::addresses::Here;
pub(crate) use self::sharing::Sharing;
use crate::admit::Admitted;
use crate::answers::{Form, bare};
use crate::notices;
use crate::settings;
use crate::visitor::Visitor;

const FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// What an answer can say about more than itself, and longer than it lives:
/// - whose cookies to delete: those of the whole domain, neighbours and sign-ins among them;
/// - how a hostname is reached, which is for whoever runs it to say, and outlives the app.
static BEYOND_ITSELF: [HeaderName; 3] =
    [HeaderName::from_static("clear-site-data"), STRICT_TRANSPORT_SECURITY, HeaderName::from_static("alt-svc")];

/// The same where the origin is the workspace's: who handles its requests, and who hears of them.
static BEYOND_ITS_PREFIX: [HeaderName; 3] = [
    HeaderName::from_static("service-worker-allowed"),
    HeaderName::from_static("nel"),
    HeaderName::from_static("report-to"),
];

/// The second upstream and the ways to it.
pub(crate) struct AppSite {
    settings: settings::AppSite,
    upstream: Upstream,
}

/// Where a request leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// To the application itself.
    Workspace,
    /// To the app that it makes.
    App(Way),
}

/// How the app was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By a hostname of its own.
    Host,
    /// By a path below its prefix.
    Prefix,
    /// By its prefix without the last slash, so that relative addresses would lead astray.
    BarePrefix,
}

/// The path has segments that one server resolves and another passes on.
#[derive(Debug, PartialEq, Eq)]
pub struct DotSegments;

impl AppSite {
    /// Ends what has no end of its own when `stop` is cancelled.
    pub(crate) fn new(settings: &settings::AppSite, stop: CancellationToken) -> Self {
        let address = Address::Tcp(format!("127.0.0.1:{}", settings.port));
        let upstream = Upstream::new(address, Timeouts::default()).ending_tunnels_on(stop);
        Self { settings: settings.clone(), upstream }
    }

    /// Where a request for this host and target leads.
    ///
    /// # Errors
    /// [`DotSegments`] below the prefix: read one way they lead out of it.
    pub(crate) fn place(&self, host: &HeaderValue, target: &Uri) -> Result<Place, DotSegments> {
        if let Some(app_host) = &self.settings.host
            && host.to_str().is_ok_and(|host| app_host.is_named_by(host))
        {
            return Ok(Place::App(Way::Host));
        }
        match &self.settings.prefix {
            Some(prefix) if target.path() == prefix.bare() => Ok(Place::App(Way::BarePrefix)),
            Some(prefix) if prefix.leads_to(target.path()) => {
                if has_dot_segments(target.path()) {
                    Err(DotSegments)
                } else {
                    Ok(Place::App(Way::Prefix))
                }
            }
            _ => Ok(Place::Workspace),
        }
    }

    /// Whether a page on the app's hostname sends this to the workspace, with its leave to read the
    /// answer.
    pub(crate) fn reaches_across(&self, place: Place, headers: &HeaderMap) -> bool {
        let Some(app_host) = self.settings.host.as_ref().filter(|_| place == Place::Workspace) else { return false };
        let is_apps = |origin: &HeaderValue| {
            let host = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
            host.is_some_and(|host| app_host.is_named_by(host))
        };
        headers.get_all(ORIGIN).iter().any(is_apps)
    }

    /// The request as it is to be seen there, before identity and origin are said.
    ///
    /// # Errors
    /// [`NotForwardable::Target`] when its target can't be put so.
    pub(crate) fn inward<B>(&self, place: Place, mut request: Request<B>) -> Result<Request<B>, NotForwardable> {
        if let (Place::App(Way::Prefix), Some(prefix)) = (place, &self.settings.prefix) {
            *request.uri_mut() = without_prefix(request.uri(), prefix).ok_or(NotForwardable::Target)?;
            cookies::unmark(request.headers_mut(), prefix);
        }
        Ok(request)
    }

    /// Sends a request to the app and makes its answer fit for where it was asked for.
    ///
    /// # Errors
    /// [`ForwardError`].
    pub(crate) async fn forward(&self, way: Way, admitted: Admitted) -> Result<Response<Body>, ForwardError> {
        let mut outbound = admitted.into_outbound();
        let host = outbound.headers().get(HOST).cloned();
        let prefix = self.settings.prefix.as_ref().filter(|_| way == Way::Prefix);
        if let Some(bare) = prefix.and_then(|prefix| HeaderValue::from_str(prefix.bare()).ok()) {
            outbound.headers_mut().insert(FORWARDED_PREFIX, bare);
        }
        let mut answer = self.upstream.forward(outbound).await?;
        self.outward(way, host.as_ref(), answer.headers_mut());
        Ok(answer)
    }

    /// Makes an answer's headers fit for where it was asked for, by a visitor who named this host.
    pub(crate) fn outward(&self, way: Way, host: Option<&HeaderValue>, headers: &mut HeaderMap) {
        for name in &BEYOND_ITSELF {
            headers.remove(name);
        }
        match self.settings.prefix.as_ref().filter(|_| way == Way::Prefix) {
            None => cookies::keep_to_host(headers),
            Some(prefix) => {
                for name in &BEYOND_ITS_PREFIX {
                    headers.remove(name);
                }
                cookies::mark(headers, prefix);
                let here = Here { prefix, host, port: self.settings.port };
                for name in [LOCATION, CONTENT_LOCATION] {
                    rewrite(headers, &name, |value| here.outward(value));
                }
                rewrite(headers, &REFRESH, |value| here.refresh_outward(value));
            }
        }
    }

    /// Adds the slash that was left out.
    pub(crate) fn to_prefix(&self, target: &Uri) -> Response<Body> {
        let prefix = self.settings.prefix.as_ref().map_or("/", settings::AppPrefix::as_str);
        let query = target.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut answer = bare(StatusCode::PERMANENT_REDIRECT);
        if let Ok(location) = HeaderValue::try_from(format!("{prefix}{query}")) {
            answer.headers_mut().insert(LOCATION, location);
        }
        answer
    }
}

/// What to say when the app gave no answer, and in a word for the log.
pub(crate) fn no_answer(error: &ForwardError, visitor: &Visitor, form: Form) -> (Response<Body>, &'static str) {
    match error {
        // It may have been stopped, or never started: that is no fault.
        ForwardError::Unreachable(_) => {
            let notice =
                if visitor.is_nobody() { notices::shared_app_not_running() } else { notices::app_not_running() };
            (notice.answer(form), "app-not-running")
        }
        error => {
            tracing::warn!(%error, "The app that was made here gave no answer");
            (notices::app_no_answer(error).answer(form), "app-failed")
        }
    }
}

fn rewrite(headers: &mut HeaderMap, name: &HeaderName, outward: impl Fn(&str) -> Option<String>) {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).and_then(outward);
    if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(name, value);
    }
}

fn without_prefix(target: &Uri, prefix: &settings::AppPrefix) -> Option<Uri> {
    // Not decoded and not put together anew: the rest stays the bytes it is, with its first slash.
    let rest = target.path_and_query()?.as_str().strip_prefix(prefix.bare())?;
    let mut parts = target.clone().into_parts();
    parts.path_and_query = Some(rest.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// Whether any server could read one of the segments as `.` or `..`: some decode before they split,
/// some take a backslash for a slash, and some leave out what follows a semicolon.
fn has_dot_segments(path: &str) -> bool {
    let mut read = path.to_ascii_lowercase();
    for (encoded, plain) in [("%2e", "."), ("%2f", "/"), ("%5c", "/"), ("\\", "/"), ("%3b", ";")] {
        if read.contains(encoded) {
            read = read.replace(encoded, plain);
        }
    }
    read.split('/').map(|segment| segment.split(';').next().unwrap_or_default()).any(|name| matches!(name, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_could_be_read_as_a_way_up_is_seen() {
        for path in [
            "/a/..",
            "/a/../b",
            "/./a",
            "/a/%2e%2E/b",
            "/a/.%2e",
            "/a%2f..%2fb",
            "/a%5C..",
            "/a\\..\\b",
            "/..;x/b",
            "/.%3b",
        ] {
            assert!(has_dot_segments(path), "{path}");
        }
        for path in ["/", "/a/b", "/.well-known/x", "/a..b/", "/...", "/a%2fb", "/a;x=..", "//", "/a.%2eb"] {
            assert!(!has_dot_segments(path), "{path}");
        }
    }
}
