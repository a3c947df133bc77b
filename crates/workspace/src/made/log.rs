//! The last that the app said.

use std::collections::VecDeque;

/// How much is kept, in bytes.
const MOST: usize = 128 * 1024;

/// The end of what the app said.
#[derive(Default)]
pub(super) struct Log {
    bytes: VecDeque<u8>,
    left_out: u64,
}

impl Log {
    pub(super) fn add(&mut self, piece: &[u8]) {
        self.bytes.extend(piece);
        let excess = self.bytes.len().saturating_sub(MOST);
        self.bytes.drain(..excess);
        self.left_out += excess as u64;
    }

    pub(super) fn text(&self) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        match self.left_out {
            0 => text.into_owned(),
            bytes => format!("[… {bytes} bytes before this are not kept …]\n{text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_much_the_end_is_kept() {
        let mut log = Log::default();
        log.add(&[b'.'; MOST]);
        log.add(b"the end");
        assert!(log.text().ends_with("...the end"));
        assert!(log.text().starts_with("[… 7 bytes before"));
    }
}
