//! Requests as bytes, so that nothing repairs them on the way, and answers read as bytes.

use std::io;

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

impl Answer {
    fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }
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
    raw(address, request).await
}

/// Sends bytes and reads to the end.
pub async fn raw(address: &str, request: impl AsRef<[u8]>) -> Answer {
    Answer::of(&everything(address, request).await)
}

/// Sends bytes and gives all that comes back, until the other side closes.
pub async fn everything(address: &str, request: impl AsRef<[u8]>) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The answer may come, and the connection close, before all of it is sent.
    let _ = stream.write_all(request.as_ref()).await;
    let mut bytes = Vec::new();
    let _ = soon("an answer", stream.read_to_end(&mut bytes)).await;
    bytes
}

/// A connection that is kept for one request after another.
pub struct Kept {
    stream: TcpStream,
    unread: Vec<u8>,
    answered: u64,
}

/// Why a request on a kept connection has no answer.
#[derive(Debug)]
pub enum Lost {
    /// The server closed a connection that had served before, without a byte of an answer: clients
    /// send such a request again. Closed in good order, or reset because the request was on its way
    /// when the connection closed.
    Unanswered { reset: bool },
    /// Anything else.
    Midway(String),
}

impl Kept {
    pub async fn connect(address: &str) -> io::Result<Self> {
        Ok(Self { stream: TcpStream::connect(address).await?, unread: Vec::new(), answered: 0 })
    }

    /// One request and its answer.
    pub async fn exchange(&mut self, request: impl AsRef<[u8]>) -> Result<Answer, Lost> {
        match self.stream.write_all(request.as_ref()).await {
            Ok(()) => self.answer().await,
            Err(error) => Err(self.lost(Some(error))),
        }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// The next head, interim or not.
    pub async fn interim(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.unread.windows(4).position(|end| end == b"\r\n\r\n") {
                let head: Vec<u8> = self.unread.drain(..end + 4).collect();
                return Ok(String::from_utf8_lossy(&head).into_owned());
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// All that comes until the other side closes.
    pub async fn rest(mut self) -> Vec<u8> {
        let _ = self.stream.read_to_end(&mut self.unread).await;
        self.unread
    }

    /// The next answer, interim ones left out, by the framing it declares.
    pub async fn answer(&mut self) -> Result<Answer, Lost> {
        loop {
            if let Some((length, answer)) = whole(&self.unread) {
                self.unread.drain(..length);
                if answer.status >= 200 {
                    self.answered += 1;
                    return Ok(answer);
                }
                continue;
            }
            match self.stream.read_buf(&mut self.unread).await {
                Ok(0) => return Err(self.lost(None)),
                Ok(_) => {}
                Err(error) => return Err(self.lost(Some(error))),
            }
        }
    }

    fn lost(&self, error: Option<io::Error>) -> Lost {
        let closing = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
        let closed = error.as_ref().is_none_or(|error| closing.contains(&error.kind()));
        if closed && self.unread.is_empty() && self.answered > 0 {
            return Lost::Unanswered { reset: error.is_some() };
        }
        let how = error.map_or("closed".to_owned(), |error| error.to_string());
        let read = String::from_utf8_lossy(&self.unread);
        Lost::Midway(format!("{how}, after {} answers and {read:?} of the next", self.answered))
    }
}

/// The first complete answer and its length in bytes.
fn whole(bytes: &[u8]) -> Option<(usize, Answer)> {
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let answer = Answer::of(&bytes[..head]);
    let field = |name: &str| {
        let lines = answer.head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(found, _)| *found == name).map(|(_, value)| value.trim().to_owned()).next()
    };
    let rest = &bytes[head..];
    let (length, body) = if let Some(length) = field("content-length") {
        let length = length.parse().unwrap();
        (length, String::from_utf8_lossy(rest.get(..length)?).into_owned())
    } else if field("transfer-encoding").is_some() {
        chunked(rest)?
    } else {
        (0, String::new())
    };
    Some((head + length, Answer { body, ..answer }))
}

fn chunked(bytes: &[u8]) -> Option<(usize, String)> {
    let (mut at, mut body) = (0, String::new());
    loop {
        let line = bytes[at..].windows(2).position(|end| end == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[at..at + line]).unwrap(), 16).unwrap();
        at += line + 2;
        body.push_str(&String::from_utf8_lossy(bytes.get(at..at + size)?));
        bytes.get(at + size..at + size + 2)?;
        at += size + 2;
        if size == 0 {
            return Some((at, body));
        }
    }
}
