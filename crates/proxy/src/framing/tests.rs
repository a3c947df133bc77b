#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::{Framing, Refused, Within};

/// Where a stream cut into pieces of this size is refused, counted from its start.
fn refusal(stream: &[u8], piece: usize) -> Option<(usize, Within)> {
    let mut framing = Framing::default();
    let mut before = 0;
    for piece in stream.chunks(piece) {
        if let Err(Refused { clear, within }) = framing.read(piece) {
            return Some((before + clear, within));
        }
        before += piece.len();
    }
    None
}

/// The same, whatever the pieces: of every size, and cut in two at every byte.
fn refused(stream: &str) -> Option<(usize, Within)> {
    let stream = stream.as_bytes();
    let whole = refusal(stream, stream.len());
    for piece in 1..stream.len() {
        assert_eq!(refusal(stream, piece), whole, "in pieces of {piece}: {}", stream.escape_ascii());
    }
    for at in 1..stream.len() {
        let mut framing = Framing::default();
        let (first, second) = stream.split_at(at);
        let cut = match (framing.read(first), whole) {
            (Err(refused), _) => Some((refused.clear, refused.within)),
            (Ok(()), _) => framing.read(second).err().map(|refused| (at + refused.clear, refused.within)),
        };
        assert_eq!(cut, whole, "cut at {at}: {}", stream.escape_ascii());
    }
    whole
}

fn post(fields: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}")
}

const NEXT: &str = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
const LOOKS_LIKE_A_HEAD: &str =
    "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\nTransfer-Encoding: x\r\n\r\n";

#[test]
fn what_can_be_read_in_one_way_only_passes() {
    let of_length = LOOKS_LIKE_A_HEAD.len();
    for (stream, what) in [
        (NEXT.repeat(3), "requests one after the other"),
        (format!("\r\n\r\n{NEXT}\r\n{NEXT}"), "empty lines before a request"),
        (post("Content-Length: 0\r\n", NEXT), "a body of nothing"),
        (post("content-LENGTH:\t 4 \t\r\n", "abcd") + NEXT, "spaces around a length"),
        (post(&format!("Content-Length: {of_length}\r\n"), LOOKS_LIKE_A_HEAD) + NEXT, "a body like a head"),
        (post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n") + NEXT, "chunks"),
        (
            post("TRANSFER-encoding:CHUNKED\r\n", "00f\r\n0\r\n\r\n\r\nabcdefgh\r\n0\r\n\r\n") + NEXT,
            "a chunk like an end",
        ),
        (
            post("Transfer-Encoding: chunked\r\n", &format!("{of_length:x}\r\n{LOOKS_LIKE_A_HEAD}\r\n0\r\n\r\n"))
                + NEXT,
            "a chunk like a head",
        ),
        (post("Transfer-Encoding: chunked\r\n", "3;a=\"b;c\"\r\nabc\r\n0;last\r\n\r\n") + NEXT, "chunk extensions"),
        (post("Transfer-Encoding: chunked\r\n", "0\r\nX-Sum: 4\r\nX-More: 5\r\n\r\n") + NEXT, "trailers"),
        (
            post("X-Content-Length: 5\r\nContent-Lengths: 6\r\nContent-Length-: 7\r\n", NEXT),
            "names that only look alike",
        ),
        (post("Trailer: Content-Length\r\nTE: trailers\r\nCookie: Content-Length: 5\r\n", NEXT), "values that do"),
        ("GET / HTTP/1.0\r\n\r\n".to_owned() + NEXT, "an earlier version"),
        ("POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab".to_owned() + NEXT, "an earlier version with a body"),
    ] {
        assert_eq!(refused(&stream), None, "{what}");
    }
}

#[test]
fn a_head_that_can_be_read_in_two_ways_is_refused_before_it_is_complete() {
    for (fields, what) in [
        ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "a length, then chunks"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "chunks, then a length"),
        ("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "no length, and chunks"),
        ("Content-Length: 4\r\nContent-Length: 5\r\n", "two lengths"),
        ("Content-Length: 4\r\nX: 1\r\ncontent-length: 4\r\n", "one length twice"),
        ("Content-Length: 4, 4\r\n", "a list of lengths"),
        ("Content-Length: +4\r\n", "a plus sign"),
        ("Content-Length: -4\r\n", "a minus sign"),
        ("Content-Length: 0x4\r\n", "another base"),
        ("Content-Length: 4 4\r\n", "a space within"),
        ("Content-Length: \u{664}\r\n", "digits of another script"),
        ("Content-Length:\r\n", "a length of nothing"),
        ("Content-Length: 99999999999999999999\r\n", "more than can be counted"),
        ("Content_Length: 4\r\n", "an underscore that applications read as a hyphen"),
        ("Transfer_Encoding: chunked\r\n", "the same for the encoding"),
        ("Transfer-Encoding: gzip\r\n", "another encoding"),
        ("Transfer-Encoding: gzip, chunked\r\n", "another encoding within the chunks"),
        ("Transfer-Encoding: chunked, gzip\r\n", "chunks within another encoding"),
        ("Transfer-Encoding: chunked, chunked\r\n", "chunks within chunks"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "the encoding twice"),
        ("Transfer-Encoding: identity\r\n", "no encoding, said with many words"),
        ("Transfer-Encoding: \"chunked\"\r\n", "quotes"),
        ("Transfer-Encoding: chunked;q=1\r\n", "a parameter"),
        ("Transfer-Encoding: \u{b}chunked\r\n", "a space that is none"),
        ("Transfer-Encoding:\r\n", "an encoding of nothing"),
        ("X: 1\r\n Transfer-Encoding: chunked\r\n", "a folded line"),
        ("X: 1\r\n\tmore\r\n", "a folded line with a tab"),
        ("X: 1\nY: 2\r\n", "a line that ends with LF"),
        ("X: 1\rY: 2\r\n", "a CR within a line"),
        ("X: 1\r\r\nY: 2\r\n", "a CR before the end of a line"),
        ("X: 1\n", "an end of the head with LF"),
    ] {
        let head = post(fields, "");
        let (at, within) = refused(&(head.clone() + "4\r\nabcd\r\n0\r\n\r\n")).unwrap_or_else(|| panic!("{what}"));
        assert_eq!(within, Within::Head, "{what}");
        assert!(at < head.len(), "{what}: the head was complete at {} and refused at {at}", head.len());
    }
    for (stream, what) in [
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", "a request line that ends with LF"),
        ("\nGET / HTTP/1.1\r\n\r\n", "an LF before a request"),
        ("\rGET / HTTP/1.1\r\n\r\n", "a CR before a request"),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "chunks in an earlier version"),
    ] {
        let (_, within) = refused(stream).unwrap_or_else(|| panic!("{what}"));
        assert_eq!(within, Within::Head, "{what}");
    }
}

#[test]
fn chunks_that_can_be_read_in_two_ways_are_refused() {
    for (body, what) in [
        ("3\nabc\r\n0\r\n\r\n", "a size that ends with LF"),
        ("3 \r\nabc\r\n0\r\n\r\n", "a space after the size"),
        (" 3\r\nabc\r\n0\r\n\r\n", "a space before it"),
        ("+3\r\nabc\r\n0\r\n\r\n", "a sign"),
        ("0x3\r\nabc\r\n0\r\n\r\n", "a base"),
        ("\r\n0\r\n\r\n", "no size"),
        (";x\r\n0\r\n\r\n", "an extension of no size"),
        ("00000000000000003\r\nabc\r\n0\r\n\r\n", "more digits than a size has"),
        ("3;x\ny\r\nabc\r\n0\r\n\r\n", "an LF in an extension"),
        ("3;x\ry\r\nabc\r\n0\r\n\r\n", "a CR in an extension"),
        ("3\r\nabcd\r\n0\r\n\r\n", "a chunk longer than its size"),
        ("3\r\nabc\n0\r\n\r\n", "a chunk that ends with LF"),
        ("0\r\nX: 1\n\r\n", "a trailer that ends with LF"),
        ("0\r\nX: 1\r\n folded\r\n\r\n", "a folded trailer"),
        ("0\r\nContent-Length: 4\r\n\r\n", "a length among the trailers"),
        ("0\r\nTransfer-Encoding: chunked\r\n\r\n", "an encoding among the trailers"),
        ("0\r\n\n", "an end with LF"),
    ] {
        let stream = post("Transfer-Encoding: chunked\r\n", body);
        let (at, within) = refused(&stream).unwrap_or_else(|| panic!("{what}"));
        assert_eq!(within, Within::Body, "{what}");
        assert!(at < stream.len(), "{what}");
    }
}

#[test]
fn the_second_request_is_read_as_strictly_as_the_first() {
    let smuggled = post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "");
    for first in [
        NEXT.to_owned(),
        post("Content-Length: 4\r\n", "abcd"),
        post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\nX: 1\r\n\r\n"),
        post("Upgrade: websocket\r\nConnection: upgrade\r\n", ""),
    ] {
        let (at, within) = refused(&format!("{first}{smuggled}")).unwrap();
        assert_eq!(within, Within::Head, "after {first:?}");
        assert!(at > first.len());
    }
}

#[test]
fn a_line_among_chunks_may_not_grow_without_end() {
    let mut framing = Framing::default();
    framing.read(post("Transfer-Encoding: chunked\r\n", "3;").as_bytes()).unwrap();
    let refused = (0..1000).find_map(|_| framing.read(&[b'x'; 1024]).err());
    assert_eq!(refused.unwrap().within, Within::Body);
}
