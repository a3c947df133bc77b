//! Server-sent events, as far as providers use them: the data of one event after the other.

/// The longest event, in bytes.
const LONGEST_EVENT: usize = 1024 * 1024;

/// Takes bytes as they come and gives events as they are whole.
#[derive(Debug, Default)]
pub struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    after_return: bool,
}

/// An event is larger than any real one.
#[derive(Debug, PartialEq, Eq)]
pub struct EventTooLong;

impl Events {
    /// Takes more bytes; gives the data of each event that they complete.
    ///
    /// # Errors
    /// [`EventTooLong`].
    pub fn take(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, EventTooLong> {
        let mut whole = Vec::new();
        for &byte in bytes {
            let is_second_half = byte == b'\n' && self.after_return;
            self.after_return = byte == b'\r';
            match byte {
                _ if is_second_half => {}
                b'\n' | b'\r' => whole.extend(self.end_line()),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.len() > LONGEST_EVENT {
                return Err(EventTooLong);
            }
        }
        Ok(whole)
    }

    /// What is left when the stream ends; some providers leave out the last empty line.
    pub fn end(&mut self) -> Option<Vec<u8>> {
        self.end_line().or_else(|| self.end_line())
    }

    fn end_line(&mut self) -> Option<Vec<u8>> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return Some(std::mem::take(&mut self.data)).filter(|data| !data.is_empty());
        }
        if let Some(value) = line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn texts(events: Vec<Vec<u8>>) -> Vec<String> {
        events.into_iter().map(|event| String::from_utf8(event).unwrap()).collect()
    }

    #[test]
    fn comments_names_and_all_line_ends_are_understood() {
        let stream = b": hi\n\nevent: x\ndata: one\n\ndata:two\r\ndata: three\r\n\r\ndata: four\r\r";
        assert_eq!(texts(Events::default().take(stream).unwrap()), ["one", "two\nthree", "four"]);
    }

    #[test]
    fn an_event_without_its_last_line_is_whole_at_the_end() {
        let mut events = Events::default();
        assert_eq!(events.take(b"data: [DONE]").unwrap(), Vec::<Vec<u8>>::new());
        assert_eq!(events.end().unwrap(), b"[DONE]");
        assert_eq!(events.end(), None);
    }

    #[test]
    fn an_event_without_end_is_refused() {
        let mut events = Events::default();
        let outcome = (0..=1024).try_for_each(|_| events.take(&[b'x'; 1024]).map(|_| ()));
        assert_eq!(outcome, Err(EventTooLong));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_network_cuts(data in proptest::collection::vec("[a-z ü{}]{1,12}", 1..5), cut in 1_usize..9) {
            let stream: String = data.iter().map(|data| format!("data: {data}\r\n\r\n")).collect();
            let mut events = Events::default();
            let mut whole = Vec::new();
            for piece in stream.as_bytes().chunks(cut) {
                whole.extend(events.take(piece).unwrap());
            }
            prop_assert_eq!(texts(whole), data);
        }
    }
}
