//! What stays open: tunnels, events, and long answers.

use crate::support;
use crate::support::{Guard, Town, bearer, push, soon, until};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

#[tokio::test]
async fn a_websocket_passes_and_what_is_typed_into_it_is_use() {
    let town = Town::new().await;
    let echo = support::app::websocket_echo().await;
    let guard = Guard::start(&town.settings_with("GUARD_UPSTREAM", format!("http://{echo}")), &[]).await;
    let url = format!("ws://{}/ws", guard.address);
    assert!(tokio_tungstenite::connect_async(&url).await.is_err(), "no entry without identity");

    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("cf-access-jwt-assertion", town.ada().parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    socket.send(Message::Ping(vec![1, 2, 3].into())).await.unwrap();
    assert!(soon("a pong", socket.next()).await.unwrap().unwrap().is_pong());
    assert_eq!(town.main.count("/api/v1/activity"), 0, "a ping is not use");
    socket.send(Message::text("ls -l")).await.unwrap();
    assert_eq!(soon("an echo", socket.next()).await.unwrap().unwrap(), Message::text("ls -l"));
    until("the report", || town.main.reports().len() == 1).await;
    assert_eq!(town.main.reports()[0]["evidence"][0]["signal"], "member");
    assert!(guard.end().await.success(), "an open tunnel does not hold up the end");
}

#[tokio::test]
async fn an_open_websocket_ends_with_its_visitors_membership() {
    let town = Town::new().await;
    let echo = support::app::websocket_echo().await;
    let guard = Guard::start(&town.settings_with("GUARD_UPSTREAM", format!("http://{echo}")), &[]).await;
    let mut request = format!("ws://{}/ws", guard.address).into_client_request().unwrap();
    request.headers_mut().insert("cf-access-jwt-assertion", town.ada().parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let list = town.list(2, access::ListState::Active, &["ada@example.com", "eve@example.com"]);
    assert_eq!(push(&guard.address, &list).await.status, 204);
    socket.send(Message::text("still here")).await.unwrap();
    assert_eq!(soon("an echo", socket.next()).await.unwrap().unwrap(), Message::text("still here"));

    let list = town.list(3, access::ListState::Active, &["eve@example.com"]);
    assert_eq!(push(&guard.address, &list).await.status, 204);
    soon("the end", async { while socket.next().await.is_some_and(|message| message.is_ok()) {} }).await;
}

#[tokio::test]
async fn events_pass_one_by_one() {
    let town = Town::new().await;
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = town.settings_with("GUARD_UPSTREAM", format!("http://{}", upstream.local_addr().unwrap()));
    let guard = Guard::start(&settings, &[]).await;
    let mut client = TcpStream::connect(&guard.address).await.unwrap();
    let request = format!("GET /events HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n", bearer(&town.ada()));
    client.write_all(request.as_bytes()).await.unwrap();
    let (mut server, _) = soon("a connection", upstream.accept()).await.unwrap();
    let mut head = String::new();
    soon("the request", async {
        while !head.ends_with("\r\n\r\n") {
            head.push(char::from(server.read_u8().await.unwrap()));
        }
    })
    .await;
    server
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    for event in ["data: first\n\n", "data: second\n\n"] {
        server.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await.unwrap();
        let mut got = String::new();
        soon(event, async {
            while !got.contains(event) {
                got.push(char::from(client.read_u8().await.unwrap()));
            }
        })
        .await;
    }
    drop(client);
    let mut rest = Vec::new();
    let _ = soon("the client's leaving, seen upstream", server.read_to_end(&mut rest)).await;
}

/// An application's answer, held open by the test: where it is read, and where it is written.
async fn open_answer(town: &Town, token: &str, head: &str) -> (Guard, TcpStream, TcpStream) {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = town.settings_with("GUARD_UPSTREAM", format!("http://{}", upstream.local_addr().unwrap()));
    let guard = Guard::start(&settings, &[]).await;
    let mut client = TcpStream::connect(&guard.address).await.unwrap();
    let request = format!("GET /open HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n", bearer(token));
    client.write_all(request.as_bytes()).await.unwrap();
    let (mut server, _) = soon("a connection", upstream.accept()).await.unwrap();
    read_until(&mut server, "\r\n\r\n").await;
    server.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes()).await.unwrap();
    (guard, client, server)
}

async fn read_until(stream: &mut TcpStream, end: &str) {
    let mut got = String::new();
    soon(end, async {
        while !got.contains(end) {
            got.push(char::from(stream.read_u8().await.unwrap()));
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_still_coming_ends_with_its_visitors_membership() {
    for (head, cut_cleanly) in [
        ("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked", true),
        ("Content-Type: text/plain\r\nTransfer-Encoding: chunked", false),
    ] {
        let town = Town::new().await;
        let (guard, mut client, mut server) = open_answer(&town, &town.ada(), head).await;
        server.write_all(b"5\r\nfirst\r\n").await.unwrap();
        read_until(&mut client, "first").await;
        let list = town.list(2, access::ListState::Active, &["ada@example.com", "eve@example.com"]);
        assert_eq!(push(&guard.address, &list).await.status, 204);
        server.write_all(b"6\r\nsecond\r\n").await.unwrap();
        read_until(&mut client, "second").await;

        let list = town.list(3, access::ListState::Active, &["eve@example.com"]);
        assert_eq!(push(&guard.address, &list).await.status, 204);
        let mut rest = Vec::new();
        if cut_cleanly {
            read_until(&mut client, "0\r\n\r\n").await;
        } else {
            let _ = soon("the end of the answer", client.read_to_end(&mut rest)).await;
            assert!(!String::from_utf8_lossy(&rest).contains("0\r\n\r\n"), "it must not look complete: {rest:?}");
        }
        let _ = soon("the end, seen by the application", server.read_to_end(&mut Vec::new())).await;
    }
}

#[tokio::test]
async fn what_has_no_end_ends_with_the_token_and_a_download_may_take_longer() {
    let town = Town::new().await;
    // Believed for 30 s more than it says: 6 s from now on.
    let token = town.forge.with("exp", serde_json::json!(support::forge::now() - 24));
    let download = open_answer(&town, &token, "Content-Length: 10").await;
    let (_guard, mut events, mut source) =
        open_answer(&town, &token, "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked").await;
    let echo = support::app::websocket_echo().await;
    let guard = Guard::start(&town.settings_with("GUARD_UPSTREAM", format!("http://{echo}")), &[]).await;
    let mut request = format!("ws://{}/ws", guard.address).into_client_request().unwrap();
    request.headers_mut().insert("cf-access-jwt-assertion", token.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(soon("an echo", socket.next()).await.unwrap().unwrap(), Message::text("hello"));
    source.write_all(b"5\r\nfirst\r\n").await.unwrap();
    read_until(&mut events, "first").await;

    soon("the end of the tunnel", async { while socket.next().await.is_some_and(|message| message.is_ok()) {} }).await;
    read_until(&mut events, "0\r\n\r\n").await;
    let (guard, mut client, mut server) = download;
    server.write_all(b"0123456789").await.unwrap();
    read_until(&mut client, "0123456789").await;
    assert_eq!(support::ask(&guard.address, "/", &[&bearer(&token)]).await.status, 401, "it has expired");
}

#[tokio::test]
async fn open_answers_to_a_service_end_when_the_instance_closes() {
    let town = Town::new().await;
    let service = town.forge.service_token("deploy.access");
    let (guard, mut client, mut server) = open_answer(&town, &service, "Transfer-Encoding: chunked").await;
    server.write_all(b"5\r\nfirst\r\n").await.unwrap();
    read_until(&mut client, "first").await;
    let list = town.list(2, access::ListState::Suspended, &["ada@example.com"]);
    assert_eq!(push(&guard.address, &list).await.status, 204);
    let _ = soon("the end of the answer", client.read_to_end(&mut Vec::new())).await;
}
