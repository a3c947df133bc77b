//! Requests that two servers could read in two ways: where one sees a request, the other sees two.
//! All of them are refused, though a member sends them: whoever stands before the guard or behind it
//! may read them differently.

use super::scene::Scene;
use crate::support::client::{Kept, everything};
use crate::support::{ask, bearer, soon};

/// A request as bytes, and what must become of it.
struct Row {
    what: String,
    why: &'static str,
    statuses: &'static [u16],
    bytes: Vec<u8>,
}

/// What the statuses of a malformed request are: malformed, no such method, too large.
const MALFORMED: &[u16] = &[400];
const METHOD: &[u16] = &[400, 405];
const TOO_LARGE: &[u16] = &[400, 414, 431];
/// What is no HTTP/1.1 at all may be closed without a word.
const MAYBE_SILENT: &[u16] = &[0, 400, 505];

/// What an attacker would have the next server read as a request of its own.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: acme.test\r\n\r\n";

fn row(why: &'static str, statuses: &'static [u16], what: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Row {
    Row { what: what.into(), why, statuses, bytes: bytes.into() }
}

fn all(scene: &Scene) -> Vec<Row> {
    let token = bearer(&scene.town.ada());
    let member = |first: &str, lines: &str| format!("{first}\r\nHost: acme.test\r\n{token}\r\n{lines}\r\n");
    [
        lengths(&member),
        codings(&member),
        lines(&member, &token),
        hosts(&token),
        versions(&member, &token),
        targets(&member),
        sizes(&member),
    ]
    .into_iter()
    .flatten()
    .collect()
}

type Member<'m> = &'m dyn Fn(&str, &str) -> String;

fn lengths(member: Member<'_>) -> Vec<Row> {
    let post = |lines: &str| format!("{}3\r\nabc\r\n0\r\n\r\n{SMUGGLED}", member("POST /framed HTTP/1.1", lines));
    let headers = [
        ("a length, then chunked", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        ("chunked, then a length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
        ("chunked and a length of nothing", "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"),
        ("chunked in capitals, and a length", "TRANSFER-ENCODING: CHUNKED\r\nContent-Length: 5\r\n"),
        ("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"),
        ("two lengths, the smaller last", "Content-Length: 60\r\nContent-Length: 5\r\n"),
        ("the same length twice", "Content-Length: 5\r\nContent-Length: 5\r\n"),
        ("the same length twice in one line", "Content-Length: 5, 5\r\n"),
        ("two lengths in one line", "Content-Length: 5, 6\r\n"),
        ("no length", "Content-Length:\r\n"),
        ("a sign before it", "Content-Length: +5\r\n"),
        ("less than nothing", "Content-Length: -5\r\n"),
        ("a space within it", "Content-Length: 5 5\r\n"),
        ("hexadecimal", "Content-Length: 0x5\r\n"),
        ("hexadecimal without a sign of it", "Content-Length: 5a\r\n"),
        ("a fraction", "Content-Length: 5.0\r\n"),
        ("an exponent", "Content-Length: 5e0\r\n"),
        ("an underscore", "Content-Length: 1_0\r\n"),
        ("a comma after it", "Content-Length: 5,\r\n"),
        ("quotes", "Content-Length: \"5\"\r\n"),
        ("more than any number", "Content-Length: 99999999999999999999999999\r\n"),
        ("more than 64 bits, and then 5", "Content-Length: 18446744073709551621\r\n"),
        ("digits of another alphabet", "Content-Length: \u{ff15}\r\n"),
        ("a vertical tab before it", "Content-Length: \u{b}5\r\n"),
        ("a word", "Content-Length: five\r\n"),
    ];
    let why = "a body has one length, said once, in digits, or it is chunked";
    headers.into_iter().map(|(what, lines)| row(why, MALFORMED, format!("length: {what}"), post(lines))).collect()
}

fn codings(member: Member<'_>) -> Vec<Row> {
    let post = |lines: &str| format!("{}3\r\nabc\r\n0\r\n\r\n{SMUGGLED}", member("POST /framed HTTP/1.1", lines));
    let headers = [
        ("twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ("twice in one line", "Transfer-Encoding: chunked, chunked\r\n"),
        ("not chunked", "Transfer-Encoding: identity\r\n"),
        ("chunked, then not", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
        ("not, then chunked", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"),
        ("compressed and chunked", "Transfer-Encoding: gzip, chunked\r\n"),
        ("chunked and compressed", "Transfer-Encoding: chunked, gzip\r\n"),
        ("compressed", "Transfer-Encoding: gzip\r\n"),
        ("a word like it", "Transfer-Encoding: xchunked\r\n"),
        ("a word that begins like it", "Transfer-Encoding: chunkedx\r\n"),
        ("a parameter", "Transfer-Encoding: chunked;q=1\r\n"),
        ("quotes", "Transfer-Encoding: \"chunked\"\r\n"),
        ("a comma before it", "Transfer-Encoding: ,chunked\r\n"),
        ("a vertical tab before it", "Transfer-Encoding: \u{b}chunked\r\n"),
        ("a NUL after it", "Transfer-Encoding: chunked\0\r\n"),
        ("nothing", "Transfer-Encoding:\r\n"),
        ("anything", "Transfer-Encoding: x\r\n"),
        ("a space before the colon", "Transfer-Encoding : chunked\r\n"),
        ("a tab before the colon", "Transfer-Encoding\t: chunked\r\n"),
        ("a folded line", "Transfer-Encoding:\r\n chunked\r\n"),
        ("in a line that goes on", "X: y\r\n Transfer-Encoding: chunked\r\n"),
        ("behind a carriage return", "X: y\rTransfer-Encoding: chunked\r\n"),
        ("behind a newline", "X: y\nTransfer-Encoding: chunked\r\n"),
        ("a Cyrillic letter", "Transfer-Encoding: \u{441}hunked\r\n"),
    ];
    let why = "chunked, said once and alone, is the only coding of a body";
    headers.into_iter().map(|(what, lines)| row(why, MALFORMED, format!("coding: {what}"), post(lines))).collect()
}

fn lines(member: Member<'_>, token: &str) -> Vec<Row> {
    let plain = member("GET /lines HTTP/1.1", "");
    let with = |line: &str| member("GET /lines HTTP/1.1", line);
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("newlines alone", plain.replace("\r\n", "\n").into_bytes()),
        ("a newline alone after the first line", plain.replacen("\r\n", "\n", 1).into_bytes()),
        ("a newline alone after a header", with("X: y\nZ: z\r\n").into_bytes()),
        ("a newline alone at the end", plain.replace("\r\n\r\n", "\r\n\n").into_bytes()),
        ("newlines alone at the end", plain.replace("\r\n\r\n", "\n\n").into_bytes()),
        ("carriage returns alone", with("X: y\rZ: z\r\n").into_bytes()),
        ("two carriage returns", with("X: y\r\r\n").into_bytes()),
        ("a NUL in a value", with("X: y\0z\r\n").into_bytes()),
        ("a NUL in a name", with("X\0Y: z\r\n").into_bytes()),
        ("a control letter in a value", with("X: y\u{1}z\r\n").into_bytes()),
        ("DEL in a value", with("X: y\u{7f}z\r\n").into_bytes()),
        ("a space before the colon", with("X : y\r\n").into_bytes()),
        ("a tab before the colon", with("X\t: y\r\n").into_bytes()),
        ("a space within a name", with("X Y: z\r\n").into_bytes()),
        (
            "a space before the first header",
            format!("GET /lines HTTP/1.1\r\n Host: acme.test\r\n{token}\r\n\r\n").into_bytes(),
        ),
        ("a folded line", with("X: y\r\n z\r\n").into_bytes()),
        ("a folded line with a tab", with("X: y\r\n\tz\r\n").into_bytes()),
        ("a header without a colon", with("X\r\n").into_bytes()),
        ("a header without a name", with(": y\r\n").into_bytes()),
        ("a name in brackets", with("[X]: y\r\n").into_bytes()),
        ("a name of another alphabet", with("\u{425}: y\r\n").into_bytes()),
        ("a header named like a request", with("GET /smuggled HTTP/1.1\r\n").into_bytes()),
    ];
    let why = "lines end in CR LF, and what is in them is plain";
    rows.into_iter().map(|(what, bytes)| row(why, MALFORMED, format!("lines: {what}"), bytes)).collect()
}

fn hosts(token: &str) -> Vec<Row> {
    let get =
        |target: &str, hosts: &str| format!("GET {target} HTTP/1.1\r\n{hosts}{token}\r\nConnection: close\r\n\r\n");
    let rows = [
        ("none", get("/", "")),
        ("two", get("/", "Host: acme.test\r\nHost: other.test\r\n")),
        ("the same twice", get("/", "Host: acme.test\r\nHost: acme.test\r\n")),
        ("two in one line", get("/", "Host: acme.test, other.test\r\n")),
        ("empty", get("/", "Host:\r\n")),
        ("spaces", get("/", "Host:   \r\n")),
        ("a user", get("/", "Host: ada@acme.test\r\n")),
        ("a path", get("/", "Host: acme.test/x\r\n")),
        ("a query", get("/", "Host: acme.test?x\r\n")),
        ("a space within", get("/", "Host: acme .test\r\n")),
        ("a scheme", get("/", "Host: http://acme.test\r\n")),
        ("quotes", get("/", "Host: \"acme.test\"\r\n")),
        ("a percent sign", get("/", "Host: acme%2etest\r\n")),
        ("a backslash", get("/", "Host: acme.test\\x\r\n")),
        ("a NUL", get("/", "Host: acme.test\0\r\n")),
        ("letters of another alphabet", get("/", "Host: \u{430}cme.test\r\n")),
        ("another than the target", get("http://other.test/", "Host: acme.test\r\n")),
        ("another port than the target", get("http://acme.test:81/", "Host: acme.test\r\n")),
        ("none, but in the target", get("http://acme.test/", "")),
        ("two, and one in the target", get("http://acme.test/", "Host: acme.test\r\nHost: other.test\r\n")),
        ("a user in the target", get("http://ada@acme.test/", "Host: acme.test\r\n")),
        ("folded", get("/", "Host:\r\n acme.test\r\n")),
        ("a space before the colon", get("/", "Host : acme.test\r\n")),
    ];
    let why = "a request is for exactly one host, wherever it says so";
    rows.into_iter().map(|(what, bytes)| row(why, MALFORMED, format!("host: {what}"), bytes)).collect()
}

fn versions(member: Member<'_>, token: &str) -> Vec<Row> {
    let chunked = "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n";
    let mut rows = vec![row(
        "HTTP/1.0 knows no chunks: a server that does not either reads the body as requests",
        MALFORMED,
        "version: 1.0 and chunked",
        format!("{}3\r\nabc\r\n0\r\n\r\n", member("POST /old HTTP/1.0", chunked)),
    )];
    let strange = [
        ("0.9", "GET /old\r\n".to_owned()),
        ("0.9, and headers", format!("GET /old\r\nHost: acme.test\r\n{token}\r\n\r\n")),
        ("0.9, and said so", member("GET /old HTTP/0.9", "")),
        ("1.2", member("GET /new HTTP/1.2", "")),
        ("2.0", member("GET /new HTTP/2.0", "")),
        ("2", member("GET /new HTTP/2", "")),
        ("lower case", member("GET / http/1.1", "")),
        ("another protocol", member("GET / ICAP/1.0", "")),
        ("no number", member("GET / HTTP/", "")),
        ("a number more", member("GET / HTTP/1.1.1", "")),
        ("two spaces before it", member("GET /  HTTP/1.1", "")),
        ("a tab before it", member("GET /\tHTTP/1.1", "")),
        ("a space after it", member("GET / HTTP/1.1 ", "")),
        ("a TLS greeting", "\u{16}\u{3}\u{1}\0\u{5}\u{1}\0\0\u{1}\r\n\r\n".to_owned()),
        ("a proxy's greeting", format!("PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n{}", member("GET / HTTP/1.1", ""))),
        ("nonsense", "\u{0}\u{1}\u{2}\r\n\r\n".to_owned()),
    ];
    rows.extend(strange.map(|(what, bytes)| {
        row("what is not HTTP/1.1, or 1.0, is not read", MAYBE_SILENT, format!("version: {what}"), bytes)
    }));
    rows
}

fn targets(member: Member<'_>) -> Vec<Row> {
    let why = "what is no path cannot be asked for";
    let malformed = ["", "*", "secret", "acme.test:80", "/a b", "/a\0b", "/a\tb", "/a\u{7f}b", "http://", "/a\u{1}b"];
    let methods =
        ["TRACE /", "CONNECT acme.test:80", "CONNECT /", "trace@ /", "G(T /", "GET\0 /", "\u{430} /", "G\"T /"];
    malformed
        .into_iter()
        .map(|target| row(why, MALFORMED, format!("target: {target:?}"), member(&format!("GET {target} HTTP/1.1"), "")))
        .chain(methods.into_iter().map(|first| {
            row(
                "some methods ask for something else than a page",
                METHOD,
                format!("method: {first:?}"),
                member(&format!("{first} HTTP/1.1"), ""),
            )
        }))
        .collect()
}

fn sizes(member: Member<'_>) -> Vec<Row> {
    let many: String = (0..200).map(|number| format!("X-{number}: y\r\n")).collect();
    let why = "what is read before it is judged has a limit";
    vec![
        row(
            why,
            TOO_LARGE,
            "size: a header of 80 KB",
            member("GET / HTTP/1.1", &format!("X: {}\r\n", "y".repeat(80_000))),
        ),
        row(why, TOO_LARGE, "size: two hundred headers", member("GET / HTTP/1.1", &many)),
        row(why, TOO_LARGE, "size: a target of 80 KB", member(&format!("GET /{} HTTP/1.1", "y".repeat(80_000)), "")),
        row(
            why,
            TOO_LARGE,
            "size: a name of 80 KB",
            member("GET / HTTP/1.1", &format!("{}: y\r\n", "X".repeat(80_000))),
        ),
    ]
}

#[tokio::test]
async fn requests_that_can_be_read_in_two_ways_are_refused_even_from_members() {
    let scene = Scene::new().await;
    let rows = all(&scene);
    let (mut wrong, mut before) = (Vec::new(), scene.reached());
    for row in &rows {
        let status = first_status(&scene, row).await;
        let through = scene.since(before);
        if !row.statuses.contains(&status) || !through.is_empty() {
            let through = through.lines().next().unwrap_or_default().to_owned();
            wrong.push(format!(
                "{}: {} instead of {:?}; reached the application: {through:?}\n    because {}",
                row.what, status, row.statuses, row.why
            ));
            before = scene.reached();
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert!(rows.len() >= 120, "only {} rows", rows.len());
    scene.only_ada_enters(before).await;
}

/// The status of the first answer; 0 for a connection that closes without one.
async fn first_status(scene: &Scene, row: &Row) -> u16 {
    let mut connection = Kept::connect(&scene.guard.address).await.unwrap();
    soon(&row.what, connection.exchange(&row.bytes)).await.map_or(0, |answer| answer.status)
}

/// Chunks that are read differently come after a head that was in order, so the application has heard
/// of the request. It never hears of it as a whole one, and nothing in it becomes another.
#[tokio::test]
async fn a_body_whose_chunks_can_be_read_in_two_ways_breaks_off() {
    let scene = Scene::new().await;
    let token = bearer(&scene.town.ada());
    let head = format!("POST /chunks HTTP/1.1\r\nHost: acme.test\r\n{token}\r\nTransfer-Encoding: chunked\r\n\r\n");
    let bodies = [
        ("a sign before the size", "+3\r\nabc\r\n0\r\n\r\n"),
        ("a size below nothing", "-3\r\nabc\r\n0\r\n\r\n"),
        ("a size called hexadecimal", "0x3\r\nabc\r\n0\r\n\r\n"),
        ("no size", "\r\nabc\r\n0\r\n\r\n"),
        ("a size that is no number", "three\r\nabc\r\n0\r\n\r\n"),
        ("a size with an underscore", "0_3\r\nabc\r\n0\r\n\r\n"),
        ("a size beyond all numbers", "fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
        ("a size that is 3 when it is cut to 64 bits", "10000000000000003\r\nabc\r\n0\r\n\r\n"),
        ("a newline alone after the size", "3\nabc\r\n0\r\n\r\n"),
        ("a carriage return alone after the size", "3\rabc\r\n0\r\n\r\n"),
        ("a newline alone in an extension", "3;x\ny\r\nabc\r\n0\r\n\r\n"),
        ("a newline alone after the data", "3\r\nabc\n0\r\n\r\n"),
        ("nothing after the data", "3\r\nabc0\r\n\r\n"),
        ("other letters after the data", "3\r\nabcxx0\r\n\r\n"),
        ("a trailer without a colon", "3\r\nabc\r\n0\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
        ("a trailer with a space before the colon", "3\r\nabc\r\n0\r\nX : y\r\n\r\n"),
    ];
    let mut wrong = Vec::new();
    for (what, body) in bodies {
        let answer = everything(&scene.guard.address, format!("{head}{body}{SMUGGLED}")).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        if !answer.starts_with("HTTP/1.1 400 ") {
            wrong.push(format!("{what}: {}", answer.lines().next().unwrap_or("no answer")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let honest = ask(&scene.guard.address, "/honest", &[&token]).await;
    assert_eq!(honest.status, 200, "{}", honest.body);
    let heard = scene.town.app.seen();
    let others: Vec<&String> = heard.iter().filter(|request| !request.starts_with("POST /chunks\n")).collect();
    // Ada's first and last, and of the rest one request each at most.
    assert!(others.len() == 2 && others.iter().all(|request| request.starts_with("GET /honest\n")), "{others:?}");
    assert!(heard.len() <= 2 + bodies.len(), "{} requests became {}", bodies.len(), heard.len() - 2);
}
