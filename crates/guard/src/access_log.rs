//! The access log: one line a request, in `name=value` pairs, without query, body, cookie or token.
//!
//! Lines are gathered while there is other work and written when there is none, so that a busy
//! guard writes many at once and a quiet one writes each at once.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use access::protocol::HEALTH;
use http::{HeaderMap, Method, StatusCode, Uri};
use jiff::Timestamp;

/// Lines in memory beyond which they are written whatever else is to do.
const MOST_BYTES: usize = 64 * 1024;

/// Where lines go: standard error, as everything that the guard has to say.
#[derive(Clone, Default)]
pub(crate) struct AccessLog {
    lines: Arc<Mutex<String>>,
}

/// One request and what became of it.
pub(crate) struct Entry<'e> {
    pub(crate) at: Timestamp,
    pub(crate) source: IpAddr,
    pub(crate) who: Option<&'e str>,
    pub(crate) decision: &'static str,
    /// The rule that refused, or what else there is to say; may be empty.
    pub(crate) reason: &'static str,
    pub(crate) status: StatusCode,
    /// From the request's head to the answer's head.
    pub(crate) whole: Duration,
    /// What of that the application took, if it was asked.
    pub(crate) application: Option<Duration>,
    pub(crate) method: &'e Method,
    pub(crate) target: &'e Uri,
    pub(crate) trace: Option<TraceId>,
}

/// The trace that a request belongs to, as its `traceparent` says (W3C Trace Context, 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceId([u8; 32]);

impl AccessLog {
    /// Notes a request. Probes of the health path are left out: platforms send one every few
    /// seconds, and many a second while an instance starts.
    pub(crate) fn note(&self, entry: &Entry<'_>) {
        if entry.target.path() == HEALTH {
            return;
        }
        let mut lines = self.lines();
        let first = lines.is_empty();
        // Writing into a string never fails.
        let _ = write_line(&mut lines, entry);
        if lines.len() >= MOST_BYTES {
            write_out(&mut lines);
        } else if first {
            let log = self.clone();
            drop(tokio::spawn(async move {
                tokio::task::yield_now().await;
                log.flush();
            }));
        }
    }

    /// Writes what is there.
    pub(crate) fn flush(&self) {
        write_out(&mut self.lines());
    }

    fn lines(&self) -> MutexGuard<'_, String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TraceId {
    /// The id in a well-formed `traceparent`.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get("traceparent")?.as_bytes();
        let (version, rest) = text.split_first_chunk::<3>()?;
        let (id, rest) = rest.split_first_chunk::<32>()?;
        let is_hex = id.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (version.ends_with(b"-") && rest.starts_with(b"-") && is_hex).then_some(Self(*id))
    }
}

fn write_line(lines: &mut String, entry: &Entry<'_>) -> std::fmt::Result {
    write!(
        lines,
        "{:.3} access who={} from={} decision={}",
        entry.at,
        entry.who.unwrap_or("-"),
        entry.source,
        entry.decision
    )?;
    if !entry.reason.is_empty() {
        write!(lines, " reason={}", entry.reason)?;
    }
    write!(lines, " status={} ms={}", entry.status.as_u16(), Millis(entry.whole))?;
    if let Some(application) = entry.application {
        write!(lines, " app_ms={}", Millis(application))?;
    }
    if let Some(TraceId(id)) = &entry.trace {
        write!(lines, " trace={}", std::str::from_utf8(id).unwrap_or_default())?;
    }
    // Targets have no spaces or control characters, or they would not have been read as such.
    writeln!(lines, " method={} path={}", entry.method, entry.target.path())
}

/// Whole and thousandth milliseconds.
struct Millis(Duration);

impl std::fmt::Display for Millis {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = self.0.as_micros();
        write!(formatter, "{}.{:03}", micros / 1000, micros % 1000)
    }
}

fn write_out(lines: &mut String) {
    // Nobody reading is no reason to stop guarding.
    let _ = std::io::stderr().lock().write_all(lines.as_bytes());
    lines.clear();
    lines.shrink_to(MOST_BYTES / 8);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_line_says_who_what_why_and_how_long_and_no_query() {
        let mut lines = String::new();
        let target: Uri = "/a/b?token=secret".parse().unwrap();
        let trace = TraceId(*b"0af7651916cd43dd8448eb211c80319c");
        let entry = Entry {
            at: "2026-11-25T10:00:00.1234Z".parse().unwrap(),
            source: "10.0.0.9".parse().unwrap(),
            who: Some("ada@example.com"),
            decision: "admitted",
            reason: "",
            status: StatusCode::OK,
            whole: Duration::from_micros(12_045),
            application: Some(Duration::from_micros(900)),
            method: &Method::GET,
            target: &target,
            trace: Some(trace),
        };
        write_line(&mut lines, &entry).unwrap();
        let refused =
            Entry { who: None, decision: "refused", reason: "no-assertion", application: None, trace: None, ..entry };
        write_line(&mut lines, &refused).unwrap();
        assert_eq!(
            lines,
            "2026-11-25T10:00:00.123Z access who=ada@example.com from=10.0.0.9 decision=admitted status=200 ms=12.045 \
             app_ms=0.900 trace=0af7651916cd43dd8448eb211c80319c method=GET path=/a/b\n\
             2026-11-25T10:00:00.123Z access who=- from=10.0.0.9 decision=refused reason=no-assertion status=200 \
             ms=12.045 method=GET path=/a/b\n"
        );
    }

    #[test]
    fn only_a_well_formed_trace_is_logged() {
        let of = |text: &'static str| {
            TraceId::of(&HeaderMap::from_iter([(
                http::HeaderName::from_static("traceparent"),
                HeaderValue::from_static(text),
            )]))
        };
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(of(good), Some(TraceId(*b"0af7651916cd43dd8448eb211c80319c")));
        for bad in [
            "",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c",
            "x who=root",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
