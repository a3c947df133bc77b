//! HTTP/2 spoken by hand, for what no honest client says.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::soon;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const MOST_IN_FRAME: usize = 16_384;

pub struct Frames(TcpStream);

/// What became of a request.
#[derive(Debug)]
pub enum Ended {
    Answered(String),
    Reset,
    GoneAway,
}

impl Frames {
    pub async fn connect(address: SocketAddr) -> Self {
        Self::connect_in_pieces(address, PREFACE.len()).await
    }

    pub async fn connect_in_pieces(address: SocketAddr, cut: usize) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (first, second) = PREFACE.split_at(cut);
        for piece in [first, second, &frame(SETTINGS, 0, 0, b"")] {
            stream.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        Self(stream)
    }

    /// Waits for the server's settings: it understood what protocol this is.
    pub async fn settled(&mut self) {
        let (kind, ..) = soon("settings", self.next()).await.expect("settings");
        assert_eq!(kind, SETTINGS);
    }

    /// Sends a request with exactly these fields, in this order.
    pub async fn request(&mut self, stream: u32, fields: &[(&str, &str)], body: &[u8]) {
        let block = block(fields);
        let mut pieces = block.chunks(MOST_IN_FRAME).peekable();
        let end = if body.is_empty() { END_STREAM } else { 0 };
        let mut bytes = Vec::new();
        let mut kind = HEADERS;
        while let Some(piece) = pieces.next() {
            let last = if pieces.peek().is_none() { END_HEADERS } else { 0 };
            let flags = if kind == HEADERS { last | end } else { last };
            bytes.extend(frame(kind, flags, stream, piece));
            kind = CONTINUATION;
        }
        if !body.is_empty() {
            bytes.extend(frame(DATA, END_STREAM, stream, body));
        }
        // The server may have closed on what came first.
        let _ = self.0.write_all(&bytes).await;
    }

    /// Begins requests and takes each back at once.
    pub async fn flood(&mut self, requests: u32) {
        let fields = block(&[(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")]);
        let mut bytes = Vec::new();
        for stream in (0..requests).map(|number| number * 2 + 1) {
            bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream, &fields));
            bytes.extend(frame(RESET, 0, stream, &8_u32.to_be_bytes()));
        }
        let _ = self.0.write_all(&bytes).await;
    }

    pub async fn ended(&mut self, stream: u32) -> Ended {
        soon("an end of the request", async {
            loop {
                match self.next().await {
                    Some((HEADERS, of, payload)) if of == stream => return Ended::Answered(status(&payload)),
                    Some((RESET, of, _)) if of == stream => return Ended::Reset,
                    Some((GO_AWAY, ..)) | None => return Ended::GoneAway,
                    Some(_) => {}
                }
            }
        })
        .await
    }

    /// Whether the server ends the connection, and says so or just closes.
    pub async fn went_away(&mut self) -> bool {
        soon("an end of the connection", async {
            loop {
                match self.next().await {
                    Some((GO_AWAY, ..)) | None => return true,
                    Some(_) => {}
                }
            }
        })
        .await
    }

    async fn next(&mut self) -> Option<(u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, _, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        Some((kind, u32::from_be_bytes(stream), payload))
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields as literals that are not indexed (RFC 7541, 6.2.2).
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            integer(&mut block, text.len());
            block.extend(text.as_bytes());
        }
    }
    block
}

/// An integer with a prefix of seven bits (RFC 7541, 5.1).
fn integer(block: &mut Vec<u8>, number: usize) {
    let Some(mut rest) = number.checked_sub(127) else {
        return block.push(u8::try_from(number).unwrap());
    };
    block.push(127);
    while rest >= 128 {
        block.push(u8::try_from(rest % 128 + 128).unwrap());
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}

/// The status that an answer begins with: from the static table, or a literal with its name from it.
fn status(block: &[u8]) -> String {
    // A change of the table's size may come first.
    let block = if block[0] & 0xe0 == 0x20 { &block[1..] } else { block };
    let of_table = ["200", "204", "206", "304", "400", "404", "500"];
    match block[0] {
        indexed @ 0x88..=0x8e => of_table[usize::from(indexed - 0x88)].to_owned(),
        _ if block[1] & 0x80 != 0 => huffman_digits(&block[2..2 + usize::from(block[1] & 0x7f)]),
        _ => String::from_utf8_lossy(&block[2..2 + usize::from(block[1])]).into_owned(),
    }
}

/// Digits in the code of RFC 7541, appendix B: 0, 1, 2 have five bits, the others six.
fn huffman_digits(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let mut digits = String::new();
    let mut at = 0;
    while at + 5 <= bits.len() && digits.len() < 3 {
        let code = |length: usize| bits[at..at + length].iter().fold(0, |code, bit| code << 1 | bit);
        let (digit, length) = match code(5) {
            five @ 0..=2 => (five, 5),
            _ => (code(6) - 0x19 + 3, 6),
        };
        digits.push(char::from(b'0' + digit));
        at += length;
    }
    digits
}
