//! HTTP/2 in, HTTP/1.1 out.

use std::convert::Infallible;
use std::time::Duration;

use crate::support::frames::{Ended, Frames};
use crate::support::{BOTH, Front, Raw, Upstreamed, http2_get, ok, soon};
use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use proxy::{Body, Limits, serve};
use tokio_util::sync::CancellationToken;

const USUAL: [(&str, &str); 4] = [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/")];

/// One exchange over HTTP/2 on fresh connections: what the upstream saw of the request up to `end`,
/// and what the client got.
async fn exchange(request: Request<Body>, end: &str, answer: &str) -> (String, Response<Incoming>) {
    let (seen, got) = attempt(request, end, answer).await;
    (seen, got.unwrap())
}

/// The same, which may end before the client got anything.
async fn attempt(request: Request<Body>, end: &str, answer: &str) -> (String, hyper::Result<Response<Incoming>>) {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let (mut client, _connection) = front.http2().await;
    let (got, seen) = tokio::join!(client.send_request(request), async {
        let mut server = upstream.accept().await;
        let seen = server.until(end).await;
        server.send(answer).await;
        seen
    });
    (seen, got)
}

fn streamed(frames: Vec<Frame<Bytes>>) -> Body {
    Body::stream(StreamBody::new(futures_util::stream::iter(frames.into_iter().map(Ok::<_, std::io::Error>))))
}

#[tokio::test]
async fn a_request_reaches_the_upstream_as_http_1_1_would_put_it() {
    let request = Request::get("http://a.example:81/x?y=%2e/../z")
        .header("cookie", "a=1")
        .header("cookie", "b=2; c=3")
        .header("x-kept", "1")
        .header("te", "trailers");
    let (seen, answer) = exchange(request.body(Body::empty()).unwrap(), "\r\n\r\n", &ok("fine")).await;
    assert!(seen.starts_with("GET /x?y=%2e/../z HTTP/1.1\r\n"), "{seen}");
    let mut lines: Vec<&str> = seen.lines().skip(1).filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "connection: te",
            "cookie: a=1; b=2; c=3",
            "host: a.example:81",
            "te: trailers",
            "x-kept: 1",
            "x-set-by-proxy: yes",
        ]
    );
    assert_eq!((answer.version(), answer.status().as_u16()), (Version::HTTP_2, 200));
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "fine");
}

#[tokio::test]
async fn whoever_decides_finds_the_host_and_all_cookies_in_their_headers() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, *BOTH, CancellationToken::new(), |_| {
        service_fn(|request: Request<Incoming>| async move {
            let of = |name| format!("{:?}", request.headers().get_all(name).iter().collect::<Vec<_>>());
            Ok::<_, Infallible>(Response::new(Body::from(of("host") + &of("cookie"))))
        })
    }));
    let stream = TokioIo::new(tokio::net::TcpStream::connect(address).await.unwrap());
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://a.example/").header("cookie", "a=1").header("cookie", "b=2");
    let answer = client.send_request(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), r#"["a.example"]["a=1; b=2"]"#);
}

#[tokio::test]
async fn a_body_keeps_its_length_or_is_sent_in_chunks_whatever_the_method() {
    let of_length = Request::post("http://a/").body(Body::from("abcd")).unwrap();
    let (seen, _) = exchange(of_length, "abcd", &ok("")).await;
    assert!(seen.contains("content-length: 4\r\n") && !seen.contains("transfer-encoding"), "{seen}");
    for method in ["POST", "GET", "DELETE"] {
        let pieces = ["ab", "cd"].map(|piece| Frame::data(Bytes::from_static(piece.as_bytes())));
        let request = Request::builder().method(method).uri("http://a/").body(streamed(pieces.into())).unwrap();
        let (seen, _) = exchange(request, "0\r\n\r\n", &ok("")).await;
        assert!(seen.contains("transfer-encoding: chunked\r\n") && !seen.contains("content-length"), "{seen}");
        assert!(seen.contains("ab") && seen.contains("cd"), "{seen}");
    }
    let (seen, _) = exchange(http2_get("/"), "\r\n\r\n", &ok("")).await;
    assert!(!seen.contains("transfer-encoding") && !seen.contains("content-length"), "{seen}");
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let sum = |value: &'static str| http::HeaderMap::from_iter([("x-sum".parse().unwrap(), value.parse().unwrap())]);
    let frames = vec![Frame::data(Bytes::from_static(b"hi")), Frame::trailers(sum("1"))];
    let request = Request::post("http://a/").header("trailer", "x-sum").body(streamed(frames)).unwrap();
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nho\r\n0\r\nX-Sum: 2\r\n\r\n";
    let (seen, got) = exchange(request, "x-sum: 1\r\n\r\n", answer).await;
    assert!(seen.contains("te: trailers"), "{seen}");
    let got = got.into_body().collect().await.unwrap();
    assert_eq!(got.trailers().unwrap(), &sum("2"));
    assert_eq!(got.to_bytes(), "ho");
}

#[tokio::test]
async fn barred_trailers_go_no_further() {
    let fields = ["x-sum", "x-barred", "host", "content_length"];
    let trailers = fields.map(|name| (name.parse().unwrap(), "1".parse().unwrap())).into_iter().collect();
    let frames = vec![Frame::data(Bytes::from_static(b"hi")), Frame::trailers(trailers)];
    let request = Request::post("http://a/").header("trailer", fields.join(", ")).body(streamed(frames)).unwrap();
    let (seen, _) = exchange(request, "\r\n0\r\nx-sum: 1\r\n\r\n", &ok("")).await;
    assert!(seen.contains("\r\ntrailer: x-sum\r\n") && !seen.contains("x-barred"), "{seen}");
}

#[tokio::test]
async fn a_length_is_said_once() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    for twice in ["4", "5"] {
        let mut client = Frames::connect(front.address).await;
        let fields = [&USUAL[..], &[("content-length", "4"), ("content-length", twice)]].concat();
        client.request(1, &fields, b"abcd").await;
        let ended = client.ended(1).await;
        let refused = match &ended {
            Ended::Reset | Ended::GoneAway => true,
            Ended::Answered(status) => status == "400",
        };
        assert!(refused, "{twice}: {ended:?}");
    }
    let (mut client, _connection) = front.http2().await;
    let _answer = tokio::spawn(client.send_request(http2_get("/honest")));
    let head = upstream.accept().await.head().await;
    assert!(head.starts_with("GET /honest "), "something else came first: {head}");
}

#[tokio::test]
async fn headers_of_one_hop_end_there() {
    let answer = "HTTP/1.1 200 OK\r\nConnection: X-Secret, close\r\nX-Secret: 1\r\nKeep-Alive: 5\r\nUpgrade: h2\r\n\
                  X-Kept: 1\r\nContent-Length: 0\r\n\r\n";
    let (_, got) = exchange(http2_get("/"), "\r\n\r\n", answer).await;
    for gone in ["connection", "x-secret", "keep-alive", "upgrade", "transfer-encoding"] {
        assert!(!got.headers().contains_key(gone), "{gone}: {:?}", got.headers());
    }
    assert!(got.headers().contains_key("x-kept"));
}

#[tokio::test]
async fn an_answer_to_head_has_a_length_and_no_body() {
    let request = Request::head("http://a/").body(Body::empty()).unwrap();
    let (_, got) = exchange(request, "\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await;
    assert_eq!(got.headers()["content-length"], "1000");
    assert!(got.into_body().collect().await.unwrap().to_bytes().is_empty());
}

#[tokio::test]
async fn nothing_is_tunnelled() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let (mut client, _connection) = front.http2().await;
    let request = Request::connect("db.internal:5432").body(Body::empty()).unwrap();
    assert_eq!(client.send_request(request).await.unwrap().status(), 405);
    let switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let (_, got) = exchange(http2_get("/ws"), "\r\n\r\n", switching).await;
    assert_eq!(got.status(), 502);
}

#[tokio::test]
async fn a_cut_answer_is_shown_as_cut() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        // The upstream's connection is dropped with the exchange.
        let (_, got) = attempt(http2_get("/"), "\r\n\r\n", answer).await;
        let Ok(got) = got else { continue };
        assert!(got.into_body().collect().await.is_err(), "looks complete: {answer}");
    }
}

#[tokio::test]
async fn a_request_that_is_taken_back_or_whose_client_leaves_is_seen_upstream() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let (mut client, _connection) = front.http2().await;
    let waiting = tokio::spawn(client.send_request(http2_get("/waiting")));
    let mut server = upstream.accept().await;
    server.head().await;
    waiting.abort();
    assert_eq!(server.rest().await, "", "taken back while it waited");

    let reading = tokio::spawn(client.send_request(http2_get("/reading")));
    let mut server = upstream.accept().await;
    server.head().await;
    server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n").await;
    drop(soon("an answer", reading).await.unwrap().unwrap());
    assert_eq!(server.rest().await, "", "taken back while it was read");

    let mut client = Frames::connect(front.address).await;
    client.request(1, &USUAL, b"").await;
    let mut server = upstream.accept().await;
    server.head().await;
    drop(client);
    assert_eq!(server.rest().await, "", "the client left");
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_one_with_a_request_is_not() {
    let upstream = Upstreamed::new().await;
    let limits = Limits { head_time: Duration::from_millis(50), ..*BOTH };
    let front = Front::limited_before(upstream.address(), limits).await;
    let (mut client, connection) = front.http2().await;
    let answer = tokio::spawn(client.send_request(http2_get("/long")));
    let mut server = upstream.accept().await;
    server.head().await;
    let (_idle, idle_connection) = front.http2().await;
    soon("the end of the idle connection", idle_connection).await.unwrap().unwrap();
    server.send(ok("fine")).await;
    assert_eq!(soon("an answer", answer).await.unwrap().unwrap().status(), 200);
    soon("the end of the other one", connection).await.unwrap().unwrap();
}

#[tokio::test]
async fn nobody_is_kept_who_sends_nothing_or_half_a_preface() {
    let upstream = Upstreamed::new().await;
    let limits = Limits { head_time: Duration::from_millis(50), stalled: Duration::from_millis(50), ..*BOTH };
    let front = Front::limited_before(upstream.address(), limits).await;
    let mut clients = Vec::new();
    for sent in ["", "P", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut client = front.connect().await;
        client.send(sent).await;
        clients.push(client);
    }
    for client in &mut clients {
        assert!(!client.rest().await.contains("HTTP/1"));
    }
}

#[tokio::test]
async fn a_preface_is_known_in_any_pieces_and_only_where_it_is_wanted() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    for cut in [1, 4, 15, 23] {
        let mut client = Frames::connect_in_pieces(front.address, cut).await;
        client.settled().await;
    }
    let front = Front::limited_before(upstream.address(), Limits::default()).await;
    let mut client = front.connect().await;
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(!client.rest().await.contains('\0'), "frames came where only HTTP/1 is spoken");
    let mut client: Raw = front.connect().await;
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").await;
    assert!(upstream.accept().await.head().await.starts_with("PUT / "));
}

#[tokio::test]
async fn what_http_1_would_read_differently_never_reaches_the_upstream() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    for (changed, why) in [
        (("transfer-encoding", "chunked"), "an encoding"),
        (("connection", "keep-alive"), "a connection's header"),
        (("upgrade", "h2c"), "an upgrade"),
        (("keep-alive", "5"), "another connection's header"),
        (("te", "gzip"), "an encoding that is asked for"),
        (("content-length", "+4"), "a length with a sign"),
        (("content-length", ""), "a length of nothing"),
        (("content-length", "4, 4"), "a length twice in one line"),
        (("content_length", "4"), "a length by another name"),
        (("content_length", "9"), "another length by another name"),
        (("transfer_encoding", "chunked"), "an encoding by another name"),
        (("x", "a\r\nTransfer-Encoding: chunked"), "a line end in a value"),
        (("x", "a\nb"), "an LF in a value"),
        (("x", "a\0b"), "a NUL in a value"),
        (("x: y\r\nz", "1"), "a line end in a name"),
        (("X-Upper", "1"), "an upper-case name"),
        (("x y", "1"), "a space in a name"),
        ((":path", "/ HTTP/1.1\r\nHost: b\r\n\r\n"), "a request in the path"),
        ((":path", "/a b"), "a space in the path"),
        ((":path", ""), "no path"),
        ((":path", "a"), "a path that is none"),
        ((":method", "POST / HTTP/1.1\r\n\r\nGET"), "a request in the method"),
        ((":method", "CONNECT"), "CONNECT with a path"),
        ((":authority", "a\r\nX: 1"), "a line end in the host"),
        ((":authority", "user@a"), "a user in the host"),
        ((":scheme", "http://b/?"), "a target in the scheme"),
        ((":unknown", "1"), "an unknown word of HTTP/2"),
    ] {
        let mut fields: Vec<(&str, &str)> = USUAL.to_vec();
        match fields.iter_mut().find(|(name, _)| *name == changed.0) {
            Some(field) => *field = changed,
            None if changed.0.starts_with(':') => fields.insert(0, changed),
            None => fields.push(changed),
        }
        let mut client = Frames::connect(front.address).await;
        client.request(1, &fields, b"abcd").await;
        let ended = client.ended(1).await;
        let refused = match &ended {
            Ended::Reset | Ended::GoneAway => true,
            Ended::Answered(status) => status.starts_with('4'),
        };
        assert!(refused, "{why}: {ended:?}");
    }
    let (mut client, _connection) = front.http2().await;
    let _answer = tokio::spawn(client.send_request(http2_get("/honest")));
    let head = upstream.accept().await.head().await;
    assert!(head.starts_with("GET /honest "), "something else came first: {head}");
}

#[tokio::test]
async fn a_body_of_another_length_than_was_said_is_never_complete() {
    for length in ["3", "5"] {
        let upstream = Upstreamed::new().await;
        let front = Front::before(upstream.address()).await;
        let mut client = Frames::connect(front.address).await;
        let fields = [&USUAL[..], &[("content-length", length)]].concat();
        client.request(1, &fields, b"abcd").await;
        assert!(!matches!(client.ended(1).await, Ended::Answered(status) if status.starts_with('2')));
        // It may have come as far as the upstream, which sees it break off.
        let seen = upstream.accept().await.rest().await;
        let body = seen.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        assert!(body.len() < length.parse().unwrap(), "{length}: {seen}");
    }
}

#[tokio::test]
async fn headers_beyond_the_limit_are_refused_and_big_ones_pass() {
    let big = http2_get("/");
    let (mut parts, body) = big.into_parts();
    parts.headers.insert("x", "x".repeat(30_000).parse().unwrap());
    let (seen, _) = exchange(Request::from_parts(parts, body), "\r\n\r\n", &ok("")).await;
    assert!(seen.len() > 30_000);
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = Frames::connect(front.address).await;
    let long = "x".repeat(15_000);
    let mut fields = USUAL.to_vec();
    fields.extend([("a", &*long), ("b", &*long), ("c", &*long), ("d", &*long), ("e", &*long)]);
    client.request(1, &fields, b"").await;
    let ended = client.ended(1).await;
    assert!(matches!(&ended, Ended::Answered(status) if status == "431"), "{ended:?}");
}

#[tokio::test]
async fn a_flood_of_requests_taken_back_ends_the_connection() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = Frames::connect(front.address).await;
    client.flood(2000).await;
    assert!(client.went_away().await, "the flood was taken to its end");
}
