//! Mail that comes to support.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use control_plane::{Strangers, SupportSettings};
use domain::Email;
use providers::mail::{Earlier, Message};
use providers::webhook::Receiver;

use super::*;

const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SUPPORT: &str = "support@example.org";

fn settings(strangers: Strangers) -> SupportSettings {
    let mail = Some(Receiver::new(&[format!("whsec_{SECRET}").into()]).unwrap());
    SupportSettings { address: Some(Email::parse(SUPPORT).unwrap()), mail, strangers }
}

async fn house(engine: Engine, strangers: Strangers) -> TestApp {
    let app = TestApp::start_supporting(BEGIN, engine, settings(strangers)).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    app
}

/// A whole mail.
fn mail(from: &str, to: &str, id: &str, more: &str, text: &str) -> String {
    format!("From: {from}\r\nTo: {to}\r\nMessage-ID: <{id}>\r\nSubject: It does not start\r\n{more}\r\n{text}\r\n")
}

impl TestApp {
    /// Hands a mail over, signed with a secret at a moment.
    async fn hands_over(&self, raw: &str, secret: &str, seconds: i64) -> (StatusCode, Value) {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(secret).unwrap());
        let proof = STANDARD.encode(hmac::sign(&key, format!("1.{seconds}.{raw}").as_bytes()));
        let (at, proof) = (seconds.to_string(), format!("v1,{proof}"));
        let headers = [
            ("content-type", "message/rfc822"),
            ("webhook-id", "1"),
            ("webhook-timestamp", at.as_str()),
            ("webhook-signature", proof.as_str()),
        ];
        let page = self.send("/webhooks/mail", None, &headers, raw.as_bytes().to_vec()).await;
        (page.status, serde_json::from_str(&page.body).unwrap_or(Value::String(page.body)))
    }

    /// Hands a mail over that is taken. What became of it.
    async fn gets(&self, raw: &str) -> Value {
        let (status, taken) = self.hands_over(raw, SECRET, self.clock.now().as_second()).await;
        assert_eq!(status, StatusCode::OK, "{taken}");
        taken
    }

    /// What was written to Ada about her tickets, once there are so many.
    async fn replies(&self, number: usize) -> Vec<Message> {
        let all = || {
            let mails = self.given.post.messages("ada@example.com").into_iter();
            mails.filter(|mail| mail.subject.starts_with("Re: ")).collect::<Vec<_>>()
        };
        self.until(async || all().len() == number).await;
        all()
    }

    async fn becomes(&self, raw: &str, outcome: &str) -> String {
        let taken = self.gets(raw).await;
        assert_eq!(taken["outcome"], outcome, "{taken}");
        taken["ticket"].as_str().unwrap_or_default().to_owned()
    }
}

async fn mails_and_answers_are_one_conversation(engine: Engine) {
    let app = house(engine, Strangers::Welcome).await;
    let first = mail("Ada <Ada@Example.com>", SUPPORT, "a.1@example.com", "", "Since this morning.");
    let id = app.becomes(&first, "opened").await;
    assert_eq!(app.becomes(&first, "known").await, id, "the same mail again changes nothing");
    let ticket = app.ticket(&id).await;
    assert_eq!((&ticket["channel"], &ticket["facts"]["instance_state"]), (&json!("mail"), &json!("active")));
    let received = app.replies(1).await.pop().unwrap();
    assert_eq!(received.thread.earlier, [Earlier::Theirs("a.1@example.com".into())]);
    assert!(received.thread.is_automatic, "no program answers it");
    let marked = received.thread.reply_to.unwrap();
    assert!(marked.as_str().starts_with("support+") && marked.as_str().ends_with("@example.org"), "{marked}");

    app.answers(&id, "a1", "Please try again.", "wait").await;
    let answer = app.replies(2).await.pop().unwrap();
    let before = [Earlier::Theirs("a.1@example.com".into()), Earlier::Ours(received.id)];
    assert_eq!((answer.thread.earlier.as_slice(), answer.thread.is_automatic), (before.as_slice(), false));

    // She answers: to the marked address, or to a mail of ours that hers names.
    let quoted = "It works now.\r\n\r\nOn 25 Nov 2026 at 10:00, AI-DIY wrote:\r\n> Please try again.";
    let second = mail("ada@example.com", &marked.to_string().to_uppercase(), "a.2@example.com", "", quoted);
    assert_eq!(app.becomes(&second, "added").await, id);
    let named = format!("In-Reply-To: <{}@example.org>\r\n", answer.id);
    let third = mail("ada@example.com", SUPPORT, "a.3@example.com", &named, "Really.");
    assert_eq!(app.becomes(&third, "added").await, id);
    assert_eq!(app.becomes(&second, "known").await, id);
    let ticket = app.ticket(&id).await;
    let said: Vec<&str> =
        ticket["messages"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap()).collect();
    assert_eq!(said, ["Since this morning.", "Please try again.", "It works now.", "Really."]);
    assert!(ticket["messages"][2]["quoted"].as_str().unwrap().starts_with("On 25 Nov 2026"));
    assert_eq!(ticket["state"], "open");
    assert!(app.get(&format!("/portal/tickets/{id}"), ADA).await.body.contains("What was quoted"));

    // A closed ticket is not opened again: its answer is another one that says so.
    app.api(Method::POST, &format!("/tickets/{id}/close"), Some(json!(null))).await;
    let fourth = mail("ada@example.com", marked.as_str(), "a.4@example.com", "", "It is back.");
    let next = app.becomes(&fourth, "opened").await;
    assert_ne!(next, id);
    assert!(app.ticket(&next).await["messages"][1]["text"].as_str().unwrap().contains(&id));
}

#[tokio::test]
async fn what_is_mailed_and_what_is_answered_is_one_conversation() {
    mails_and_answers_are_one_conversation(Engine::Sqlite).await;
}

#[tokio::test]
async fn what_is_mailed_and_what_is_answered_is_one_conversation_on_postgres() {
    mails_and_answers_are_one_conversation(Engine::Postgres).await;
}

#[tokio::test]
async fn a_mail_that_nobody_vouches_for_is_not_taken() {
    let app = house(Engine::Sqlite, Strangers::Welcome).await;
    let raw = mail("ada@example.com", SUPPORT, "a.1@example.com", "", "Hello.");
    let now = app.clock.now().as_second();
    for (secret, at) in [("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", now), (SECRET, now - 301)] {
        let (status, problem) = app.hands_over(&raw, secret, at).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    }
    let unsigned = app.send("/webhooks/mail", None, &[("content-type", "message/rfc822")], raw.clone().into()).await;
    assert_eq!(unsigned.status, StatusCode::BAD_REQUEST);
    let (status, problem) = app.hands_over("no mail", SECRET, now).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(app.count("select count(*) from tickets").await, 0);
    let closed = TestApp::start_at(BEGIN, Engine::Sqlite, workflow::Faults::none()).await;
    assert_eq!(closed.hands_over(&raw, SECRET, now).await.0, StatusCode::NOT_FOUND, "where no mail is taken");
}

#[tokio::test]
async fn programs_are_not_answered_and_two_can_not_keep_each_other_busy() {
    let app = house(Engine::Sqlite, Strangers::Welcome).await;
    let id = app.becomes(&mail("ada@example.com", SUPPORT, "a.1@example.com", "", "Hello."), "opened").await;
    let ack = app.replies(1).await.pop().unwrap();
    let marked = ack.thread.reply_to.unwrap().to_string();
    let before = app.count("select count(*) from messages").await;
    let own = format!("{}@example.org", ack.id);
    for raw in [
        mail("ada@example.com", &marked, "b.1@example.com", "Auto-Submitted: auto-replied\r\n", "I am away."),
        mail("ada@example.com", &marked, "b.2@example.com", "Precedence: bulk\r\n", "I am away."),
        mail("mailer-daemon@example.com", &marked, "b.3@example.com", "", "No such mailbox."),
        mail(SUPPORT, &marked, "b.4@example.com", "", "Our own."),
        mail("ada@example.com", SUPPORT, &own, "", "Our own, sent back."),
    ] {
        app.becomes(&raw, "ignored").await;
    }
    assert_eq!(app.count("select count(*) from messages").await, before, "nobody was written to");
    for number in 1..20 {
        app.becomes(&mail("ada@example.com", &marked, &format!("c.{number}@example.com"), "", "I am away."), "added")
            .await;
    }
    app.becomes(&mail("ada@example.com", &marked, "c.20@example.com", "", "I am away."), "ignored").await;
    app.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(app.becomes(&mail("ada@example.com", &marked, "c.21@example.com", "", "Back."), "added").await, id);
}

#[tokio::test]
async fn who_knows_the_address_of_anothers_ticket_adds_nothing_to_it() {
    let app = house(Engine::Sqlite, Strangers::Welcome).await;
    let id = app.becomes(&mail("ada@example.com", SUPPORT, "a.1@example.com", "", "Hello."), "opened").await;
    let marked = app.replies(1).await.pop().unwrap().thread.reply_to.unwrap().to_string();
    let other =
        app.becomes(&mail("eve@example.net", &marked, "e.1@example.net", "", "Give me a refund."), "opened").await;
    assert_ne!(other, id);
    let ticket = app.ticket(&other).await;
    assert_eq!((&ticket["customer_id"], &ticket["instance_id"]), (&Value::Null, &Value::Null), "she is a stranger");
    assert_eq!(app.ticket(&id).await["messages"].as_array().unwrap().len(), 1);
    // A mark that we did not make leads nowhere.
    let forged = marked.replace(&marked[marked.len() - 20..marked.len() - 12], "00000000");
    let third = app.becomes(&mail("ada@example.com", &forged, "a.2@example.com", "", "More."), "opened").await;
    assert_ne!(third, id);
    // What is too large stays behind, with a word.
    let file = STANDARD.encode(vec![0; (5 << 20) + 1]);
    let parts = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n";
    let text = format!(
        "--b\r\nContent-Type: text/plain\r\n\r\nSee the log.\r\n--b\r\nContent-Type: text/plain; name=l.log\r\n\
         Content-Disposition: attachment; filename=l.log\r\nContent-Transfer-Encoding: base64\r\n\r\n{file}\r\n--b--"
    );
    let fourth = app.becomes(&mail("ada@example.com", SUPPORT, "a.3@example.com", parts, &text), "opened").await;
    let message = app.ticket(&fourth).await["messages"][0].clone();
    assert!(message["text"].as_str().unwrap().contains("l.log is larger than 5 MB"), "{message}");
    assert_eq!(message["attachments"], json!([]));
    let strict = house(Engine::Sqlite, Strangers::Refused).await;
    strict.becomes(&mail("eve@example.net", SUPPORT, "e.1@example.net", "", "Hello."), "ignored").await;
    strict.becomes(&mail("ada@example.com", SUPPORT, "a.1@example.com", "", "Hello."), "opened").await;
}
