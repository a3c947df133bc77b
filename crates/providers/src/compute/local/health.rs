//! Asking a guard how it and its application are.

use std::io;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ports::address;

/// Longer than a guard waits for its application.
const PATIENCE: Duration = Duration::from_secs(4);
const REQUEST: &[u8] = b"GET /-/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
const LONGEST_ANSWER: u64 = 16 << 10;

/// What a guard answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Guard and application are well.
    Well,
    /// Somebody accepts connections and does not answer in time.
    Slow,
    /// The guard says that the application is not well.
    Unwell,
    /// Nobody accepts connections.
    Silent,
}

/// Asks the guard that listens on a port how it is, and what it was deployed as.
pub(super) async fn ask(port: u16) -> (Answer, Option<String>) {
    let Ok(Ok(stream)) = timeout(PATIENCE, TcpStream::connect(address(port))).await else {
        return (Answer::Silent, None);
    };
    match timeout(PATIENCE, converse(stream)).await {
        Err(_) => (Answer::Slow, None),
        Ok(Ok(text)) => judge(&text),
        Ok(Err(_)) => (Answer::Silent, None),
    }
}

async fn converse(mut stream: TcpStream) -> io::Result<String> {
    stream.write_all(REQUEST).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The part of a guard's answer that tells a busy application from one that is away.
#[derive(Deserialize)]
struct Report {
    application: String,
    release: Option<String>,
}

fn judge(answer: &str) -> (Answer, Option<String>) {
    let status = answer.split(' ').nth(1);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body.trim());
    let report = serde_json::from_str::<Report>(body).ok();
    let busy = report.as_ref().is_some_and(|report| report.application == "busy");
    let answer = match status {
        Some(_) if busy => Answer::Slow,
        Some("200") => Answer::Well,
        Some(_) => Answer::Unwell,
        None => Answer::Silent,
    };
    (answer, report.and_then(|report| report.release))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_application_is_told_from_one_that_is_away() {
        assert_eq!(judge("HTTP/1.1 200 OK\r\n\r\n").0, Answer::Well);
        assert_eq!(judge("HTTP/1.1 200 OK\r\n\r\n{\"application\":\"ok\"}"), (Answer::Well, None));
        assert_eq!(judge("HTTP/1.1 200 OK\r\n\r\n{\"application\":\"busy\"}").0, Answer::Slow);
        assert_eq!(judge("HTTP/1.1 503 X\r\n\r\n{\"application\":\"busy\"}").0, Answer::Slow);
        assert_eq!(judge("HTTP/1.1 503 X\r\n\r\n{\"application\":\"down\"}").0, Answer::Unwell);
        assert_eq!(judge("HTTP/1.1 503 X\r\n\r\nno").0, Answer::Unwell);
        assert_eq!(judge("").0, Answer::Silent);
    }

    #[test]
    fn a_guard_says_what_it_was_deployed_as() {
        let answer = "HTTP/1.1 200 OK\r\n\r\n{\"application\":\"ok\",\"release\":\"1.4.0\"}";
        assert_eq!(judge(answer), (Answer::Well, Some("1.4.0".to_owned())));
    }
}
