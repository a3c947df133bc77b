//! The documentation as everybody finds it.

use reqwest::{Method, StatusCode, header};
use serde_json::Value;

use crate::support::TestApp;

#[tokio::test]
async fn the_documentation_is_there_for_strangers() {
    let app = TestApp::start().await;
    for (path, says) in [
        ("/docs", "Quick start"),
        ("/docs/quick-start", "Be the customer"),
        ("/docs/quick-start/", "Be the customer"),
        ("/docs/operator/settings", "spinoff.toml"),
        ("/docs/runbooks/instance-down", "spinoff instances health acme"),
        ("/docs/search?q=backup", "<mark>"),
        ("/docs/search", "Enter a word or some"),
        ("/docs/search?q=%ff&q=2", "Search"),
        ("/getting-started", "Five minutes from signing up"),
    ] {
        let page = app.get(path, None).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.body.contains(says), "{path} does not say {says}");
    }
}

#[tokio::test]
async fn the_reference_tells_every_address_of_the_api() {
    let app = TestApp::start().await;
    let (_, api) = app.api_as(None, Method::GET, "/openapi.json", None).await;
    let mut told = 0;
    for (path, methods) in api["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let tag = operation["tags"][0].as_str().unwrap();
            let page = app.get(&format!("/docs/api/{tag}"), None).await;
            let line = format!("{} /api/v1{path}", method.to_uppercase());
            assert!(page.body.contains(&line), "/docs/api/{tag} does not tell {line}");
            told += 1;
        }
    }
    assert!(told > 80, "{told} addresses were told");
    let types = app.get("/docs/api/types", None).await;
    for name in api["components"]["schemas"].as_object().unwrap().keys() {
        assert!(types.body.contains(&format!("id=\"{}\"", name.to_lowercase())), "{name} is not told");
    }
}

#[tokio::test]
async fn an_unknown_page_is_told_as_such_and_leads_on() {
    let app = TestApp::start().await;
    let page = app.get("/docs/operator/backup", None).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.body.contains("There is no such page here") && page.body.contains("Did you mean"), "{}", page.body);
    let hostile = app.get("/docs/%3Cscript%3Ealert(1)%3C/script%3E", None).await;
    assert_eq!(hostile.status, StatusCode::NOT_FOUND);
    assert!(!hostile.body.contains("<script>alert"));
}

#[tokio::test]
async fn pictures_are_served_as_such() {
    let app = TestApp::start().await;
    let picture = reqwest::get(format!("{}/docs/screenshots/portal.png", app.app().settings.public_url)).await.unwrap();
    assert_eq!(picture.status(), StatusCode::OK);
    assert_eq!(picture.headers()[header::CONTENT_TYPE], "image/png");
    assert!(picture.bytes().await.unwrap().starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn the_reference_has_no_fault() {
    let app = TestApp::start().await;
    let (_, api): (_, Value) = app.api_as(None, Method::GET, "/openapi.json", None).await;
    assert_eq!(handbook::Handbook::bind(&api).faults(), Vec::<String>::new());
}
