//! Tunnels: WebSocket through the proxy, with a real client and a real server.

use crate::support::{Front, soon};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{accept_async, connect_async};

async fn echo() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut socket = accept_async(stream).await.unwrap();
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_text() || message.is_binary() {
                        socket.send(message).await.unwrap();
                    }
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn messages_of_any_size_go_both_ways_and_the_watch_sees_the_client() {
    let front = Front::before(echo().await).await;
    let (mut socket, answer) = connect_async(format!("ws://{}/ws", front.address)).await.unwrap();
    assert_eq!(answer.status(), 101);
    for size in [0, 1, 125, 126, 70_000, 1_000_000] {
        let message = Message::binary(vec![7; size]);
        socket.send(message.clone()).await.unwrap();
        assert_eq!(soon("an echo", socket.next()).await.unwrap().unwrap(), message);
    }
    assert!(front.seen.bytes.lock().unwrap().len() > 1_070_000);
    socket.close(None).await.unwrap();
    soon("the close", async { while socket.next().await.is_some_and(|message| message.is_ok()) {} }).await;
}

#[tokio::test]
async fn a_tunnel_ends_when_the_server_stops() {
    let front = Front::before(echo().await).await;
    let (mut socket, _) = connect_async(format!("ws://{}/ws", front.address)).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    soon("an echo", socket.next()).await.unwrap().unwrap();
    front.stop.cancel();
    soon("the end", async { while socket.next().await.is_some_and(|message| message.is_ok()) {} }).await;
    soon("the end of the server", front.ended).await.unwrap();
}
