//! `POST /-/activity`: the application reports use that no request shows, such as a sprint that
//! runs through the night. It has no identity; what speaks for it is that it is on this machine.
//!
//! Whoever comes through a proxy on this machine, such as the built-in edge, must not pass for it.
//! So a report comes from a loopback address, asks for a loopback host, and has no header that a
//! proxy or a browser would add. Whatever lacks any of that is not a report, and its path an
//! ordinary one.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use access::protocol::is_claim;
use domain::Signal;
use http::header::{ALLOW, COOKIE, HOST, ORIGIN, REFERER, VIA};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use proxy::{Body, Limits, serve};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Meter;
use crate::answers::{Form, Notice, bare};
use crate::app_site::{Sharing, sharing_order};
use crate::gate::Denied;
use crate::model::{self, Model};
use crate::server::Outcome;

/// Where reports are taken, to the letter.
pub(crate) const PATH: &str = "/-/activity";
/// Reports are shorter by far.
const MAX_REPORT: usize = 1024;
/// For a report to arrive.
const REPORT_TIME: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    signal: Signal,
}

/// Whether this is the application's report: by its target, and by all that a proxy or a browser
/// would have left on it.
pub(crate) fn is_report(peer: SocketAddr, method: &Method, target: &Uri, headers: &HeaderMap) -> bool {
    method == Method::POST && target == PATH && is_from_here(peer, headers)
}

/// Whether this is the application's question for a model, by the same marks.
pub(crate) fn is_question(peer: SocketAddr, target: &Uri, headers: &HeaderMap) -> bool {
    model::is_question(target) && is_from_here(peer, headers)
}

/// Takes a report.
pub(crate) async fn take(meter: &Meter, body: Incoming) -> Outcome {
    let must = r#"{"signal":"sprint"}, with sprint, app_running, member or api_call as its signal"#;
    match read::<Report>(body, "The report was not taken", must).await {
        Ok(report) => match meter.told(report.signal) {
            Ok(()) => Outcome::own(bare(StatusCode::NO_CONTENT)),
            Err(closed) => Outcome::denied(Denied::Closed(closed), Form::Json),
        },
        Err(notice) => Outcome::refused(notice.answer(Form::Json), "report-malformed"),
    }
}

/// Takes reports, questions for the model where there is one, and the application's word on sharing its app, and answers
/// nothing else, until `stop`.
pub(crate) async fn listen(
    listener: TcpListener,
    meter: Meter,
    model: Option<Arc<Model>>,
    sharing: Arc<Sharing>,
    stop: CancellationToken,
) {
    serve(listener, Limits::default(), stop, move |peer: SocketAddr| {
        let (meter, model, sharing) = (meter.clone(), model.clone(), Arc::clone(&sharing));
        service_fn(move |request: Request<Incoming>| {
            let (meter, model, sharing) = (meter.clone(), model.clone(), Arc::clone(&sharing));
            async move {
                Ok::<_, Infallible>(match request.uri() == sharing_order::PATH {
                    true => sharing_order::answer(&sharing, peer, request).await,
                    false => answer(&meter, model.as_deref(), peer, request).await,
                })
            }
        })
    })
    .await;
}

/// The address to report to, for a listener that takes reports; `None` if this machine's loopback
/// does not lead to it.
pub(crate) fn address(listener: SocketAddr) -> Option<String> {
    let ip = match listener.ip() {
        ip if ip.is_loopback() => ip,
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from(std::net::Ipv6Addr::LOCALHOST),
        _ => return None,
    };
    Some(format!("http://{}{PATH}", SocketAddr::new(ip, listener.port())))
}

async fn answer(meter: &Meter, model: Option<&Model>, peer: SocketAddr, request: Request<Incoming>) -> Response<Body> {
    if let Some(model) = model
        && is_question(peer, request.uri(), request.headers())
    {
        return model.answer(request).await;
    }
    if request.uri() != PATH {
        return bare(StatusCode::NOT_FOUND);
    }
    if request.method() != Method::POST {
        let mut answer = bare(StatusCode::METHOD_NOT_ALLOWED);
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return answer;
    }
    if !is_from_here(peer, request.headers()) {
        let detail = "Reports come from the application itself, not through a proxy or a browser.";
        return Notice::new(StatusCode::FORBIDDEN, "This report is not the application's", detail).answer(Form::Json);
    }
    take(meter, request.into_body()).await.answer
}

/// What the application says, which `must` look like something.
pub(crate) async fn read<T: DeserializeOwned>(body: Incoming, title: &'static str, must: &str) -> Result<T, Notice> {
    let reading = Limited::new(body, MAX_REPORT).collect();
    let body = match tokio::time::timeout(REPORT_TIME, reading).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let detail = format!("It must be one JSON object of {MAX_REPORT} bytes at most.");
            return Err(Notice::new(StatusCode::PAYLOAD_TOO_LARGE, title, detail));
        }
        Ok(Err(_)) => return Err(Notice::new(StatusCode::BAD_REQUEST, title, "It broke off.")),
        Err(_) => return Err(Notice::new(StatusCode::REQUEST_TIMEOUT, title, "It did not arrive in time.")),
    };
    serde_json::from_slice(&body).map_err(|error| {
        Notice::new(StatusCode::UNPROCESSABLE_ENTITY, title, format!("It must look like {must}: {error}."))
    })
}

/// Whether the application itself speaks, as far as all that tells that a proxy or a browser would have left.
pub(crate) fn is_from_here(peer: SocketAddr, headers: &HeaderMap) -> bool {
    peer.ip().to_canonical().is_loopback() && names_loopback(headers) && !headers.keys().any(is_in_between)
}

fn names_loopback(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let after = |name| host.as_bytes().strip_prefix::<[u8]>(name);
    let rest = [&b"127.0.0.1"[..], b"localhost", b"[::1]"].into_iter().find_map(after);
    match rest {
        Some([]) => true,
        Some([b':', port @ ..]) => !port.is_empty() && port.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Headers that only a proxy or a browser adds.
fn is_in_between(name: &HeaderName) -> bool {
    let by_name = [VIA, ORIGIN, REFERER, COOKIE].contains(name);
    let by_prefix = ["sec-", "cf-", "cdn-", "x-real-", "x-amzn-", "x-envoy-", "x-client-", "true-client-"];
    by_name || is_claim(name) || by_prefix.iter().any(|prefix| name.as_str().starts_with(prefix))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn is_taken(peer: &str, method: &str, target: &str, lines: &[&str]) -> bool {
        let pairs = lines.iter().map(|line| line.split_once(": ").unwrap());
        let headers =
            pairs.map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()));
        let (method, target) = (method.parse().unwrap(), target.parse().unwrap());
        is_report(peer.parse().unwrap(), &method, &target, &headers.collect())
    }

    #[test]
    fn a_report_comes_from_this_machine_and_asks_for_it() {
        let (here, host) = ("127.0.0.1:5", "host: 127.0.0.1:8080");
        for (peer, host) in [
            (here, host),
            ("127.0.0.9:5", "host: localhost"),
            ("[::1]:5", "host: [::1]:80"),
            ("[::ffff:127.0.0.1]:5", "host: localhost:1"),
        ] {
            let lines = [host, "user-agent: curl/8", "accept: */*", "content-type: application/json"];
            assert!(is_taken(peer, "POST", PATH, &lines), "{peer} {host}");
        }
        for (peer, method, target, lines) in [
            ("10.0.0.9:5", "POST", PATH, vec![host]),
            ("[::ffff:10.0.0.9]:5", "POST", PATH, vec![host]),
            (here, "GET", PATH, vec![host]),
            (here, "POST", "/-/activity/", vec![host]),
            (here, "POST", "/-/activity?x", vec![host]),
            (here, "POST", "/-/Activity", vec![host]),
            (here, "POST", "//-/activity", vec![host]),
            (here, "POST", "http://evil.example/-/activity", vec![host]),
            (here, "POST", PATH, vec![]),
            (here, "POST", PATH, vec![host, host]),
            (here, "POST", PATH, vec!["host: acme.test"]),
            (here, "POST", PATH, vec!["host: acme.localhost"]),
            (here, "POST", PATH, vec!["host: localhost.evil.example"]),
            (here, "POST", PATH, vec!["host: localhost@evil.example"]),
            (here, "POST", PATH, vec!["host: 127.0.0.1.evil.example"]),
            (here, "POST", PATH, vec!["host: [::1]evil.example"]),
            (here, "POST", PATH, vec!["host: [::1]:"]),
            (here, "POST", PATH, vec!["host: localhost:80:90"]),
        ] {
            assert!(!is_taken(peer, method, target, &lines), "{peer} {method} {target} {lines:?}");
        }
    }

    #[test]
    fn whoever_comes_through_a_proxy_or_a_browser_does_not_pass_for_the_application() {
        for line in [
            "x-forwarded-for: 127.0.0.1",
            "x_forwarded_for: 127.0.0.1",
            "x-forwarded-proto: https",
            "forwarded: for=127.0.0.1",
            "x-real-ip: 127.0.0.1",
            "via: 1.1 edge",
            "cf-ray: 1",
            "cf-access-jwt-assertion: x",
            "cdn-loop: cloudflare",
            "true-client-ip: 127.0.0.1",
            "x-spinoff-user: ada@example.com",
            "origin: null",
            "referer: http://127.0.0.1:8080/",
            "cookie: a=b",
            "sec-fetch-site: same-origin",
            "sec-ch-ua: x",
        ] {
            assert!(!is_taken("127.0.0.1:5", "POST", PATH, &["host: localhost", line]), "{line}");
        }
    }

    #[test]
    fn a_question_for_the_model_is_asked_in_the_same_way() {
        let asked = |peer: &str, target: &str, line: (&'static str, &'static str)| {
            let headers = [("host", "127.0.0.1:3129"), line]
                .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_static(value)));
            is_question(peer.parse().unwrap(), &target.parse().unwrap(), &headers.into_iter().collect())
        };
        let plain = ("accept", "*/*");
        let path = "/-/model/v1/chat/completions";
        assert!(asked("127.0.0.1:5", path, plain) && asked("127.0.0.1:5", "/-/model/v1/models", plain));
        for (peer, target, line) in [
            ("10.0.0.9:5", path, plain),
            ("127.0.0.1:5", "/-/model/v1/chat/completions/", plain),
            ("127.0.0.1:5", "/-/model/v1/embeddings", plain),
            ("127.0.0.1:5", "/-/model/v1/models?x", plain),
            ("127.0.0.1:5", path, ("x-forwarded-for", "127.0.0.1")),
            ("127.0.0.1:5", path, ("origin", "null")),
        ] {
            assert!(!asked(peer, target, line), "{peer} {target} {line:?}");
        }
    }

    #[test]
    fn an_application_is_told_an_address_that_it_can_reach() {
        for (listener, expected) in [
            ("127.0.0.1:80", Some("http://127.0.0.1:80/-/activity")),
            ("0.0.0.0:8080", Some("http://127.0.0.1:8080/-/activity")),
            ("[::]:8080", Some("http://[::1]:8080/-/activity")),
            ("[::1]:8080", Some("http://[::1]:8080/-/activity")),
            ("10.0.0.9:8080", None),
        ] {
            assert_eq!(address(listener.parse().unwrap()).as_deref(), expected);
        }
    }
}
