//! What two servers could read differently is refused by a real one, and reaches no upstream.

use crate::support::{Front, Upstreamed, get, ok, soon};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn ambiguous_framing_never_reaches_the_upstream() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    for (request, why) in [
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", "two lengths"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", "one length twice"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd", "a signed length"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\nabcd", "a list of lengths"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 4\r\n\r\nabcd", "a length by another name"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "a length and chunks",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            "chunks and a length",
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nabcd", "an encoding that is not chunked"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "two encodings"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", "chunked is not last"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "two lines of encodings",
        ),
        ("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "chunks in HTTP/1.0"),
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", "a request line that ends with LF"),
        ("GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n", "a header that ends with LF"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", "a head that ends with LF"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: 1\rY: 2\r\n\r\n", "a CR in a value"),
        ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "an LF before the request"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", "a space before the colon"),
        ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "a folded line"),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "a space in the target"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", "NUL in a value"),
    ] {
        // In one piece, and byte by byte up to a cut within the end of the head.
        let end = request.find("\r\n\r\n").or_else(|| request.find("\n\n")).unwrap();
        for cut in [0, 5, end, end + 1, end + 2, end + 3] {
            let mut client = front.connect().await;
            let (first, second) = request.split_at(cut.min(request.len()));
            client.send(first).await;
            tokio::task::yield_now().await;
            client.send_if_open(second).await;
            // Neither is what comes behind it taken for a request.
            client.send_if_open(get("/behind")).await;
            let answer = client.rest().await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{why}, cut at {cut}: {answer:?}");
            assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{why}: {answer:?}");
        }
    }
    let mut client = front.connect().await;
    client.send(get("/honest")).await;
    let head = upstream.accept().await.head().await;
    assert!(head.starts_with("GET /honest "), "something else came first: {head}");
}

#[tokio::test]
async fn what_is_smuggled_behind_an_honest_request_is_refused_and_the_honest_one_served() {
    for (honest, body) in [
        (get("/honest"), ""),
        ("POST /honest HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd".to_owned(), "abcd"),
        (
            "POST /honest HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n".to_owned(),
            "0\r\n\r\n",
        ),
    ] {
        let upstream = Upstreamed::new().await;
        let front = Front::before(upstream.address()).await;
        let mut client = front.connect().await;
        let smuggled =
            "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        client.send(format!("{honest}{smuggled}")).await;
        let mut server = upstream.accept().await;
        server.until("\r\n\r\n").await;
        if !body.is_empty() {
            server.until(body).await;
        }
        server.send(ok("fine")).await;
        let answer = client.rest().await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("HTTP/1.1 400"), "{answer}");
        let mut client = front.connect().await;
        client.send(get("/after")).await;
        let next = server.head().await;
        assert!(next.starts_with("GET /after "), "something else came first: {next}");
    }
}

#[tokio::test]
async fn chunks_that_can_be_read_in_two_ways_break_the_upload_off() {
    for (chunks, why) in [
        ("4 \r\nabcd\r\n0\r\n\r\n", "a space after the size"),
        ("4\nabcd\r\n0\r\n\r\n", "a size that ends with LF"),
        ("4\r\nabcd\n0\r\n\r\n", "a chunk that ends with LF"),
        ("4;x\ny\r\nabcd\r\n0\r\n\r\n", "an LF in an extension"),
        ("4\r\nabcd\r\n0\r\nContent-Length: 5\r\n\r\n", "a length among the trailers"),
    ] {
        let upstream = Upstreamed::new().await;
        let front = Front::before(upstream.address()).await;
        let mut client = front.connect().await;
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")).await;
        client.send_if_open(get("/behind")).await;
        let mut server = upstream.accept().await;
        let seen = server.rest().await;
        assert!(!seen.contains("0\r\n"), "{why}: looks complete: {seen}");
        assert!(!seen.contains("/behind"), "{why}: {seen}");
        let answer = client.rest().await;
        assert!(!answer.contains("200 OK"), "{why}: {answer}");
    }
}

#[tokio::test]
async fn honest_requests_one_behind_the_other_are_answered_in_order() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    let requests = format!(
        "{}\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 37\r\n\r\nContent-Length: 1\r\nContent-Length: 2\
         POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n4;ext=1\r\nGET \r\n0\r\nX-Sum: 1\r\n\r\n{}",
        get("/1"),
        get("/4")
    );
    client.send(requests).await;
    let mut server = upstream.accept().await;
    for (number, end) in ["/1 ", "Content-Length: 2", "x-sum: 1", "/4 "].into_iter().enumerate() {
        server.until(end).await;
        server.send(ok(&format!("answer {number}"))).await;
        client.until(&format!("answer {number}")).await;
        if end.starts_with('/') {
            server.head().await;
        }
    }
}

#[tokio::test]
async fn after_an_upgrade_bytes_are_no_requests_and_after_a_refused_one_they_are() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let request = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let mut client = front.connect().await;
    client.send(request).await;
    let mut server = upstream.accept().await;
    server.head().await;
    server.send(ok("not now")).await;
    client.until("not now").await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n").await;
    assert!(client.rest().await.starts_with("HTTP/1.1 400"));

    let mut client = front.connect().await;
    client.send(request).await;
    server.head().await;
    server.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n").await;
    client.head().await;
    let frames = "\n\n\0Content-Length: 1\nContent-Length: 2\r\n\r\nend";
    client.send(frames).await;
    assert_eq!(server.until("end").await, frames);
    server.send("and back").await;
    client.until("and back").await;
}

#[tokio::test]
async fn an_honest_websocket_works_behind_another_request() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send(get("/page")).await;
    let mut server = upstream.accept().await;
    server.head().await;
    server.send(ok("page")).await;
    client.until("page").await;
    let (opened, echo) = tokio::join!(client_async(format!("ws://{}/ws", front.address), client.0), async {
        tokio_tungstenite::accept_async(server.0).await.unwrap()
    });
    let ((mut socket, _), mut echo) = (opened.unwrap(), echo);
    socket.send(Message::binary(vec![b'\n'; 100_000])).await.unwrap();
    assert_eq!(soon("a message", echo.next()).await.unwrap().unwrap().len(), 100_000);
}
