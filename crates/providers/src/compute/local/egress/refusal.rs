use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, sink};
use tokio::time::timeout;

/// How long a refused application may take to read why, and how much it may still send meanwhile.
const GOODBYE: Duration = Duration::from_secs(2);
const STILL_READ: u64 = 64 << 10;

/// Why no tunnel is opened, for whoever reads the application's errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) reason: String,
}

impl Refusal {
    pub(super) fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }

    /// Answers and lets go. Many clients show only the status line, so the reason stands in it too.
    pub(super) async fn tell(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
        let allow = if self.status == 405 { "allow: CONNECT\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {} {reason}\r\n{allow}content-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            self.status,
            self.reason.len() + 1,
            reason = self.reason,
        );
        let answer = format!("{head}{}\n", self.reason);
        let goodbye = async {
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await?;
            // Closing on something unread would take the answer away from the reader.
            tokio::io::copy(&mut stream.take(STILL_READ), &mut sink()).await
        };
        // Whoever does not listen to a refusal misses it.
        let _ = timeout(GOODBYE, goodbye).await;
    }
}
