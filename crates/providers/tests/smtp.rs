//! Mail handed to an SMTP server, over a real socket.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::sync::{Arc, Mutex};

use domain::Email;
use providers::ProviderError;
use providers::mail::{Earlier, Mail as _, Message, Smtp, Thread, Undelivered};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a server says when it comes to a step; `""` closes the connection instead.
#[derive(Clone, Copy)]
struct Script(&'static [(&'static str, &'static str)]);

impl Script {
    fn answer(self, step: &str, usual: &'static str) -> &'static str {
        self.0.iter().find(|(at, _)| *at == step).map_or(usual, |(_, answer)| answer)
    }
}

/// A server that keeps the mails it acknowledges.
struct Server {
    url: String,
    kept: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(script: &'static [(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://ada:secret@{}", listener.local_addr().unwrap());
        let kept = Arc::new(Mutex::new(Vec::new()));
        let of_all = Arc::clone(&kept);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, Script(script), Arc::clone(&of_all)));
            }
        });
        Self { url, kept }
    }

    async fn deliver(&self) -> Result<(), Undelivered> {
        smtp(&self.url).deliver(&message()).await
    }
}

async fn talk(stream: TcpStream, script: Script, kept: Arc<Mutex<Vec<String>>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut mail: Option<String> = None;
    let mut answer = script.answer("CONNECT", "220 test");
    loop {
        if answer.is_empty() || write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
        answer = loop {
            let Ok(Some(line)) = lines.next_line().await else { return };
            match (&mut mail, line.as_str()) {
                (Some(_), ".") => {
                    kept.lock().unwrap().extend(mail.take());
                    break script.answer(".", "250 kept");
                }
                (Some(text), line) => text.push_str(&format!("{line}\n")),
                (None, line) => match line.split([' ', ':']).next().unwrap_or_default() {
                    "EHLO" => break script.answer("EHLO", "250-test\r\n250 AUTH PLAIN"),
                    "AUTH" => break script.answer("AUTH", "235 welcome"),
                    "DATA" => {
                        let answer = script.answer("DATA", "354 go on");
                        mail = answer.starts_with("354").then(String::new);
                        break answer;
                    }
                    step => break script.answer(step, "250 ok"),
                },
            }
        };
    }
}

fn message() -> Message {
    Message {
        id: "msg_1".into(),
        to: Email::parse("ada@example.com").unwrap(),
        subject: "Grüße".into(),
        text: "the plain words".into(),
        html: "<p>the same in colour</p>".into(),
        thread: Thread::default(),
        unsubscribe_url: None,
    }
}

fn smtp(url: &str) -> Smtp {
    Smtp::new(&url.to_owned().into(), "AI-DIY <hello@example.org>").unwrap()
}

#[tokio::test]
async fn a_mail_arrives_with_both_its_bodies_and_our_id() {
    let server = Server::start(&[]).await;
    server.deliver().await.unwrap();
    let mail = server.kept.lock().unwrap().concat();
    for part in ["Message-ID: <msg_1@example.org>", "To: ada@example.com", "the plain words", "the same in colour"] {
        assert!(mail.contains(part), "{part} is missing in:\n{mail}");
    }
}

#[tokio::test]
async fn a_mail_of_a_conversation_says_to_which_and_where_answers_go() {
    let server = Server::start(&[]).await;
    let thread = Thread {
        reply_to: Some(Email::parse("support+1@example.org").unwrap()),
        earlier: vec![Earlier::Theirs("a.1@example.com".into()), Earlier::Ours("msg_0".into())],
        is_automatic: true,
    };
    smtp(&server.url).deliver(&Message { thread, ..message() }).await.unwrap();
    let mail = server.kept.lock().unwrap().concat();
    for part in [
        "Reply-To: support+1@example.org",
        "In-Reply-To: <msg_0@example.org>",
        "References: <a.1@example.com> <msg_0@example.org>",
        "Auto-Submitted: auto-replied",
    ] {
        assert!(mail.contains(part), "{part} is missing in:\n{mail}");
    }
}

#[tokio::test]
async fn a_mail_that_can_be_unsubscribed_says_so_to_mail_programs_and_no_other_does() {
    let server = Server::start(&[]).await;
    server.deliver().await.unwrap();
    assert!(!server.kept.lock().unwrap().concat().contains("List-Unsubscribe"));
    let url = "https://example.org/mail/unsubscribe/cus_1.0a1b".to_owned();
    let offer = Message { unsubscribe_url: Some(url), ..message() };
    smtp(&server.url).deliver(&offer).await.unwrap();
    let mail = server.kept.lock().unwrap().concat();
    for part in [
        "List-Unsubscribe: <https://example.org/mail/unsubscribe/cus_1.0a1b>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    ] {
        assert!(mail.contains(part), "{part} is missing in:\n{mail}");
    }
}

#[tokio::test]
async fn a_mailbox_that_takes_no_mail_is_told_with_the_servers_words() {
    for script in [
        &[("RCPT", "550 no such mailbox")][..],
        &[("RCPT", "550 5.1.1 no such mailbox")],
        &[("RCPT", "554 5.1.1 no such mailbox")],
        &[("RCPT", "550-5.2.1 closed,\r\n550 5.2.1 no such mailbox")],
        &[(".", "550 5.1.1 no such mailbox")],
    ] {
        let server = Server::start(script).await;
        match server.deliver().await {
            Err(Undelivered::Bounced { answer }) => {
                assert!(answer.starts_with("55") && answer.ends_with("no such mailbox"), "{answer}");
            }
            other => panic!("{script:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_refusal_of_ourselves_is_no_bounce() {
    for (script, next) in [
        (&[("CONNECT", "554 go away")][..], "credentials"),
        (&[("AUTH", "535 5.7.8 wrong password")], "credentials"),
        (&[("EHLO", "250 no way to sign in")], "encryption"),
        (&[("MAIL", "550 5.7.1 not your sender")], "[mail] from"),
        (&[("MAIL", "550 unknown sender")], "[mail] from"),
        (&[("RCPT", "554 relay access denied")], "[mail] from"),
        (&[("RCPT", "550 5.7.1 your network is on a list")], "[mail] from"),
        (&[("RCPT", "550 5.1.8 no such sender")], "[mail] from"),
        (&[("RCPT", "530 sign in first")], "[mail] from"),
    ] {
        let server = Server::start(script).await;
        match server.deliver().await {
            Err(Undelivered::WeAreRefused(error)) => assert!(error.to_string().contains(next), "{script:?}: {error}"),
            other => panic!("{script:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_refusal_of_what_a_mail_says_concerns_that_mail_alone() {
    for script in [
        &[(".", "554 5.6.0 looks like advertising")][..],
        &[(".", "550 5.7.1 looks like advertising")],
        &[(".", "550 looks like advertising")],
        &[("DATA", "554 no")],
    ] {
        let server = Server::start(script).await;
        let delivery = server.deliver().await;
        assert!(matches!(delivery, Err(Undelivered::MailRefused { .. })), "{script:?}: {delivery:?}");
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for step in ["CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "."] {
        for answer in ["451 come back later", "", "not SMTP at all"] {
            let script: &'static [_] = Box::leak(Box::new([(step, answer)]));
            let server = Server::start(script).await;
            let delivery = server.deliver().await;
            assert!(matches!(delivery, Err(Undelivered::Later(_))), "{step} {answer:?}: {delivery:?}");
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    drop(listener);
    assert!(matches!(smtp(&url).deliver(&message()).await, Err(Undelivered::Later(_))), "nobody is there");
}

#[tokio::test]
async fn a_mail_whose_receipt_got_lost_comes_again_under_the_same_id() {
    let server = Server::start(&[(".", "")]).await;
    for _ in 0..2 {
        let lost = server.deliver().await.unwrap_err();
        assert!(matches!(lost, Undelivered::Later(ProviderError::Lost { .. })), "{lost}");
    }
    let kept = server.kept.lock().unwrap().clone();
    let ids = kept.iter().filter(|mail| mail.contains("Message-ID: <msg_1@example.org>")).count();
    assert_eq!((kept.len(), ids), (2, 2), "a receiver can drop the second");
}

#[tokio::test]
async fn a_server_that_hangs_up_without_a_farewell_has_taken_the_mail_all_the_same() {
    let server = Server::start(&[("QUIT", "")]).await;
    server.deliver().await.unwrap();
}

#[test]
fn wrong_settings_are_refused_without_telling_the_password() {
    for url in ["http://user:hunter2@example.org", "smtp://user:hunter2@example.org?tls=perhaps", "hunter2"] {
        let error = Smtp::new(&url.to_owned().into(), "AI-DIY <hello@example.org>").unwrap_err().to_string();
        assert!(error.contains("smtps://") && !error.contains("hunter2"), "{error}");
    }
    let url = "smtp://example.org".to_owned().into();
    assert!(Smtp::new(&url, "not an address").unwrap_err().to_string().contains("[mail] from"));
}
