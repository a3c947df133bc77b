//! Whoever is slow is waited for with little in hand, and not for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{BOTH, Front, Raw, Upstreamed, event_stream, get, http2_get, ok, soon};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::Request;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use proxy::{Body, Limits};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;

const PIECE: usize = 64 * 1024;
/// As much as would not fit into what is in hand: mostly the kernel's socket buffers.
const UPLOAD: usize = 64 * 1024 * 1024;
/// What the kernel takes into its hands for two connections that nobody reads from, and a little.
const IN_HAND: usize = 24 * 1024 * 1024;
const SOON_STALLED: Duration = Duration::from_millis(200);

/// Listens with a small buffer, so that little is in the kernel's hands.
fn listener() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.listen(16).unwrap()
}

/// Reads a body of so many bytes a little at a time; gives the most that was ever on its way.
async fn read_slowly(mut server: TcpStream, sent: &AtomicUsize, bytes: usize) -> usize {
    let mut piece = vec![0; PIECE / 4];
    let (mut read, mut most) = (0, 0);
    while read < bytes {
        let got = soon("more of the body", server.read(&mut piece)).await.unwrap();
        assert!(got > 0, "cut after {read} bytes");
        read += got;
        most = most.max(sent.load(Ordering::Relaxed).saturating_sub(read));
        tokio::task::yield_now().await;
    }
    server.write_all(ok("stored").as_bytes()).await.unwrap();
    most
}

#[tokio::test]
async fn a_large_upload_to_a_slow_upstream_is_never_in_hand() {
    let upstream = listener();
    let front = Front::before(upstream.local_addr().unwrap()).await;
    let mut client = front.connect().await;
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {UPLOAD}\r\n\r\n")).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let sending = tokio::spawn(async move {
        let piece = vec![7; PIECE];
        for _ in 0..UPLOAD / PIECE {
            client.0.write_all(&piece).await.unwrap();
            counted.fetch_add(PIECE, Ordering::Relaxed);
        }
        client.until("stored").await;
    });
    let (server, _) = soon("a connection", upstream.accept()).await.unwrap();
    let most = read_slowly(server, &sent, UPLOAD).await;
    assert!(most < IN_HAND, "{most} bytes were on their way");
    soon("the answer", sending).await.unwrap();
}

#[tokio::test]
async fn a_large_upload_over_http_2_is_never_in_hand_and_holds_up_no_other_request() {
    let upstream = listener();
    let front = Front::before(upstream.local_addr().unwrap()).await;
    let (mut client, _connection) = front.http2().await;
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let pieces = futures_util::stream::iter(0..UPLOAD / PIECE).map(move |_| {
        counted.fetch_add(PIECE, Ordering::Relaxed);
        Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(&[7; PIECE])))
    });
    let request = Request::post("http://a/").header("content-length", UPLOAD);
    let request = request.body(Body::stream(StreamBody::new(pieces))).unwrap();
    let answer = tokio::spawn(client.send_request(request));
    let (server, _) = soon("a connection", upstream.accept()).await.unwrap();

    let other = tokio::spawn(client.send_request(http2_get("/other")));
    let mut other_server = Raw(soon("a connection", upstream.accept()).await.unwrap().0);
    other_server.head().await;
    other_server.send(ok("fine")).await;
    assert_eq!(soon("the other answer", other).await.unwrap().unwrap().status(), 200);

    let most = read_slowly(server, &sent, UPLOAD).await;
    assert!(most < IN_HAND, "{most} bytes were on their way");
    let answer = soon("an answer", answer).await.unwrap().unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "stored");
}

/// Sends events without end until it is cut; gives how many bytes were taken.
async fn events_without_end(server: &mut Raw) -> usize {
    server.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    let event = format!("data: {}\n\n", "x".repeat(PIECE));
    let chunk = format!("{:x}\r\n{event}\r\n", event.len());
    let mut taken = 0;
    soon("a cut", async {
        while let Ok(more) = server.0.write(chunk.as_bytes()).await {
            taken += more
        }
    })
    .await;
    taken
}

#[tokio::test]
async fn events_that_nobody_reads_are_not_collected_and_their_client_is_cut() {
    let upstream = Upstreamed::new().await;
    let limits = Limits { stalled: SOON_STALLED, ..*BOTH };
    let front = Front::limited_before(upstream.address(), limits).await;
    let mut client = front.connect().await;
    client.send(get("/events")).await;
    let mut server = upstream.accept().await;
    server.head().await;
    let taken = events_without_end(&mut server).await;
    assert!(taken < IN_HAND, "{taken} bytes were taken");
    assert!(!client.rest().await.ends_with("0\r\n\r\n"), "looks complete");
}

#[tokio::test]
async fn events_that_nobody_reads_over_http_2_end_alone() {
    let upstream = Upstreamed::new().await;
    let limits = Limits { stalled: SOON_STALLED, ..*BOTH };
    let front = Front::limited_before(upstream.address(), limits).await;
    let (mut client, _connection) = front.http2().await;
    let answer = tokio::spawn(client.send_request(http2_get("/events")));
    let mut server = upstream.accept().await;
    server.head().await;
    let taken = events_without_end(&mut server).await;
    assert!(taken < IN_HAND, "{taken} bytes were taken");
    let unread = soon("an answer", answer).await.unwrap().unwrap();
    let cut = soon("the rest", unread.into_body().collect()).await;
    assert!(cut.is_err(), "looks complete");

    let other = tokio::spawn(client.send_request(http2_get("/other")));
    let mut server = upstream.accept().await;
    assert!(server.head().await.starts_with("GET /other "));
    server.send(ok("fine")).await;
    assert_eq!(soon("another answer", other).await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_tunnel_that_nobody_reads_is_cut() {
    let upstream = Upstreamed::new().await;
    let limits = Limits { stalled: SOON_STALLED, ..*BOTH };
    let front = Front::limited_before(upstream.address(), limits).await;
    let stream = front.connect().await.0;
    let (opened, server) =
        tokio::join!(tokio_tungstenite::client_async(format!("ws://{}/ws", front.address), stream), async {
            tokio_tungstenite::accept_async(upstream.accept().await.0).await.unwrap()
        });
    let (_unread, _) = opened.unwrap();
    let mut server = server;
    let mut taken = 0;
    soon("a cut", async {
        while futures_util::SinkExt::send(&mut server, Message::binary(vec![7; PIECE])).await.is_ok() {
            taken += PIECE;
        }
    })
    .await;
    assert!(taken < IN_HAND, "{taken} bytes were taken");
}

#[tokio::test(start_paused = true)]
async fn who_reads_slowly_or_has_nothing_to_read_is_not_cut() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let (mut client, mut server) = event_stream(&front, &upstream).await;
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        tokio::time::sleep(Duration::from_secs(600)).await;
        server.send(format!("{:x}\r\n{event}\r\n", event.len())).await;
        client.until(event).await;
    }

    let mut slow = front.connect().await;
    slow.send(get("/download")).await;
    let mut server = upstream.accept().await;
    server.head().await;
    let sending = tokio::spawn(async move {
        server.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {UPLOAD}\r\n\r\n")).await;
        let piece = vec![7; PIECE];
        for _ in 0..UPLOAD / PIECE {
            server.0.write_all(&piece).await.unwrap();
        }
    });
    slow.head().await;
    // Never as long as all patience at once: this clock may run ahead of what the sockets have to say.
    let mut part = vec![0; UPLOAD / 128];
    for _ in 0..128 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        slow.0.read_exact(&mut part).await.unwrap();
    }
    sending.await.unwrap();
}
