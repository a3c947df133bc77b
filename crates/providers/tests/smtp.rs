//! Mail handed to an SMTP server, over a real socket.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, Mutex};

use domain::Email;
use providers::ProviderError;
use providers::mail::{Mail as _, Message, Smtp};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

/// A server that answers `RCPT` as it is told and keeps what it is given.
async fn server(answer_to_recipient: &'static str) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let received = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let kept = Arc::clone(&kept);
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                write.write_all(b"220 test\r\n").await.unwrap();
                let mut in_data = false;
                while let Ok(Some(line)) = lines.next_line().await {
                    let answer = match line.split([' ', ':']).next().unwrap_or_default() {
                        _ if in_data && line == "." => {
                            in_data = false;
                            "250 kept"
                        }
                        _ if in_data => {
                            kept.lock().unwrap().push_str(&format!("{line}\n"));
                            continue;
                        }
                        "RCPT" => answer_to_recipient,
                        "DATA" => {
                            in_data = true;
                            "354 go on"
                        }
                        "QUIT" => "221 bye",
                        _ => "250 ok",
                    };
                    if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, received)
}

fn message() -> Message {
    Message {
        id: "msg_1".into(),
        to: Email::parse("ada@example.com").unwrap(),
        subject: "Grüße".into(),
        text: "the plain words".into(),
        html: "<p>the same in colour</p>".into(),
    }
}

fn smtp(url: &str) -> Smtp {
    Smtp::new(&url.to_owned().into(), "AI-DIY <hello@example.org>").unwrap()
}

#[tokio::test]
async fn a_mail_arrives_with_both_its_bodies_and_our_id() {
    let (url, received) = server("250 ok").await;
    smtp(&url).deliver(&message()).await.unwrap();
    let mail = received.lock().unwrap().clone();
    for part in ["Message-ID: <msg_1@example.org>", "To: ada@example.com", "the plain words", "the same in colour"] {
        assert!(mail.contains(part), "{part} is missing in:\n{mail}");
    }
}

#[tokio::test]
async fn a_refusal_for_good_is_told_from_one_for_now() {
    let (url, _) = server("550 no such mailbox").await;
    let error = smtp(&url).deliver(&message()).await.unwrap_err();
    assert!(matches!(&error, ProviderError::Refused { why, .. } if why.contains("no such mailbox")), "{error}");
    let (url, _) = server("451 come back later").await;
    assert!(smtp(&url).deliver(&message()).await.unwrap_err().is_temporary());
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    drop(listener);
    assert!(smtp(&url).deliver(&message()).await.unwrap_err().is_temporary());
}

#[test]
fn wrong_settings_are_refused_without_telling_the_password() {
    let url = "http://user:hunter2@example.org".to_owned().into();
    let error = Smtp::new(&url, "AI-DIY <hello@example.org>").unwrap_err().to_string();
    assert!(error.contains("smtps://") && !error.contains("hunter2"), "{error}");
    let url = "smtp://example.org".to_owned().into();
    assert!(Smtp::new(&url, "not an address").unwrap_err().to_string().contains("[mail] from"));
}
