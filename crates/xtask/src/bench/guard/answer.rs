use anyhow::{Context as _, Result, bail};

/// As much of an answer's head as counting needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub status: u16,
    /// Bytes of the whole answer.
    pub length: usize,
}

impl Head {
    /// The head of what was received, once all of it has come.
    pub fn of(received: &[u8]) -> Result<Option<Self>> {
        let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
        let head = received.get(..end).unwrap_or_default();
        let status = head.strip_prefix(b"HTTP/1.1 ").and_then(|rest| number(rest.get(..3)?));
        let status = status.context("no HTTP/1.1 status")?;
        let Some(body) = head.split(|byte| *byte == b'\n').find_map(content_length) else {
            bail!("an answer without Content-Length");
        };
        Ok(Some(Self { status: u16::try_from(status)?, length: end + 4 + body }))
    }
}

fn content_length(line: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let (name, value) = line.split_at_checked(NAME.len())?;
    if name.eq_ignore_ascii_case(NAME) { number(value.trim_ascii()) } else { None }
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_answer_is_as_long_as_it_says() {
        let head = b"HTTP/1.1 401 Unauthorized\r\nServer: x\r\ncontent-LENGTH:  12\r\n\r\nwho";
        assert_eq!(Head::of(head).unwrap(), Some(Head { status: 401, length: head.len() - 3 + 12 }));
        assert_eq!(Head::of(&head[..40]).unwrap(), None);
    }

    #[test]
    fn an_answer_that_can_not_be_counted_is_an_error() {
        assert!(Head::of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(Head::of(b"SSH-2.0-x\r\n\r\n").is_err());
    }
}
