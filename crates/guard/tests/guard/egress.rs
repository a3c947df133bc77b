//! The application's way out, as the guard passes it on.

use std::net::SocketAddr;

use crate::support::{Guard, PATIENCE, Town, refused_start, soon};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener};

/// An address that was free a moment ago.
async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

fn with_way_out(town: &Town, listen: SocketAddr) -> Vec<(&'static str, String)> {
    let mut settings = town.settings();
    settings.push(("GUARD_EGRESS_LISTEN", listen.to_string()));
    settings.push(("GUARD_EGRESS_SOCKET", town.folder.path().join("egress.sock").display().to_string()));
    settings
}

#[tokio::test]
async fn connections_go_byte_for_byte_to_the_socket_and_each_end_is_passed_on() {
    let town = Town::new().await;
    let proxy = UnixListener::bind(town.folder.path().join("egress.sock")).unwrap();
    let listen = free_address().await;
    let guard = Guard::start(&with_way_out(&town, listen), &[]).await;
    let question = "asked ".repeat(100_000);
    let (mut inside, (mut outside, _)) =
        soon("both ends", async { tokio::try_join!(TcpStream::connect(listen), proxy.accept()) }).await.unwrap();
    let (mut reading, mut writing) = inside.split();
    let asking = async {
        writing.write_all(question.as_bytes()).await.unwrap();
        writing.shutdown().await.unwrap();
        let mut answer = String::new();
        reading.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answering = async {
        let mut heard = String::new();
        outside.read_to_string(&mut heard).await.unwrap();
        // The other direction is still open.
        outside.write_all(b"answered").await.unwrap();
        outside.shutdown().await.unwrap();
        heard
    };
    let (answer, heard) = soon("the conversation", async { tokio::join!(asking, answering) }).await;
    assert!(heard == question, "{} bytes arrived", heard.len());
    assert_eq!(answer, "answered");
    assert!(guard.end().await.success());
    let gone = tokio::time::timeout(PATIENCE, TcpStream::connect(listen)).await.unwrap();
    assert!(gone.is_err(), "it closed with the guard");
}

#[tokio::test]
async fn a_proxy_that_is_away_is_a_bad_gateway_and_back_again_later() {
    let town = Town::new().await;
    let listen = free_address().await;
    let _guard = Guard::start(&with_way_out(&town, listen), &[]).await;
    let mut answer = String::new();
    let mut stream = TcpStream::connect(listen).await.unwrap();
    soon("the refusal", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    let proxy = UnixListener::bind(town.folder.path().join("egress.sock")).unwrap();
    let (stream, accepted) =
        soon("both ends", async { tokio::join!(TcpStream::connect(listen), proxy.accept()) }).await;
    assert!(stream.is_ok() && accepted.is_ok());
}

#[tokio::test]
async fn the_way_out_is_open_when_the_application_starts() {
    let town = Town::new().await;
    let proxy = UnixListener::bind(town.folder.path().join("egress.sock")).unwrap();
    let listen = free_address().await;
    let mut settings = with_way_out(&town, listen);
    settings.push(("PATH", "/usr/bin:/bin".into()));
    let script = format!("exec 3<> /dev/tcp/{}/{} && echo hello >&3 && cat <&3", listen.ip(), listen.port());
    let mut guard = Guard::start(&settings, &["--", "/bin/bash", "-c", &script]).await;
    let (mut outside, _) = soon("the application connects", proxy.accept()).await.unwrap();
    let mut heard = [0; 6];
    soon("it speaks", outside.read_exact(&mut heard)).await.unwrap();
    assert_eq!(&heard, b"hello\n");
    drop(outside);
    assert!(guard.ended().await.success());
}

#[tokio::test]
async fn a_way_out_that_others_could_use_or_that_is_taken_does_not_start() {
    let town = Town::new().await;
    let mut settings = town.settings();
    settings.push(("GUARD_EGRESS_LISTEN", "0.0.0.0:3128".into()));
    settings.push(("GUARD_EGRESS_SOCKET", "/run/egress.sock".into()));
    let (code, says) = refused_start(&settings).await;
    assert!(code == Some(2) && says.contains("not on loopback"), "{code:?}: {says}");
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (code, says) = refused_start(&with_way_out(&town, taken.local_addr().unwrap())).await;
    assert!(code == Some(1) && says.contains("--egress-listen"), "{code:?}: {says}");
}
