//! Reads what a client says over a WebSocket, as far as it takes to judge it (RFC 6455, 5.2).
//!
//! Of each message the beginning is unmasked and shown, once: when it is long enough, or when the
//! message is at its end. Pings, pongs and closes are passed over, and so is the rest of what is
//! long. At most [`MESSAGE_BYTES`] are held.

use proxy::ClientWatch;

use super::{MESSAGE_BYTES, Message, MessageForm};

const FINAL_BIT: u8 = 0x80;
const EXTENSION_BITS: u8 = 0x70;
const MASK_BIT: u8 = 0x80;
const CONTINUED: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const LONGEST_HEADER: usize = 14;

/// Calls back with each message.
pub(crate) struct Frames<F> {
    on_message: F,
    header: Vec<u8>,
    /// The frame whose payload comes.
    frame: Option<Frame>,
    /// Its bytes that have come.
    come: u64,
    /// The message that began and was not shown yet.
    form: Option<MessageForm>,
    start: Vec<u8>,
}

impl<F: FnMut(Message<'_>) + Send> Frames<F> {
    pub(crate) fn new(on_message: F) -> Self {
        let header = Vec::with_capacity(LONGEST_HEADER);
        Self { on_message, header, frame: None, come: 0, form: None, start: Vec::new() }
    }

    /// Takes what belongs to the header of a frame, and gives the rest.
    fn head<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Some((first, rest)) = bytes.split_first() else { return bytes };
        self.header.push(*first);
        if let Some(frame) = Frame::parse(&self.header) {
            self.header.clear();
            if let Some(form) = frame.begins() {
                self.form = Some(form);
                self.start.clear();
            }
            self.come = 0;
            self.frame = Some(frame);
            self.end_of_frame();
        }
        rest
    }

    /// Takes what belongs to the payload of `frame`, and gives the rest.
    fn payload<'b>(&mut self, frame: Frame, bytes: &'b [u8]) -> &'b [u8] {
        let missing = usize::try_from(frame.payload - self.come).unwrap_or(usize::MAX);
        let (of_frame, rest) = bytes.split_at(missing.min(bytes.len()));
        if frame.is_of_message() && self.form.is_some() {
            let room = MESSAGE_BYTES - self.start.len();
            let key = frame.mask.iter().cycle().skip((self.come % 4) as usize);
            self.start.extend(of_frame.iter().zip(key).take(room).map(|(byte, key)| byte ^ key));
            if self.start.len() == MESSAGE_BYTES {
                self.show(false);
            }
        }
        self.come += of_frame.len() as u64;
        self.end_of_frame();
        rest
    }

    fn end_of_frame(&mut self) {
        let Some(frame) = self.frame.take_if(|frame| frame.payload == self.come) else { return };
        if frame.is_of_message() && frame.last {
            self.show(true);
        }
    }

    fn show(&mut self, whole: bool) {
        if let Some(form) = self.form.take() {
            (self.on_message)(Message { start: &self.start, whole, form });
        }
    }
}

impl<F: FnMut(Message<'_>) + Send> ClientWatch for Frames<F> {
    fn client_sent(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.frame {
                Some(frame) => self.payload(frame, bytes),
                None => self.head(bytes),
            };
        }
    }
}

#[derive(Clone, Copy)]
struct Frame {
    opcode: u8,
    last: bool,
    extended: bool,
    payload: u64,
    mask: [u8; 4],
}

impl Frame {
    /// The frame whose complete header this is; `None` while bytes are missing.
    fn parse(header: &[u8]) -> Option<Self> {
        let &[first, second, ref rest @ ..] = header else { return None };
        let (payload, rest) = match second & !MASK_BIT {
            126 => {
                rest.split_first_chunk::<2>().map(|(length, rest)| (u64::from(u16::from_be_bytes(*length)), rest))?
            }
            127 => rest.split_first_chunk::<8>().map(|(length, rest)| (u64::from_be_bytes(*length), rest))?,
            short => (u64::from(short), rest),
        };
        let mask = if second & MASK_BIT != 0 { *rest.first_chunk::<4>()? } else { [0; 4] };
        let (last, extended) = (first & FINAL_BIT != 0, first & EXTENSION_BITS != 0);
        Some(Self { opcode: first & 0x0f, last, extended, payload, mask })
    }

    /// The form of the message that begins with this frame.
    fn begins(&self) -> Option<MessageForm> {
        match self.opcode {
            TEXT | BINARY if self.extended => Some(MessageForm::Unreadable),
            TEXT => Some(MessageForm::Text),
            BINARY => Some(MessageForm::Binary),
            _ => None,
        }
    }

    fn is_of_message(&self) -> bool {
        matches!(self.opcode, CONTINUED | TEXT | BINARY)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::sync::{Arc, Mutex};

    use super::*;

    const FINAL: u8 = 0x80;
    const COMPRESSED: u8 = 0x40;
    const PING: u8 = 9;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..126 => bytes.push(0x80 | u8::try_from(length).unwrap()),
            length @ 126..65_536 => {
                bytes.push(0x80 | 126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                bytes.push(0x80 | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        let mask = [0x81, 2, 3, 0xff];
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    }

    type Shown = (Vec<u8>, bool, MessageForm);

    fn shown(stream: &[u8], piece: usize) -> Vec<Shown> {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&shown);
        let mut frames = Frames::new(move |message: Message<'_>| {
            kept.lock().unwrap().push((message.start.to_vec(), message.whole, message.form));
        });
        stream.chunks(piece).for_each(|bytes| frames.client_sent(bytes));
        assert!(frames.start.capacity() <= 2 * MESSAGE_BYTES);
        drop(frames);
        Arc::try_unwrap(shown).unwrap().into_inner().unwrap()
    }

    #[test]
    fn each_message_is_shown_once_wherever_its_bytes_are_cut() {
        let whole = |text: &[u8], form| (text.to_vec(), true, form);
        let (text, binary) = (MessageForm::Text, MessageForm::Binary);
        // A payload that looks like frames itself must not be taken for any.
        let long: Vec<u8> = std::iter::repeat_n(0x81, 70_000).collect();
        let medium: Vec<u8> = (0..200).collect();
        let beginning = (long[..MESSAGE_BYTES].to_vec(), false, binary);
        let exact = vec![7; MESSAGE_BYTES];
        for (frames, expected, what) in [
            (vec![frame(FINAL | TEXT, b"hello")], vec![whole(b"hello", text)], "text"),
            (vec![frame(FINAL | TEXT, b"")], vec![whole(b"", text)], "nothing"),
            (
                vec![frame(FINAL | BINARY, &medium), frame(FINAL | BINARY, &long), frame(FINAL | TEXT, b"2")],
                vec![whole(&medium, binary), beginning.clone(), whole(b"2", text)],
                "binary, with both longer lengths",
            ),
            (vec![frame(FINAL | BINARY, &exact)], vec![(exact.clone(), false, binary)], "as long as is looked at"),
            (vec![frame(FINAL | PING, b"1234"), frame(FINAL | 10, b""), frame(FINAL | 8, b"xx")], vec![], "control"),
            (
                vec![frame(TEXT, b"hel"), frame(FINAL | PING, b"!"), frame(0, b""), frame(FINAL, b"lo")],
                vec![whole(b"hello", text)],
                "a message in pieces, with a ping between them",
            ),
            (
                vec![frame(BINARY, &long), frame(0, &long), frame(FINAL, b"x"), frame(FINAL | TEXT, b"y")],
                vec![beginning.clone(), whole(b"y", text)],
                "a long message in pieces",
            ),
            (vec![frame(TEXT, b"never ended")], vec![], "a message without an end"),
            (
                vec![frame(FINAL | COMPRESSED | TEXT, b"\xaa\x00")],
                vec![whole(b"\xaa\x00", MessageForm::Unreadable)],
                "compressed",
            ),
            (vec![vec![0x81, 2, b'h', b'i']], vec![whole(b"hi", text)], "without a mask"),
        ] {
            let stream = frames.concat();
            for piece in [1, 2, 7, 1000, stream.len()] {
                assert_eq!(shown(&stream, piece), expected, "{what} in pieces of {piece}");
            }
        }
    }
}
