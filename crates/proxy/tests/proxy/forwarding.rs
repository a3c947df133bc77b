//! What passes through unchanged, what does not pass, and what breaks visibly.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::{Front, Raw, Upstreamed, event_stream, get, ok, soon};
use proxy::{Address, Timeouts, Upstream};
use tokio::io::AsyncReadExt as _;

/// One exchange on fresh connections: what the upstream saw, and what the client saw.
async fn exchange(request: &str, answer: &str) -> (String, String) {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send(request).await;
    let mut server = upstream.accept().await;
    let seen = server.head().await.to_ascii_lowercase();
    server.send(answer).await;
    let head = client.head().await.to_ascii_lowercase();
    (seen, head)
}

#[tokio::test]
async fn the_bytes_of_the_target_stay_as_they_are() {
    for target in
        ["/", "/a//b/../c/./d", "/%2e%2E/%41?x=%20+a&y=;|{}[]^`", "/?", "//double", "/a?b?c=/../", "/{\"json\"}|^"]
    {
        let (seen, _) = exchange(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"), &ok("")).await;
        let expected = format!("get {} http/1.1\r\n", target.to_ascii_lowercase());
        assert!(seen.starts_with(&expected), "{target}: {seen}");
    }
    let (seen, _) = exchange("GET http://a/x?y HTTP/1.1\r\nHost: a\r\n\r\n", &ok("")).await;
    assert!(seen.starts_with("get /x?y http/1.1\r\n") && seen.contains("host: a\r\n"), "{seen}");
}

#[tokio::test]
async fn the_server_as_a_whole_is_asked_for_its_options_only() {
    let (seen, _) = exchange("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", &ok("")).await;
    assert!(seen.starts_with("options * http/1.1\r\n"), "{seen}");
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send("GET * HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 405"));
}

#[tokio::test]
async fn headers_of_one_hop_end_there_in_both_directions() {
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Mine, X-Set-By-Proxy, Host\r\nX-Mine: 1\r\n\
                   Keep-Alive: 5\r\nProxy-Connection: x\r\nProxy-Authorization: Basic x\r\nTE: gzip, trailers\r\n\
                   Upgrade: h2c\r\nX-Kept: 1\r\n\r\n";
    let answer = "HTTP/1.1 200 OK\r\nConnection: X-Secret\r\nX-Secret: 1\r\nKeep-Alive: 5\r\n\
                  Proxy-Authenticate: Basic\r\nUpgrade: h2\r\nX-Kept: 1\r\nContent-Length: 0\r\n\r\n";
    let (seen, head) = exchange(request, answer).await;
    for gone in ["x-mine", "keep-alive", "proxy-", "gzip", "upgrade", "h2c"] {
        assert!(!seen.contains(gone), "{gone} in {seen}");
    }
    for kept in ["x-kept: 1", "host: a", "te: trailers", "x-set-by-proxy: yes"] {
        assert!(seen.contains(kept), "{kept} not in {seen}");
    }
    for gone in ["x-secret", "keep-alive", "proxy-", "upgrade"] {
        assert!(!head.contains(gone), "{gone} in {head}");
    }
    assert!(head.contains("x-kept: 1"), "{head}");
}

#[tokio::test]
async fn heads_beyond_the_limit_are_refused_and_big_ones_pass() {
    let (seen, _) =
        exchange(&get("/").replace("\r\n\r\n", &format!("\r\nX: {}\r\n\r\n", "x".repeat(30_000))), &ok("")).await;
    assert!(seen.len() > 30_000);
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send(format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n", "x".repeat(70_000))).await;
    assert!(client.rest().await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn an_upload_streams_and_the_answer_may_come_before_its_end() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send("POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n").await;
    let mut server = upstream.accept().await;
    server.until("first").await;
    server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\necho\r\n").await;
    client.until("echo").await;
    client.send("6\r\nsecond\r\n0\r\n\r\n").await;
    server.until("second").await;
    server.send("0\r\n\r\n").await;
    client.until("0\r\n\r\n").await;
}

#[tokio::test]
async fn a_client_that_expects_100_is_told_to_go_on_by_this_hop() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n").await;
    let mut server = upstream.accept().await;
    assert!(!server.head().await.to_ascii_lowercase().contains("expect"));
    assert!(client.head().await.starts_with("HTTP/1.1 100"));
    client.send("body").await;
    server.until("body").await;
    server.send(ok("fine")).await;
    client.until("fine").await;
}

#[tokio::test]
async fn a_client_whose_request_is_refused_is_not_told_to_go_on() {
    let upstream = Upstreamed::new().await;
    let address = upstream.address();
    drop(upstream);
    let front = Front::before(address).await;
    let mut client = front.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n").await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 502"), "{head}");
}

#[tokio::test]
async fn a_body_passes_whatever_the_method() {
    for (method, framing, body) in [
        ("GET", "Content-Length: 4", "abcd"),
        ("GET", "Transfer-Encoding: chunked", "4\r\nabcd\r\n0\r\n\r\n"),
        ("DELETE", "Transfer-Encoding: chunked", "4\r\nabcd\r\n0\r\n\r\n"),
        ("OPTIONS", "Content-Length: 4", "abcd"),
    ] {
        let upstream = Upstreamed::new().await;
        let front = Front::before(upstream.address()).await;
        let mut client = front.connect().await;
        client.send(format!("{method} / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{body}")).await;
        let mut server = upstream.accept().await;
        let head = server.head().await.to_ascii_lowercase();
        assert!(head.contains(&framing.to_ascii_lowercase()), "{method}: {head}");
        server.until(body).await;
        server.send(ok("fine")).await;
        client.until("fine").await;
    }
}

#[tokio::test]
async fn a_body_is_seen_as_it_streams_and_to_its_end() {
    for (framing, first, second) in [
        ("Content-Length: 8", "abcd", "efgh"),
        ("Transfer-Encoding: chunked", "4\r\nabcd\r\n", "4\r\nefgh\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "4\r\nabcd\r\n", "4\r\nefgh\r\n0\r\nx-sum: 1\r\n\r\n"),
    ] {
        let upstream = Upstreamed::new().await;
        let front = Front::before(upstream.address()).await;
        let mut client = front.connect().await;
        client
            .send(format!("POST / HTTP/1.1\r\nHost: a\r\nX-Watch: 1\r\nTrailer: X-Sum\r\n{framing}\r\n\r\n{first}"))
            .await;
        let mut server = upstream.accept().await;
        server.until("abcd").await;
        assert_eq!(*front.seen.bytes.lock().unwrap(), b"abcd");
        assert_eq!(front.seen.done.load(Ordering::Relaxed), 0);
        client.send(second).await;
        server.until(second).await;
        assert_eq!(*front.seen.bytes.lock().unwrap(), b"abcdefgh");
        assert_eq!(front.seen.done.load(Ordering::Relaxed), 1, "{framing}");
        server.send(ok("fine")).await;
        client.until("fine").await;
        assert_eq!(front.seen.done.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_seen_as_done() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nX-Watch: 1\r\nContent-Length: 8\r\n\r\nabcd").await;
    let mut server = upstream.accept().await;
    server.until("abcd").await;
    drop(client);
    assert_eq!(server.rest().await, "");
    assert_eq!(front.seen.done.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn trailers_of_an_upload_pass() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    client.send("2\r\nhi\r\n0\r\nX-Sum: 42\r\n\r\n").await;
    let mut server = upstream.accept().await;
    let seen = server.until("x-sum: 42\r\n\r\n").await.to_ascii_lowercase();
    assert!(seen.contains("trailer: x-sum") && seen.contains("hi\r\n0\r\n"), "{seen}");
}

#[tokio::test]
async fn barred_trailers_of_an_upload_go_no_further() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Barred, X-Sum\r\nTrailer: host\r\n").await;
    client.send("Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nHost: b\r\nX-Barred: 1\r\nX-Sum: 42\r\n\r\n").await;
    let mut server = upstream.accept().await;
    let seen = server.until("\r\n0\r\nx-sum: 42\r\n\r\n").await.to_ascii_lowercase();
    assert!(seen.contains("\r\ntrailer: x-sum\r\n") && !seen.contains("barred"), "{seen}");
    server.send(ok("fine")).await;
    client.until("fine").await;
}

#[tokio::test]
async fn a_client_that_leaves_during_its_upload_is_seen_upstream() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n").await;
    let mut server = upstream.accept().await;
    server.until("half").await;
    drop(client);
    let rest = server.rest().await;
    assert!(!rest.contains("0\r\n\r\n"), "looks complete: {rest:?}");
}

#[tokio::test]
async fn trailers_pass_to_a_client_that_takes_them() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n").await;
    let mut server = upstream.accept().await;
    assert!(server.head().await.to_ascii_lowercase().contains("te: trailers"));
    server
        .send(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 42\r\n\r\n",
        )
        .await;
    client.until("x-sum: 42").await;
}

#[tokio::test]
async fn the_first_event_arrives_before_the_second_is_sent() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let (mut client, mut server) = event_stream(&front, &upstream).await;
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        server.send(format!("{:x}\r\n{event}\r\n", event.len())).await;
        client.until(event).await;
    }
    drop(client);
    assert_eq!(server.rest().await, "", "the upstream sees that the client left");
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_is_seen_upstream() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send(get("/slow")).await;
    let mut server = upstream.accept().await;
    server.head().await;
    drop(client);
    assert_eq!(server.rest().await, "");
}

#[tokio::test]
async fn a_cut_answer_is_shown_as_cut() {
    for (answer, what) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "with a length"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "chunked"),
    ] {
        let upstream = Upstreamed::new().await;
        let front = Front::before(upstream.address()).await;
        let mut client = front.connect().await;
        client.send(get("/")).await;
        let mut server = upstream.accept().await;
        server.head().await;
        server.send(answer).await;
        client.until("half").await;
        drop(server);
        let rest = client.rest().await;
        assert!(!rest.contains("0\r\n\r\n"), "{what}: looks complete: {rest:?}");
    }
}

#[tokio::test]
async fn connections_are_reused_and_a_dead_one_costs_nobody_a_request() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send(get("/1")).await;
    let mut server = upstream.accept().await;
    server.head().await;
    server.send(ok("one")).await;
    client.until("one").await;

    client.send(get("/2")).await;
    assert!(server.head().await.starts_with("GET /2 "), "the same connection carries the second");
    // Dies with the request in it: sent again on a fresh connection, as it has no effect.
    drop(server);
    let mut fresh = upstream.accept().await;
    assert!(fresh.head().await.starts_with("GET /2 "));
    fresh.send(ok("two")).await;
    client.until("two").await;

    client.send("POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx").await;
    fresh.until("x").await;
    drop(fresh);
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 502"), "a POST is not sent twice: {head}");
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_named_as_such() {
    let upstream = Upstreamed::new().await;
    let address = upstream.address();
    drop(upstream);
    let front = Front::before(address).await;
    let mut client = front.connect().await;
    client.send(get("/")).await;
    client.until("unreachable").await;
}

#[tokio::test]
async fn an_upstream_that_never_answers_times_out() {
    let upstream = Upstreamed::new().await;
    let timeouts = Timeouts { answer: Some(Duration::from_millis(50)), ..Timeouts::default() };
    let front = Front::with(Upstream::new(Address::Tcp(upstream.address().to_string()), timeouts)).await;
    let mut client = front.connect().await;
    client.send(get("/")).await;
    let _held = upstream.accept().await;
    client.until("too late").await;
}

#[tokio::test]
async fn an_upstream_can_be_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let front = Front::with(Upstream::new(Address::Unix(path), Timeouts::default())).await;
    let mut client = front.connect().await;
    client.send(get("/over-unix")).await;
    let (mut server, _) = soon("a connection", listener.accept()).await.unwrap();
    let mut start = [0; 14];
    server.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"GET /over-unix");
}

#[tokio::test]
async fn connect_and_unasked_upgrades_are_refused() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send("CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 405"));

    let mut client = front.connect().await;
    client
        .send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")
        .await;
    let mut server = upstream.accept().await;
    let seen = server.head().await.to_ascii_lowercase();
    assert!(!seen.contains("upgrade") && !seen.contains("h2c") && !seen.contains("http2-settings"), "{seen}");
    server.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 502"));
}

#[tokio::test]
async fn an_http_1_0_client_is_served() {
    let (seen, head) = exchange("GET / HTTP/1.0\r\nHost: a\r\n\r\n", &ok("")).await;
    assert!(seen.starts_with("get / http/1.1"), "{seen}");
    assert!(head.starts_with("http/1.0 200"), "{head}");
}

#[tokio::test]
async fn an_answer_to_head_has_a_length_and_no_body() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client: Raw = front.connect().await;
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut server = upstream.accept().await;
    server.head().await;
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await;
    assert!(client.head().await.to_ascii_lowercase().contains("content-length: 1000"));
    client.send(get("/next")).await;
    assert!(server.head().await.starts_with("GET /next"), "the connection is still in step");
}
