//! Stopping loses no request: what has arrived is answered, what was not looked at can be asked again.

use crate::support::{BOTH, Front, Raw, Upstreamed, event_stream, get, http2_get, ok, soon};
use http_body_util::BodyExt as _;
use proxy::Limits;

#[tokio::test]
async fn stopping_lets_the_request_under_way_finish_and_takes_no_new_ones() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut idle = front.connect().await;
    let mut client = front.connect().await;
    client.send(get("/long")).await;
    let mut server = upstream.accept().await;
    server.head().await;
    front.stop.cancel();
    assert_eq!(idle.rest().await, "", "an idle connection is closed at once");
    server.send(ok("finished")).await;
    client.until("finished").await;
    soon("the end of the server", front.ended).await.unwrap();
    assert!(tokio::net::TcpStream::connect(front.address).await.is_err());
}

#[tokio::test]
async fn stopping_ends_an_event_stream_in_an_orderly_way() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let (mut client, _server) = event_stream(&front, &upstream).await;
    front.stop.cancel();
    client.until("0\r\n\r\n").await;
    soon("the end of the server", front.ended).await.unwrap();
}

#[tokio::test]
async fn a_request_that_arrives_just_before_the_end_is_answered() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut kept = front.connect().await;
    kept.send(get("/1")).await;
    let mut server = upstream.accept().await;
    server.head().await;
    server.send(ok("one")).await;
    kept.until("one").await;

    // Nobody gets to look at any of these before the end has come.
    let mut fresh = std::net::TcpStream::connect(front.address).unwrap();
    std::io::Write::write_all(&mut fresh, get("/fresh").as_bytes()).unwrap();
    assert!(kept.0.try_write(get("/kept").as_bytes()).is_ok_and(|written| written == get("/kept").len()));
    front.stop.cancel();

    fresh.set_nonblocking(true).unwrap();
    let mut fresh = Raw(tokio::net::TcpStream::from_std(fresh).unwrap());
    let mut other = upstream.accept().await;
    for server in [&mut server, &mut other] {
        server.head().await;
        server.send(ok("fine")).await;
    }
    for client in [&mut kept, &mut fresh] {
        let answer = client.rest().await.to_ascii_lowercase();
        assert!(answer.ends_with("fine") && answer.contains("connection: close"), "{answer}");
    }
    soon("the end of the server", front.ended).await.unwrap();
}

#[tokio::test]
async fn whoever_connected_before_the_end_is_owed_one_answer() {
    let upstream = Upstreamed::new().await;
    for limits in [*BOTH, Limits::default()] {
        let front = Front::limited_before(upstream.address(), limits).await;
        // Served already, since a later one is.
        let mut fresh = front.connect().await;
        let mut later = front.connect().await;
        later.send(get("/later")).await;
        let mut server = upstream.accept().await;
        server.head().await;
        front.stop.cancel();
        server.send(ok("later")).await;
        assert!(later.rest().await.ends_with("later"));

        fresh.send(get("/fresh")).await;
        assert!(server.head().await.starts_with("GET /fresh "));
        server.send(ok("fine")).await;
        let answer = fresh.rest().await.to_ascii_lowercase();
        assert!(answer.ends_with("fine") && answer.contains("connection: close"), "{answer}");
        soon("the end of the server", front.ended).await.unwrap();
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_and_those_after_the_end_were_never_begun() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let mut client = front.connect().await;
    client.send(format!("{}{}{}", get("/1"), get("/2"), get("/3"))).await;
    let mut server = upstream.accept().await;
    assert!(server.head().await.starts_with("GET /1 "));
    server.send(ok("one")).await;
    client.until("one").await;
    assert!(server.head().await.starts_with("GET /2 "));
    front.stop.cancel();
    tokio::task::yield_now().await;
    server.send(ok("two")).await;
    let answer = client.rest().await.to_ascii_lowercase();
    assert!(answer.ends_with("two") && answer.contains("connection: close"), "{answer}");
    assert_eq!(server.rest().await, "", "the client is free to send the third again");
    soon("the end of the server", front.ended).await.unwrap();
}

#[tokio::test]
async fn requests_under_way_on_http_2_are_finished_side_by_side() {
    let upstream = Upstreamed::new().await;
    let front = Front::before(upstream.address()).await;
    let (mut client, connection) = front.http2().await;
    let mut answers = Vec::new();
    let mut servers = Vec::new();
    for number in 0..4 {
        answers.push(tokio::spawn(client.send_request(http2_get(&format!("/{number}")))));
        let mut server = upstream.accept().await;
        assert!(server.head().await.starts_with(&format!("GET /{number} ")));
        servers.push(server);
    }
    front.stop.cancel();
    for (number, server) in servers.iter_mut().enumerate().rev() {
        server.send(ok(&number.to_string())).await;
    }
    for (number, answer) in answers.into_iter().enumerate() {
        let answer = soon("an answer", answer).await.unwrap().unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), number.to_string());
    }
    soon("the end of the connection", connection).await.unwrap().unwrap();
    soon("the end of the server", front.ended).await.unwrap();
}
