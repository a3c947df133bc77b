//! An operator finds what they have in mind by what they know of it.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::TestApp;

async fn found(app: &TestApp, typed: &str) -> Vec<String> {
    let (status, answer) = app.api(Method::GET, &format!("/search?q={typed}"), None).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let in_words = |hit: &Value| format!("{} {}", hit["kind"].as_str().unwrap(), hit["name"].as_str().unwrap());
    answer["found"].as_array().unwrap().iter().map(in_words).collect()
}

async fn a_piece_of_a_name_finds_everything_that_has_it(engine: store::Engine) {
    let app = TestApp::start_with(engine, workflow::Faults::none()).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    assert_eq!(app.provision("bob@example.com", "percent-100").await, "done");
    assert_eq!(found(&app, "CM").await, ["instance acme"]);
    assert_eq!(found(&app, "ada@").await, ["customer ada@example.com", "member ada@example.com"]);
    let id = app.instance("acme").await["id"].as_str().unwrap().to_owned();
    let by_id = found(&app, &id).await;
    assert_eq!(by_id[0], "instance acme", "what goes by the very id comes first: {by_id:?}");
    assert!(by_id.iter().any(|hit| hit.starts_with("workflow ")), "and what was done to it: {by_id:?}");
    // What means something to the store is looked for like anything else.
    for wild in ["%25%25", "__", "%27%20or%201=1"] {
        assert_eq!(found(&app, wild).await, [""; 0], "{wild}");
    }
}

#[tokio::test]
async fn a_piece_of_a_name_finds_everything_that_has_it_on_sqlite() {
    a_piece_of_a_name_finds_everything_that_has_it(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn a_piece_of_a_name_finds_everything_that_has_it_on_postgres() {
    a_piece_of_a_name_finds_everything_that_has_it(store::Engine::Postgres).await;
}

#[tokio::test]
async fn the_console_leads_to_what_was_found_and_says_what_it_can_not_look_for() {
    let app = TestApp::start().await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    let page = app.get("/admin/search?q=acm", Some("operator@localhost")).await;
    let id = app.instance("acme").await["id"].as_str().unwrap().to_owned();
    assert!(page.body.contains(&format!("<a href=\"/admin/instances/{id}\">acme</a>")), "{}", page.body);
    let short = app.get("/admin/search?q=a", Some("operator@localhost")).await;
    assert!(short.body.contains("Search for 2 to 200 characters"), "{}", short.body);
    let none = app.get("/admin/search?q=nobody-here", Some("operator@localhost")).await;
    assert!(none.body.contains("Nothing found"), "{}", none.body);
    let (status, problem) = app.api(Method::GET, "/search?q=a", None).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(app.get("/admin/search?q=acm", Some("ada@example.com")).await.status, StatusCode::NOT_FOUND);
}
