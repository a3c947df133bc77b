//! What a command says: its beginning and its end are kept, the rest of much is counted.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::Notify;

/// Bytes kept of the beginning.
const BEGINNING: usize = 768 * 1024;
/// Bytes kept of the end.
const END: usize = 256 * 1024;

/// Where a command's words come in.
pub struct Said(Option<Receiver>);

/// What a command said.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Output {
    beginning: Vec<u8>,
    end: VecDeque<u8>,
    total: u64,
}

impl Said {
    pub(super) fn from(pipe: OwnedFd) -> io::Result<Self> {
        Ok(Self(Some(Receiver::from_owned_fd(pipe)?)))
    }

    /// The next words; `None` after the last.
    ///
    /// # Errors
    /// When the system fails.
    pub async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(pipe) = &mut self.0 else { return Ok(None) };
        let mut piece = vec![0; 16 * 1024];
        let length = pipe.read(&mut piece).await?;
        piece.truncate(length);
        Ok((length > 0).then_some(piece))
    }

    /// Listens to the end. Beyond `most` bytes it says so and only counts.
    pub(super) fn read_all(
        &mut self,
        most: u64,
        mut heard: impl FnMut(&[u8]) + Send + 'static,
        too_much: Arc<Notify>,
    ) -> impl Future<Output = io::Result<Output>> + Send + 'static {
        let mut said = Self(self.0.take());
        async move {
            let mut output = Output::default();
            while let Some(piece) = said.next().await? {
                output.add(&piece);
                if output.total > most {
                    too_much.notify_one();
                } else {
                    heard(&piece);
                }
            }
            Ok(output)
        }
    }
}

impl Output {
    fn add(&mut self, piece: &[u8]) {
        self.total += piece.len() as u64;
        let room = BEGINNING.saturating_sub(self.beginning.len()).min(piece.len());
        let (first, rest) = piece.split_at(room);
        self.beginning.extend_from_slice(first);
        self.end.extend(rest);
        let excess = self.end.len().saturating_sub(END);
        self.end.drain(..excess);
    }

    /// How many bytes of the middle are left out.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.total - self.beginning.len() as u64 - self.end.len() as u64
    }

    /// What is kept, with a word about what is not.
    #[must_use]
    pub fn text(&self) -> String {
        let end: Vec<u8> = self.end.iter().copied().collect();
        let (beginning, end) = (String::from_utf8_lossy(&self.beginning), String::from_utf8_lossy(&end));
        match self.left_out() {
            0 => format!("{beginning}{end}"),
            bytes => format!("{beginning}\n[… {bytes} bytes are left out here …]\n{end}"),
        }
    }

    /// All of it, exactly; `None` when something was left out.
    #[must_use]
    pub fn into_bytes(mut self) -> Option<Vec<u8>> {
        if self.left_out() > 0 {
            return None;
        }
        self.beginning.extend(self.end);
        Some(self.beginning)
    }

    /// Its last `most` bytes or less, in whole lines where there are any.
    #[must_use]
    pub fn tail(&self, most: usize) -> String {
        let text = self.text();
        if text.len() <= most {
            return text;
        }
        let mut from = text.len() - most;
        while !text.is_char_boundary(from) {
            from += 1;
        }
        let tail = text.get(from..).unwrap_or_default();
        let tail = tail.split_once('\n').map_or(tail, |(_, lines)| lines);
        format!("[… the beginning is left out …]\n{tail}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_much_the_beginning_and_the_end_are_kept_and_the_rest_is_counted() {
        let mut output = Output::default();
        output.add(b"first ");
        for _ in 0..300 {
            output.add(&[b'.'; 8192]);
        }
        output.add(b" last");
        assert_eq!(output.total, 6 + 300 * 8192 + 5);
        let text = output.text();
        assert!(text.starts_with("first ....") && text.ends_with(".... last"));
        assert!(text.contains("bytes are left out here"));
        assert_eq!(output.left_out(), output.total - (BEGINNING + END) as u64);
    }

    #[test]
    fn a_tail_begins_with_a_whole_line() {
        let mut output = Output::default();
        output.add("eins\nzwei\ndrei\u{fc}\n".as_bytes());
        assert_eq!(output.tail(100), "eins\nzwei\ndrei\u{fc}\n");
        assert_eq!(output.tail(10), "[… the beginning is left out …]\ndrei\u{fc}\n");
    }
}
