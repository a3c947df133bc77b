//! Nobody does what is not theirs to do: every route is tried by everybody.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::TestApp;

const ROUTES: &str = include_str!("../../src/routes.rs");

/// What everybody may see without saying who they are. Everything else asks.
const PUBLIC: [&str; 39] = [
    "/",
    "/pricing",
    "/security",
    "/news",
    "/news/feed.atom",
    "/robots.txt",
    "/sitemap.xml",
    "/.well-known/security.txt",
    "/terms",
    "/privacy",
    "/acceptable-use",
    "/billing-agreement",
    "/getting-started",
    "/docs",
    "/docs/search",
    "/docs/{*page}",
    "/status",
    "/status/feed.atom",
    "/status/subscribe",
    "/status/confirm/{token}",
    "/status/unsubscribe/{token}",
    "/mail/unsubscribe/{token}",
    "/assets/{file}",
    "/signup",
    "/signup/availability",
    "/signup/{workflow}",
    "/signup/{workflow}/events",
    "/signup/{workflow}/payment",
    "/signup/{workflow}/cancel",
    "/support/rating/{token}",
    "/webhooks/stripe",
    "/webhooks/mail",
    "/webhooks/railway/{secret}",
    "/-/health",
    "/-/ready",
    "/mailbox",
    "/mailbox/messages.json",
    "/mailbox/{id}",
    "/mailbox/{id}/body",
];

/// What support may not change: invoices are issued, and given up, and releases brought to customers, by an owner.
const AN_OWNERS: [&str; 10] = [
    "/admin/money/close",
    "/admin/money/invoices/{number}/refund",
    "/admin/money/invoices/{number}/write-off",
    "/admin/instances/{id}/stage",
    "/admin/releases",
    "/admin/releases/{version}/promote",
    "/admin/releases/{version}/withdraw",
    "/admin/rollouts",
    "/admin/rollouts/{id}/cancel",
    "/admin/rollouts/{id}/roll-back",
];

/// Every path in the route table, with the functions that answer it.
fn table() -> Vec<(String, String)> {
    let mut routes = Vec::new();
    for part in ROUTES.split(".route(").skip(1) {
        // The one route without a literal path is the keys' on the guards' socket.
        let Some(quoted) = part.trim_start().strip_prefix('"') else { continue };
        let path = quoted.split('"').next().unwrap().to_owned();
        let rest = part.split_once(',').unwrap().1;
        routes.push((path, rest.split(".route(").next().unwrap().to_owned()));
    }
    assert!(routes.len() > 40, "the route table was not read");
    routes
}

fn methods(handlers: &str) -> Vec<Method> {
    let verbs = [("get(", Method::GET), ("post(", Method::POST), ("put(", Method::PUT), ("delete(", Method::DELETE)];
    verbs.into_iter().filter(|(word, _)| handlers.contains(word)).map(|(_, method)| method).collect()
}

fn filled(path: &str, instance: &str) -> String {
    path.replace("{subdomain}", "acme")
        .replace("{instance}", "acme")
        .replace("{email}", "ada%40example.com")
        .replace("{id}", instance)
        .replace("{workflow}", "wfl_00000000000000000000000000")
        .replace("{file}", "nothing.css")
        .replace("{hour}", "498585")
        .replace("{number}", "2026-000001")
        .replace("{contest}", "none")
        .replace("{code}", "NONE")
        .replace("{backup}", "bak_00000000000000000000000000")
        .replace("{version}", "1.0")
        .replace("{token}", "none")
        .replace("{ticket}", "tkt_00000000000000000000000000")
        .replace("{answer}", "ans_00000000000000000000000000")
        .replace("{name}", "welcome")
        .replace("{*page}", "quick-start")
}

fn is_api(handlers: &str) -> bool {
    ["get(", "post(", "put(", "delete("].iter().any(|verb| handlers.trim_start().starts_with(&format!("{verb}api::")))
}

#[tokio::test]
async fn a_stranger_sees_the_public_list_and_nothing_else() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    for (path, handlers) in table() {
        for method in methods(&handlers) {
            let url = filled(&path, "cus_00000000000000000000000000");
            if is_api(&handlers) {
                let (status, problem) = app.api_as(None, method.clone(), &url, None).await;
                let public = path == "/openapi.json";
                assert_eq!(status == StatusCode::UNAUTHORIZED, !public, "{method} {path}: {status} {problem}");
                continue;
            }
            let page = app.browser(method.clone(), &url, None, &[]).await;
            let asks = page.location.as_deref().is_some_and(|to| to.starts_with("/cdn-cgi/access/login"));
            let entrance = path == "/admin/enter";
            assert_eq!(asks, !PUBLIC.contains(&path.as_str()) && !entrance, "{method} {path}: {}", page.status);
        }
    }
}

#[tokio::test]
async fn a_customer_sees_neither_the_console_nor_anybody_elses_instance() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    app.provision("eve@example.com", "zoo").await;
    let theirs = app.instance("zoo").await["id"].as_str().unwrap().to_owned();
    let filled_in = [("email", "x@y.zz"), ("confirmation", "zoo"), ("reason", "because"), ("cap", "none")];
    for (path, handlers) in table() {
        // Everybody's own.
        let own = ["/portal", "/portal/tickets", "/portal/tickets/new"].contains(&path.as_str());
        if is_api(&handlers) || PUBLIC.contains(&path.as_str()) || path == "/admin/enter" || own {
            continue;
        }
        for method in methods(&handlers) {
            let url = filled(&path, &theirs).replace("acme", "zoo");
            let page = app.browser(method.clone(), &url, Some("ada@example.com"), &filled_in).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{method} {url}");
            assert!(!page.body.contains("eve@example.com"), "{method} {url} names a neighbour");
        }
    }
    assert_eq!(app.instance("zoo").await["state"], "active");
}

#[tokio::test]
async fn an_operator_sees_the_console() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let instance = app.instance("acme").await;
    let workflow = instance["workflow_id"].as_str().unwrap();
    let customer = instance["customer_id"].as_str().unwrap();
    let id = instance["id"].as_str().unwrap();
    for url in [
        "/admin".to_owned(),
        "/admin/customers".to_owned(),
        format!("/admin/customers/{customer}"),
        "/admin/instances".to_owned(),
        format!("/admin/instances/{id}"),
        "/admin/workflows?state=done".to_owned(),
        format!("/admin/workflows/{workflow}"),
        "/admin/providers".to_owned(),
        "/admin/releases".to_owned(),
        "/admin/releases/new".to_owned(),
        "/admin/releases/1".to_owned(),
        "/admin/releases/1/withdraw".to_owned(),
        "/admin/rollouts".to_owned(),
        "/admin/rollouts/new".to_owned(),
        "/admin/rollouts/plan?version=1".to_owned(),
        "/admin/isolation".to_owned(),
        "/admin/audit".to_owned(),
        "/admin/alerts".to_owned(),
        "/admin/alerts?state=resolved".to_owned(),
        "/admin/incidents".to_owned(),
        "/admin/tickets".to_owned(),
        "/admin/tickets?order=waiting&assignee=nobody".to_owned(),
        "/admin/tickets/answers".to_owned(),
        "/admin/money".to_owned(),
        "/admin/money/close".to_owned(),
        "/admin/analytics".to_owned(),
        "/admin/analytics/spend".to_owned(),
        "/admin/mail/previews".to_owned(),
        "/admin/money/invoices?state=paid".to_owned(),
    ] {
        let page = app.get(&url, Some("operator@localhost")).await;
        assert_eq!(page.status, StatusCode::OK, "{url}");
    }
}

#[tokio::test]
async fn roles_reach_as_far_as_they_say() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    store::sqlx::query(
        "insert into operators (email, role, added_at, from_settings) values ('r@example.com', 'read_only', 0, 0)",
    )
    .execute(app.db.db.write())
    .await
    .unwrap();
    let email = domain::Email::parse("r@example.com").unwrap();
    app.app().admit_to_site(&email).await.unwrap();
    let workflow = app.instance("acme").await["workflow_id"].as_str().unwrap().to_owned();
    let reader = Some("r@example.com");
    assert_eq!(app.get("/admin/workflows", reader).await.status, StatusCode::OK);
    for verb in ["retry", "abandon"] {
        let page = app.browser(Method::POST, &format!("/admin/workflows/{workflow}/{verb}"), reader, &[]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{verb}");
    }
}

#[tokio::test]
async fn readers_change_nothing_and_support_all_but_what_is_an_owners() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    for (email, role) in [("r@example.com", "read_only"), ("s@example.com", "support")] {
        let insert = "insert into operators (email, role, added_at, from_settings) values ($1, $2, 0, 0)";
        store::sqlx::query(insert).bind(email).bind(role).execute(app.db.db.write()).await.unwrap();
        app.app().admit_to_site(&domain::Email::parse(email).unwrap()).await.unwrap();
    }
    let filled_in = [("email", "x@y.zz"), ("reason", "because"), ("decision", "accept"), ("answer", "because")];
    for (path, handlers) in table() {
        if !path.starts_with("/admin/") || !methods(&handlers).contains(&Method::POST) {
            continue;
        }
        let url = filled(&path, "cus_00000000000000000000000000");
        let reader = app.browser(Method::POST, &url, Some("r@example.com"), &filled_in).await;
        assert_eq!(reader.status, StatusCode::FORBIDDEN, "a reader: {path}");
        let support = app.browser(Method::POST, &url, Some("s@example.com"), &filled_in).await;
        let is_refused = support.status == StatusCode::FORBIDDEN;
        assert_eq!(is_refused, AN_OWNERS.contains(&path.as_str()), "support: {path}: {}", support.status);
    }
}

#[tokio::test]
async fn a_form_on_another_site_changes_nothing() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let url = format!("{}/portal/instances/acme/delete", app.app().settings.public_url);
    let cookie = app.app().gate.sign_in_to_site(&domain::Email::parse("ada@example.com").unwrap()).unwrap();
    let value = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
    for (site, origin) in [("cross-site", "https://evil.example"), ("same-site", "http://zoo.localhost")] {
        let answer = reqwest::Client::new()
            .post(&url)
            .header("cookie", &value)
            .header("origin", origin)
            .header("sec-fetch-site", site)
            .form(&[("confirmation", "acme")])
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{site}");
    }
    assert_eq!(app.instance("acme").await["state"], "active");
    let form = [("confirmation", "acme")];
    let own = app.browser(Method::POST, "/portal/instances/acme/delete", Some("ada@example.com"), &form).await;
    assert_eq!(own.status, StatusCode::SEE_OTHER, "the same form of our own page was refused");
}

#[tokio::test]
async fn the_printed_link_signs_the_operator_in_and_a_forged_one_does_not() {
    let app = TestApp::start().await;
    let forged = app.get("/admin/enter?token=00", None).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert_eq!(app.get("/admin/enter", None).await.status, StatusCode::BAD_REQUEST);
    let printed = app.admin_link();
    let entered = app.get(&printed, None).await;
    assert_eq!((entered.status, entered.location.as_deref()), (StatusCode::SEE_OTHER, Some("/admin")));
    assert!(entered.cookie.unwrap().starts_with("CF_Authorization="));
}

#[tokio::test]
async fn an_operator_whom_the_settings_name_no_longer_is_none_any_more() {
    let first = TestApp::start().await;
    let email = |text: &str| domain::Email::parse(text).unwrap();
    let second = first.restarted_for(email("new@example.com")).await;
    assert_eq!(second.get("/admin", Some("new@example.com")).await.status, StatusCode::OK);
    assert_eq!(second.get("/admin", Some("operator@localhost")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_document_describes_every_route_of_the_api() {
    let app = TestApp::start().await;
    let (status, document) = app.api_as(None, Method::GET, "/openapi.json", None).await;
    assert_eq!(status, StatusCode::OK);
    for (path, handlers) in table() {
        if !is_api(&handlers) || path == "/openapi.json" {
            continue;
        }
        for method in methods(&handlers) {
            let described = &document["paths"][&path][method.as_str().to_ascii_lowercase()];
            assert_ne!(*described, Value::Null, "{method} {path} is not described");
        }
    }
}

#[tokio::test]
async fn every_error_answer_of_the_api_is_a_problem_with_a_next_step() {
    let app = TestApp::start().await;
    for (method, path, expected) in [
        (Method::GET, "/instances?limit=many", StatusCode::BAD_REQUEST),
        (Method::GET, "/instances?state=happy", StatusCode::UNPROCESSABLE_ENTITY),
        (Method::GET, "/instances/nobody", StatusCode::NOT_FOUND),
        (Method::GET, "/nothing", StatusCode::NOT_FOUND),
        (Method::PUT, "/instances", StatusCode::METHOD_NOT_ALLOWED),
        (Method::POST, "/instances", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let (status, problem) = app.api(method.clone(), path, None).await;
        assert_eq!(status, expected, "{method} {path}: {problem}");
        assert_eq!(problem["status"], expected.as_u16(), "{method} {path}: {problem}");
        assert!(problem["next_step"].is_string(), "{method} {path}: {problem}");
    }
}
