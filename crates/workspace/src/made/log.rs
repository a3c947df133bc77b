//! The last that the app said.

use std::collections::VecDeque;

/// How much is kept, in bytes.
const MOST: usize = 128 * 1024;

/// The end of what one run of the app said.
#[derive(Default)]
pub(super) struct Log {
    /// Which run's, counted from the start of this program.
    run: u64,
    bytes: VecDeque<u8>,
    left_out: u64,
}

/// How far somebody has read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// In which run's log.
    pub run: u64,
    /// The bytes before it.
    pub bytes: u64,
}

/// What the app said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The words.
    pub text: String,
    /// Whether they are all that is kept, and not what follows something.
    pub is_whole: bool,
    /// Where they end.
    pub end: Place,
}

impl Log {
    /// An empty one, for the run after that of another.
    pub(super) fn after(other: &Self) -> Self {
        Self { run: other.run + 1, ..Self::default() }
    }

    pub(super) fn add(&mut self, piece: &[u8]) {
        self.bytes.extend(piece);
        let excess = self.bytes.len().saturating_sub(MOST);
        self.bytes.drain(..excess);
        self.left_out += excess as u64;
    }

    /// All that is kept.
    pub(super) fn whole(&self) -> Said {
        let mut bytes = self.from(0);
        bytes.truncate(bytes.len() - unfinished(&bytes));
        let end = Place { bytes: self.left_out + bytes.len() as u64, ..self.end() };
        let text = String::from_utf8_lossy(&bytes);
        let text = match self.left_out {
            0 => text.into_owned(),
            left_out => format!("[… {left_out} bytes before this are not kept …]\n{text}"),
        };
        Said { text, is_whole: true, end }
    }

    /// What was said after a place, up to the last character that is whole; all that is kept where that
    /// place is not.
    pub(super) fn since(&self, place: Place) -> Said {
        let end = self.end();
        if place.run != self.run || place.bytes < self.left_out || place.bytes > end.bytes {
            return self.whole();
        }
        let mut bytes = self.from(usize::try_from(place.bytes - self.left_out).unwrap_or(usize::MAX));
        bytes.truncate(bytes.len() - unfinished(&bytes));
        let end = Place { bytes: place.bytes + bytes.len() as u64, ..end };
        Said { text: String::from_utf8_lossy(&bytes).into_owned(), is_whole: false, end }
    }

    fn from(&self, index: usize) -> Vec<u8> {
        self.bytes.iter().skip(index).copied().collect()
    }

    fn end(&self) -> Place {
        Place { run: self.run, bytes: self.left_out + self.bytes.len() as u64 }
    }
}

/// How many bytes at the end are the beginning of a character.
fn unfinished(bytes: &[u8]) -> usize {
    let tail = bytes.iter().rev().take(3).position(|byte| *byte >= 0xc0).map_or(0, |position| position + 1);
    let first = bytes.len().checked_sub(tail).and_then(|index| bytes.get(index)).copied().unwrap_or_default();
    let length = match first {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 0,
    };
    if tail < length { tail } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_much_the_end_is_kept() {
        let mut log = Log::default();
        log.add(&[b'.'; MOST]);
        log.add(b"the end");
        assert!(log.whole().text.ends_with("...the end"));
        assert!(log.whole().text.starts_with("[… 7 bytes before"));
        assert!(log.since(Place::default()).is_whole, "what followed is not kept");
    }

    #[test]
    fn who_follows_hears_everything_once_and_characters_whole() {
        let mut log = Log::default();
        let (mut heard, mut place) = (String::new(), Place::default());
        for piece in "a€b😀c".as_bytes().chunks(1) {
            log.add(piece);
            let said = log.since(place);
            assert!(!said.is_whole);
            heard.push_str(&said.text);
            place = said.end;
        }
        assert_eq!(heard, "a€b😀c");
        assert_eq!(log.since(place).text, "");
        let next = Log::after(&log);
        let said = next.since(place);
        assert!(said.is_whole && said.text.is_empty() && said.end != place, "another run begins anew");
    }

    #[test]
    fn what_is_no_text_does_not_hold_the_rest_up() {
        let mut log = Log::default();
        log.add(b"a\xff\xfeb");
        assert_eq!(log.since(Place::default()).text, "a\u{fffd}\u{fffd}b");
    }
}
