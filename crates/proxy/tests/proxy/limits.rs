//! What clients may take up: connections, and time to send.

use std::convert::Infallible;
use std::time::Duration;

use crate::support::{BOTH, Front, Raw, Upstreamed, get, ok, soon};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use proxy::{Address, Body, Limits, Timeouts, Upstream, serve};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

/// Time passes only while nothing happens, so that waiting for nothing takes no time.
const A_WHILE: Duration = Duration::from_secs(5);

async fn of_one_connection(upstream: &Upstreamed) -> Front {
    let to = Upstream::new(Address::Tcp(upstream.address().to_string()), Timeouts::default());
    Front::limited(to, Limits { connections: 1, ..*BOTH }).await
}

#[tokio::test(start_paused = true)]
async fn a_connection_beyond_the_limit_waits_until_another_closes() {
    let upstream = Upstreamed::new().await;
    let front = of_one_connection(&upstream).await;
    let mut first = front.connect().await;
    first.send(get("/first")).await;
    let mut server = upstream.accept().await;
    server.head().await;
    let mut second = front.connect().await;
    second.send(get("/second")).await;
    assert!(tokio::time::timeout(A_WHILE, upstream.accept()).await.is_err(), "the second one was served too");

    server.send(ok("one")).await;
    first.until("one").await;
    drop(first);
    assert!(server.head().await.starts_with("GET /second "), "the connection to the upstream was kept");
    server.send(ok("two")).await;
    second.until("two").await;
}

/// Closing on a client that is still sending would be answered with a reset, which takes away the
/// answer.
#[tokio::test]
async fn a_client_that_is_refused_in_the_middle_of_its_upload_gets_the_whole_answer() {
    const UPLOAD: usize = 1024 * 1024;
    const ANSWER: usize = 100 * 1024;
    for limits in [*BOTH, Limits::default()] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = Raw(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        tokio::spawn(serve(listener, limits, CancellationToken::new(), |_| {
            service_fn(|_: Request<Incoming>| async {
                Ok::<_, Infallible>(Response::new(Body::from("no".repeat(ANSWER / 2))))
            })
        }));
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {UPLOAD}\r\n\r\n")).await;
        soon("the beginning of the answer", client.0.readable()).await.unwrap();
        for piece in vec![b'x'; UPLOAD].chunks(16 * 1024) {
            client.send(piece).await;
            tokio::task::yield_now().await;
        }
        let mut answer = String::new();
        soon("the end of the answer", client.0.read_to_string(&mut answer)).await.unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        assert_eq!(body.len(), ANSWER);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_takes_up_a_connection_as_long_as_it_is_open() {
    let upstream = Upstreamed::new().await;
    let front = of_one_connection(&upstream).await;
    let stream = front.connect().await.0;
    let (opened, echo) = tokio::join!(client_async(format!("ws://{}/ws", front.address), stream), async {
        tokio_tungstenite::accept_async(upstream.accept().await.0).await.unwrap()
    });
    let (mut socket, _) = opened.unwrap();
    let mut second = front.connect().await;
    second.send(get("/second")).await;
    assert!(tokio::time::timeout(A_WHILE, upstream.accept()).await.is_err(), "the tunnel was not counted");
    socket.send(Message::text("still open")).await.unwrap();
    let mut echo = echo;
    assert_eq!(soon("a message", echo.next()).await.unwrap().unwrap(), Message::text("still open"));
    drop((socket, echo));
    assert!(upstream.accept().await.head().await.starts_with("GET /second "));
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_stalls_is_given_up_and_a_slow_one_is_not() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n").await;
    let mut server = upstream.accept().await;
    server.head().await;
    for byte in ["a", "b", "c"] {
        tokio::time::sleep(Duration::from_secs(50)).await;
        client.send(byte).await;
        server.until(byte).await;
    }
    let mut rest = String::new();
    let ended = tokio::time::timeout(Duration::from_secs(120), client.0.read_to_string(&mut rest)).await;
    assert!(ended.is_ok() && rest.contains("broke off"), "{ended:?} {rest}");
    assert_eq!(server.rest().await, "", "the upstream sees that nothing more comes");
}
