//! What everybody may see: the front of the house, and what machines read of it.

use std::sync::Arc;

use pages::{Brand, Front};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn what_is_new_is_told_once_customers_have_it_and_not_once_it_is_withdrawn() {
    let app = TestApp::start().await;
    let empty = app.get("/news", None).await;
    assert!(empty.body.contains("nothing to tell yet"), "{}", empty.body);
    let notes = "Stories can be dragged.\n\nMeetings have a search, for <everybody>.";
    let made = json!({"version": "2", "command": "true", "notes": notes});
    let (status, told) = app.api(Method::POST, "/releases", Some(made)).await;
    assert!(status.is_success(), "{told}");
    assert!(!app.get("/news", None).await.body.contains("dragged"), "nobody has it yet");
    for _ in 0..2 {
        let how = json!({"without_proof_because": "a test answers for it"});
        let (status, told) = app.api(Method::POST, "/releases/2/promote", Some(how)).await;
        assert_eq!(status, StatusCode::OK, "{told}");
    }
    let page = app.get("/news", None).await;
    assert!(page.body.contains("<p>Stories can be dragged.</p>"), "{}", page.body);
    assert!(page.body.contains("for &#60;everybody&#62;."), "{}", page.body);
    let feed = app.get("/news/feed.atom", None).await;
    assert!(feed.body.contains("<title>AI-DIY 2</title>") && feed.body.contains("/news#v2"), "{}", feed.body);
    let why = json!({"because": "It loses the last line."});
    let (status, told) = app.api(Method::POST, "/releases/2/withdraw", Some(why)).await;
    assert!(status.is_success(), "{told}");
    assert!(!app.get("/news", None).await.body.contains("dragged"));
}

#[tokio::test]
async fn the_security_page_says_what_the_last_round_found_and_nothing_where_there_was_none() {
    let app = TestApp::start().await;
    let before = app.get("/security", None).await;
    assert_eq!(before.status, StatusCode::OK);
    assert!(before.body.contains("Not tried yet"), "{}", before.body);
    for name in ["acme", "beta"] {
        assert_eq!(app.provision(&format!("{name}@example.com"), name).await, "done");
    }
    app.host.doorman().believe(app.app().gate.clone(), app.clock.clone());
    let (status, begun) = app.api(Method::POST, "/isolation/rounds", Some(json!({}))).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{begun}");
    assert_eq!(app.settled(begun["workflow_id"].as_str().unwrap()).await, "done");
    let after = app.get("/security", None).await;
    let shown = |number: i64, what: &str| after.body.contains(&format!("<dt>{what}</dt><dd>{number}</dd>"));
    let refused = app.count("select refused from isolation_rounds").await;
    assert!(refused > 0 && shown(refused, "attempts refused") && shown(0, "attempts let in"), "{}", after.body);
    assert!(after.body.contains("<dd>2 of 2</dd>"), "{}", after.body);
    for name in ["acme", "beta"] {
        assert!(!after.body.contains(name), "it names no customer: {}", after.body);
    }
}

#[tokio::test]
async fn machines_find_the_public_pages_and_are_kept_from_the_others() {
    let app = TestApp::start().await;
    let robots = app.get("/robots.txt", None).await.body;
    assert!(robots.contains("Disallow: /portal\n") && robots.contains("/sitemap.xml"), "{robots}");
    let map = app.get("/sitemap.xml", None).await.body;
    let own = app.app().settings.public_url.clone();
    let listed: Vec<&str> = map.split("<loc>").skip(1).filter_map(|rest| rest.split("</loc>").next()).collect();
    assert!(listed.len() > 50, "the documents are in it: {listed:?}");
    for url in listed {
        let path = url.strip_prefix(own.as_str()).unwrap_or_else(|| panic!("{url} is not of this site"));
        let closed = robots.lines().filter_map(|line| line.strip_prefix("Disallow: "));
        assert!(closed.into_iter().all(|closed| !path.starts_with(closed)), "{path} is closed to robots");
        assert_eq!(app.get(path, None).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(app.get("/.well-known/security.txt", None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn another_product_is_sold_with_its_own_words_and_contact() {
    let front = Front {
        headline: "Notebooks for your team".to_owned(),
        lead: "A notebook server of your own.".to_owned(),
        figure: None,
        steps: Vec::new(),
        audience: Vec::new(),
        questions: Vec::new(),
    };
    let brand = Brand::default().speaking(front).reached_at("help@notebooks.example");
    let app = TestApp::start_branded(Arc::new(brand)).await;
    let page = app.get("/", None).await.body;
    assert!(page.contains("<h1>Notebooks for your team</h1>"), "{page}");
    assert!(!page.contains("AI specialists") && !page.contains("corner-bakery"), "{page}");
    let contact = app.get("/.well-known/security.txt", None).await.body;
    assert!(contact.starts_with("Contact: mailto:help@notebooks.example\nExpires: 20"), "{contact}");
    assert!(app.get("/security", None).await.body.contains("mailto:help@notebooks.example"));
}
