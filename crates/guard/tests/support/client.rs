//! Requests as bytes, so that nothing repairs them on the way.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::soon;

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Lower-cased.
    pub head: String,
    pub body: String,
}

/// A GET with these header lines.
pub async fn ask(address: &str, path: &str, lines: &[&str]) -> Answer {
    ask_with(address, "GET", path, lines, "").await
}

pub async fn ask_with(address: &str, method: &str, path: &str, lines: &[&str], body: &str) -> Answer {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: acme.test\r\nConnection: close\r\n{lines}{length}\r\n{body}");
    raw(address, &request).await
}

/// Sends bytes and reads to the end.
pub async fn raw(address: &str, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = soon("an answer", stream.read_to_end(&mut bytes)).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}
