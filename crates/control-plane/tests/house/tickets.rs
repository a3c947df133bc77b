//! Customers ask support, in the portal and by mail; support answers; nobody else reads it.

mod mails;
mod refusals;

use control_plane::close_solved_tickets;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;

use crate::support::{TestApp, TestPage as Page};

const BEGIN: &str = "2026-11-25T10:00:00Z";
const ADA: Option<&str> = Some("ada@example.com");
const OPERATOR: Option<&str> = Some("operator@localhost");

impl TestApp {
    /// Sends a form with files, as a browser does.
    async fn form(&self, path: &str, who: Option<&str>, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Page {
        let mut body = Vec::new();
        for (name, value) in fields {
            let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(head.as_bytes());
        }
        for (name, content) in files {
            let head = format!(
                "--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\nContent-Type: text/html\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--b--\r\n");
        self.send(path, who, &[("content-type", "multipart/form-data; boundary=b")], body).await
    }

    /// Somebody asks support in the portal. The ticket's id.
    async fn asks(&self, who: Option<&str>, key: &str, subject: &str) -> String {
        let fields = [("key", key), ("instance", ""), ("kind", "question"), ("subject", subject), ("text", "How?")];
        let page = self.form("/portal/tickets", who, &fields, &[]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        page.location.unwrap().rsplit('/').next().unwrap().to_owned()
    }

    async fn ticket(&self, id: &str) -> Value {
        let (status, ticket) = self.api(Method::GET, &format!("/tickets/{id}"), None).await;
        assert_eq!(status, StatusCode::OK, "{ticket}");
        ticket
    }

    async fn answers(&self, id: &str, key: &str, text: &str, then: &str) -> Page {
        let form = [("key", key), ("text", text), ("then", then)];
        self.browser(Method::POST, &format!("/admin/tickets/{id}/answer"), OPERATOR, &form).await
    }

    /// The mails to somebody, newest first.
    async fn letters(&self, email: &str) -> Vec<Value> {
        let page = self.get("/mailbox/messages.json", None).await;
        let all: Vec<Value> = serde_json::from_str(&page.body).unwrap();
        all.into_iter().filter(|mail| mail["to"] == email).collect()
    }
}

/// The first address in a mail that has these words, without the site's own.
fn link(mail: &Value, within: &str) -> String {
    let text = mail["text"].as_str().unwrap();
    let word = text.split_whitespace().find(|word| word.contains(within)).unwrap_or_else(|| panic!("{text}"));
    word[word.find(within).unwrap()..].to_owned()
}

async fn a_ticket_from_its_question_to_its_rating(engine: Engine) {
    let app = TestApp::start_at(BEGIN, engine, workflow::Faults::none()).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    let incident =
        json!({"title": "Mail is slow", "impact": "minor", "components": ["mail"], "text": "We look into it."});
    app.api(Method::POST, "/incidents", Some(incident)).await;

    // What the documentation says comes first, and does not stand in the way.
    let asked = "/portal/tickets/new?instance=acme&kind=problem&subject=How+do+I+put+a+backup+back%3F";
    let offered = app.get(asked, ADA).await.body;
    assert!(offered.contains("Does one of these help?") && offered.contains("/docs/customers#"), "{offered}");
    assert!(offered.contains("name=\"text\"") && offered.contains("name=\"files\""));
    let fields = [
        ("key", "k1"),
        ("instance", "acme"),
        ("kind", "problem"),
        ("subject", "How do I put a <b>backup</b> back?"),
        ("text", "I pressed it.\r\nNothing came."),
    ];
    let picture = b"<script>alert(1)</script>".as_slice();
    let sent = app.form("/portal/tickets", ADA, &fields, &[("../see.html", picture)]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let page = sent.location.unwrap();
    let again = app.form("/portal/tickets", ADA, &fields, &[("../see.html", picture)]).await;
    assert_eq!(again.location.as_deref(), Some(page.as_str()), "the same form opens one ticket");
    assert_eq!(app.count("select count(*) from tickets").await, 1);
    let id = page.rsplit('/').next().unwrap().to_owned();
    let received = app.mails_to("ada@example.com").await;
    assert!(received.contains(&"Re: How do I put a <b>backup</b> back?".to_owned()), "{received:?}");
    assert!(app.mails_to("operator@localhost").await.iter().any(|it| it.starts_with("ada@example.com wrote")));

    // What was known then is kept, whatever becomes of it.
    let ticket = app.ticket(&id).await;
    assert_eq!((&ticket["state"], &ticket["facts"]["instance_state"]), (&json!("open"), &json!("active")));
    assert_eq!((&ticket["facts"]["release"], &ticket["facts"]["incidents"]), (&json!("1"), &json!(["Mail is slow"])));
    app.api(Method::POST, "/instances/acme/suspend", Some(json!({"reason": "Unpaid."}))).await;
    let console = format!("/admin/tickets/{id}");
    let shown = app.get(&console, OPERATOR).await.body;
    assert!(shown.contains("Mail is slow (investigating)") && shown.contains(", active"), "{shown}");
    assert!(!shown.contains("<b>backup"));
    assert!(app.get("/admin", OPERATOR).await.body.contains("A customer waits for an answer"));

    // A note is for support alone; a canned answer is filled in before it is sent.
    let note = [("key", "n1"), ("text", "Probably the same as last week.")];
    app.browser(Method::POST, &format!("{console}/note"), OPERATOR, &note).await;
    let kept = json!({"name": "Backups", "text": "Hello {name}, of {subdomain}: open Backups."});
    let (status, kept) = app.api(Method::POST, "/canned-answers", Some(kept)).await;
    assert_eq!(status, StatusCode::CREATED, "{kept}");
    let filled = app.get(&format!("{console}?canned={}", kept["id"].as_str().unwrap()), OPERATOR).await.body;
    assert!(filled.contains("of acme: open Backups."), "{filled}");
    app.browser(Method::POST, &format!("{console}/assign"), OPERATOR, &[("assignee", "operator@localhost")]).await;
    app.clock.advance(SignedDuration::from_mins(30));
    for _ in 0..2 {
        let answered = app.answers(&id, "a1", "Hello Ada,\n\nopen Backups.", "wait").await;
        assert_eq!(answered.status, StatusCode::SEE_OTHER, "{}", answered.body);
    }
    let letters = app.letters("ada@example.com").await;
    assert!(letters[0]["text"].as_str().unwrap().contains("open Backups."), "{letters:?}");
    assert_eq!(letters.iter().filter(|it| it["text"].as_str().unwrap().contains("open Backups.")).count(), 1);
    let theirs = app.get(&page, ADA).await.body;
    assert!(theirs.contains("open Backups.") && theirs.contains("Your turn"), "{theirs}");
    assert!(!theirs.contains("last week") && !theirs.contains("operator@localhost"), "{theirs}");
    let ticket = app.ticket(&id).await;
    assert_eq!((&ticket["state"], &ticket["assignee"]), (&json!("waiting"), &json!("operator@localhost")));
    assert_eq!(ticket["messages"].as_array().unwrap().len(), 3, "{ticket}");

    // A word of hers makes it our turn; the last answer asks how content she is.
    app.clock.advance(SignedDuration::from_mins(1));
    let more = app.form(&format!("{page}/messages"), ADA, &[("key", "k2"), ("text", "Where is that?")], &[]).await;
    assert_eq!(more.status, StatusCode::SEE_OTHER);
    assert_eq!(app.ticket(&id).await["state"], "open");
    app.answers(&id, "a2", "On your workspace's page.", "solve").await;
    let letters = app.letters("ada@example.com").await;
    let question = link(&letters[0], "/support/rating/");
    assert!(question.ends_with("?score=5"), "{question}");
    assert!(app.get(&question, None).await.body.contains("value=\"5\" required checked"));
    assert_eq!(app.count("select count(*) from tickets where rating is not null").await, 0, "a look changes nothing");
    let address = question.split('?').next().unwrap();
    assert_eq!(app.get(&format!("{}0", address), None).await.status, StatusCode::NOT_FOUND);
    let unanswered = app.browser(Method::POST, address, None, &[("score", "6")]).await;
    assert_eq!(unanswered.status, StatusCode::UNPROCESSABLE_ENTITY);
    let rated = app.browser(Method::POST, address, None, &[("score", "5"), ("comment", "Quick!")]).await;
    assert!(rated.status == StatusCode::OK && rated.body.contains("Thank you"), "{}", rated.body);
    let (_, figures) = app.api(Method::GET, "/tickets/figures", None).await;
    assert_eq!(figures["median_first_answer_seconds"], 30 * 60);
    assert_eq!((&figures["average_rating_tenths"], &figures["open"]), (&json!(50), &json!(0)));
    assert!(app.get("/admin/tickets?state=solved", OPERATOR).await.body.contains("5.0 / 5"));

    // Files are saved, and never shown.
    let file = app.get(&format!("{page}/attachments/1"), ADA).await;
    assert_eq!((file.status, file.body.as_bytes()), (StatusCode::OK, picture));
    assert!(theirs.contains(">see.html<"), "{theirs}");

    // After a week without a word it is put away.
    app.clock.advance(SignedDuration::from_hours(8 * 24));
    close_solved_tickets(&app.app().core()).await.unwrap();
    assert_eq!(app.ticket(&id).await["state"], "closed");
    assert_eq!(app.letters("ada@example.com").await.len(), letters.len(), "she was asked before");
    let late = app.form(&format!("{page}/messages"), ADA, &[("key", "k3"), ("text", "And now?")], &[]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    let actions = app.count("select count(*) from audit_events where subject like 'tkt_%'").await;
    assert_eq!(actions, 8, "opened, noted, assigned, answered, written, solved, rated, closed");
}

#[tokio::test]
async fn a_ticket_goes_from_its_question_to_its_rating() {
    a_ticket_from_its_question_to_its_rating(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_ticket_goes_from_its_question_to_its_rating_on_postgres() {
    a_ticket_from_its_question_to_its_rating(Engine::Postgres).await;
}

#[tokio::test]
async fn tickets_are_found_by_state_assignee_and_how_long_they_wait() {
    let app = TestApp::start_at(BEGIN, Engine::Sqlite, workflow::Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    let mut ids = Vec::new();
    for subject in ["First", "Second", "Third"] {
        ids.push(app.asks(ADA, subject, subject).await);
        app.clock.advance(SignedDuration::from_mins(1));
    }
    app.answers(&ids[1], "a", "So.", "wait").await;
    let assign = json!({"assignee": "operator@localhost"});
    let (status, _) = app.api(Method::PUT, &format!("/tickets/{}/assignee", ids[2]), Some(assign)).await;
    assert_eq!(status, StatusCode::OK);
    for (query, expected) in [
        ("", vec!["Third", "Second", "First"]),
        ("?state=unfinished&limit=2", vec!["Third", "Second"]),
        ("?state=waiting", vec!["Second"]),
        ("?assignee=operator%40localhost", vec!["Third"]),
        ("?assignee=nobody&state=open", vec!["First"]),
        ("?order=waiting", vec!["First", "Third"]),
        ("?instance=acme", vec![]),
    ] {
        let (status, page) = app.api(Method::GET, &format!("/tickets{query}"), None).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let found: Vec<&str> =
            page["data"].as_array().unwrap().iter().map(|it| it["subject"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{query}");
    }
    let (_, page) = app.api(Method::GET, &format!("/tickets?cursor={}", ids[1]), None).await;
    assert_eq!(page["data"][0]["subject"], "First");
    // Said by a program under a key, it is said once; closed by one, its customer is asked.
    let answer = json!({"text": "It works again.", "solved": false});
    for _ in 0..2 {
        let token = control_plane::operator_token(&app.app().sealer);
        let bearer = format!("Bearer {}", secrecy::ExposeSecret::expose_secret(&token));
        let headers =
            [("authorization", bearer.as_str()), ("content-type", "application/json"), ("idempotency-key", "x")];
        let path = format!("/api/v1/tickets/{}/answers", ids[0]);
        let said = app.send(&path, None, &headers, answer.to_string().into_bytes()).await;
        assert_eq!(said.status, StatusCode::OK, "{}", said.body);
    }
    assert_eq!(app.ticket(&ids[0]).await["messages"].as_array().unwrap().len(), 2);
    let (status, closed) = app.api(Method::POST, &format!("/tickets/{}/close", ids[0]), Some(json!(null))).await;
    assert_eq!((status, &closed["state"]), (StatusCode::OK, &json!("closed")));
    let letters = app.letters("ada@example.com").await;
    let asked = letters.iter().filter(|mail| mail["text"].as_str().unwrap().contains("/support/rating/"));
    assert_eq!(asked.map(|mail| link(mail, "/support/rating/").contains(&ids[0])).collect::<Vec<_>>(), [true]);
}
