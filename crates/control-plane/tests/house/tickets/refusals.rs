//! What is nobody's business, and what is too much.

use super::*;

#[tokio::test]
async fn nobody_reads_or_changes_anothers_ticket() {
    let app = TestApp::start_at(BEGIN, Engine::Sqlite, workflow::Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    app.provision("eve@example.com", "zoo").await;
    let hers = app.asks(ADA, "k", "Secret").await;
    let page = format!("/portal/tickets/{hers}");
    let eve = Some("eve@example.com");
    for path in [page.clone(), format!("{page}/attachments/1")] {
        assert_eq!(app.get(&path, eve).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let form = [("key", "k"), ("text", "It is me.")];
    let written = app.form(&format!("{page}/messages"), eve, &form, &[]).await;
    let solved = app.browser(Method::POST, &format!("{page}/solved"), eve, &[]).await;
    assert_eq!((written.status, solved.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    assert!(!app.get("/portal/tickets", eve).await.body.contains("Secret"));
    // Nor does she ask about an instance of hers, or get her ticket by guessing what her form holds.
    let about = [("key", "x"), ("instance", "acme"), ("subject", "It"), ("text", "Let me in.")];
    assert_eq!(app.form("/portal/tickets", eve, &about, &[]).await.status, StatusCode::NOT_FOUND);
    assert_ne!(app.asks(eve, "k", "Mine").await, hers);
    let ticket = app.ticket(&hers).await;
    assert_eq!((&ticket["state"], ticket["messages"].as_array().unwrap().len()), (&json!("open"), 1));
    assert_eq!(app.get("/portal/tickets", None).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_is_too_large_or_too_little_is_refused_and_what_was_written_is_kept() {
    let app = TestApp::start_at(BEGIN, Engine::Sqlite, workflow::Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    let large = vec![b'x'; (5 << 20) + 1];
    let fields = [("key", "k"), ("kind", "problem"), ("subject", "It"), ("text", "What I wrote.")];
    let page = app.form("/portal/tickets", ADA, &fields, &[("large.log", &large)]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        page.body.contains("large.log is larger than 5 MB") && page.body.contains("What I wrote."),
        "{}",
        page.body
    );
    let many: Vec<(&str, &[u8])> = (0..6).map(|_| ("a.txt", b"x".as_slice())).collect();
    let page = app.form("/portal/tickets", ADA, &fields, &many).await;
    assert!(
        page.status == StatusCode::UNPROCESSABLE_ENTITY && page.body.contains("more than 5 files"),
        "{}",
        page.body
    );
    let empty = [("key", "k"), ("subject", "It"), ("text", "  ")];
    assert_eq!(app.form("/portal/tickets", ADA, &empty, &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let strange = app.send("/portal/tickets", ADA, &[("content-type", "text/plain")], b"hello".to_vec()).await;
    assert_eq!(strange.status, StatusCode::BAD_REQUEST);
    assert_eq!(app.count("select count(*) from tickets").await, 0);
    for number in 0..10 {
        app.asks(ADA, &number.to_string(), "Again").await;
    }
    let eleventh = app.form("/portal/tickets", ADA, &fields, &[]).await;
    assert_eq!(eleventh.status, StatusCode::TOO_MANY_REQUESTS);
    let canned = json!({"name": "A", "text": "Hello {firstname}"});
    let (status, problem) = app.api(Method::POST, "/canned-answers", Some(canned)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let (status, problem) = app.api(Method::GET, "/tickets?state=pending", None).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
}

#[tokio::test]
async fn who_may_only_look_answers_nothing() {
    let app = TestApp::start_at(BEGIN, Engine::Sqlite, workflow::Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    let id = app.asks(ADA, "k", "How?").await;
    for (email, role) in [("r@example.com", "read_only"), ("s@example.com", "support")] {
        let insert = "insert into operators (email, role, added_at, from_settings) values ($1, $2, 0, 0)";
        store::sqlx::query(insert).bind(email).bind(role).execute(app.db.db.write()).await.unwrap();
        app.app().admit_to_site(&domain::Email::parse(email).unwrap()).await.unwrap();
    }
    let (page, reader) = (format!("/admin/tickets/{id}"), Some("r@example.com"));
    let shown = app.get(&page, reader).await;
    assert!(shown.status == StatusCode::OK && !shown.body.contains("Send, and it is solved"), "{}", shown.body);
    for verb in ["answer", "note", "assign", "close"] {
        let done = app.browser(Method::POST, &format!("{page}/{verb}"), reader, &[("key", "k"), ("text", "x")]).await;
        assert_eq!(done.status, StatusCode::FORBIDDEN, "{verb}");
    }
    let form = [("key", "k"), ("text", "So."), ("then", "wait")];
    let answered = app.browser(Method::POST, &format!("{page}/answer"), Some("s@example.com"), &form).await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER);
    let to_reader =
        app.browser(Method::POST, &format!("{page}/assign"), OPERATOR, &[("assignee", "r@example.com")]).await;
    assert_eq!(to_reader.status, StatusCode::UNPROCESSABLE_ENTITY, "who may not answer is given nothing to answer");
}
