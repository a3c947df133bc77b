//! The request for a tunnel, read strictly and within bounds: it comes from an application that
//! may be hostile.

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::refusal::Refusal;
use super::rule::Destination;

const LONGEST: usize = 8 << 10;
const END: &[u8] = b"\r\n\r\n";

/// A well-formed request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) destination: Destination,
    /// What the application sent behind it without waiting for the answer.
    pub(super) early: Vec<u8>,
}

/// Reads one request; none when the application leaves without a word.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<Head>, Refusal> {
    let mut read = Vec::with_capacity(1024);
    loop {
        // The end may lie across two reads.
        if let Some(end) = read.windows(END.len()).position(|window| window == END) {
            let early = read.split_off(end + END.len());
            return Ok(Some(Head { destination: parse(&read[..end])?, early }));
        }
        if read.len() >= LONGEST {
            return Err(Refusal::new(431, format!("the request for a tunnel is longer than {LONGEST} bytes")));
        }
        let room = (LONGEST - read.len()) as u64;
        match (&mut *stream).take(room).read_buf(&mut read).await {
            Ok(0) if read.is_empty() => return Ok(None),
            Ok(0) => return Err(malformed()),
            Ok(_) => {}
            Err(_) => return Ok(None),
        }
    }
}

fn parse(head: &[u8]) -> Result<Destination, Refusal> {
    let text = std::str::from_utf8(head).map_err(|_| malformed())?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(malformed());
    };
    // HTTP/1.0 is what older clients ask tunnels with.
    let known = matches!(version, "HTTP/1.1" | "HTTP/1.0");
    if !known || !is_token(method) || !lines.all(is_field) {
        return Err(malformed());
    }
    if method != "CONNECT" {
        return Err(Refusal::new(405, "this proxy only opens tunnels (CONNECT): use an https address"));
    }
    Destination::parse(target)
        .ok_or_else(|| Refusal::new(400, "the destination of a tunnel must be HOST:PORT, such as api.example.com:443"))
}

fn malformed() -> Refusal {
    Refusal::new(400, "this is no request for a tunnel: send CONNECT HOST:PORT HTTP/1.1 and headers")
}

fn is_field(line: &str) -> bool {
    let value_is_text = |value: &str| value.chars().all(|letter| letter == '\t' || !letter.is_control());
    line.split_once(':').is_some_and(|(name, value)| is_token(name) && value_is_text(value))
}

fn is_token(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    async fn read_all(bytes: &[u8]) -> Result<Option<Head>, Refusal> {
        read(&mut &*bytes).await
    }

    #[tokio::test]
    async fn a_request_names_a_destination_and_may_be_followed_by_early_bytes() {
        for (raw, destination, early) in [
            ("CONNECT api.example.com:443 HTTP/1.1\r\n\r\n", "api.example.com:443", ""),
            ("CONNECT API.example.com:443 HTTP/1.0\r\nHost: x\r\nUser-Agent: a b\r\n\r\n", "api.example.com:443", ""),
            ("CONNECT [::1]:8 HTTP/1.1\r\nX:\r\n\r\nhello\r\n\r\n", "[::1]:8", "hello\r\n\r\n"),
        ] {
            let head = read_all(raw.as_bytes()).await.unwrap().unwrap();
            assert_eq!((head.destination.to_string().as_str(), head.early), (destination, early.as_bytes().to_vec()));
        }
        assert_eq!(read_all(b"").await, Ok(None));
    }

    #[tokio::test]
    async fn a_request_may_come_in_any_pieces() {
        let raw: &[u8] = b"CONNECT a.example.com:1 HTTP/1.1\r\nHost: a\r\n\r\nearly";
        for cut in 1..raw.len() {
            let (first, second) = raw.split_at(cut);
            let mut stream = first.chain(second);
            let head = read(&mut stream).await.unwrap().unwrap();
            assert!(b"early".starts_with(&head.early), "{cut}");
        }
    }

    #[tokio::test]
    async fn what_is_not_exactly_a_request_is_refused() {
        for (raw, status) in [
            ("GET http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n", 405),
            ("connect a.example.com:1 HTTP/1.1\r\n\r\n", 405),
            ("CONNECT a.example.com:1 HTTP/2\r\n\r\n", 400),
            ("CONNECT a.example.com:1\r\n\r\n", 400),
            ("CONNECT  a.example.com:1 HTTP/1.1\r\n\r\n", 400),
            ("CONNECT a.example.com:1 HTTP/1.1 \r\n\r\n", 400),
            ("CONNECT a.example.com HTTP/1.1\r\n\r\n", 400),
            ("CONNECT a.example.com:0 HTTP/1.1\r\n\r\n", 400),
            ("CONNECT a.example.com.:1 HTTP/1.1\r\n\r\n", 400),
            ("CONNECT user@a.example.com:1 HTTP/1.1\r\n\r\n", 400),
            ("CONNECT http://a.example.com:1 HTTP/1.1\r\n\r\n", 400),
            ("CONNECT a.example.com:1 HTTP/1.1\r\nno colon\r\n\r\n", 400),
            ("CONNECT a.example.com:1 HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", 400),
            ("CONNECT a.example.com:1 HTTP/1.1\r\nA: b\nC: d\r\n\r\n", 400),
            ("CONNECT a.example.com:1 HTTP/1.1\r\nA: \0\r\n\r\n", 400),
            ("CONNECT a.example.com:1 HTTP/1.1\n\n", 400),
            ("\r\n\r\n", 400),
            ("hello", 400),
        ] {
            assert_eq!(read_all(raw.as_bytes()).await.unwrap_err().status, status, "{raw:?}");
        }
        assert_eq!(read_all(b"CONNECT \xff:1 HTTP/1.1\r\n\r\n").await.unwrap_err().status, 400);
        let long = format!("CONNECT a.example.com:1 HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(LONGEST));
        assert_eq!(read_all(long.as_bytes()).await.unwrap_err().status, 431);
        assert_eq!(read(&mut tokio::io::repeat(b'a')).await.unwrap_err().status, 431);
    }
}
