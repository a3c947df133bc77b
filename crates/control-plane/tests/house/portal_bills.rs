//! What customers see of their bills.

use reqwest::{Method, StatusCode};
use store::Engine;
use workflow::Faults;

use crate::support::TestApp;

const ADA: Option<&str> = Some("ada@example.com");
const BILLS: &str = "/portal/instances/acme/bills";
/// 2026-11-17T09:00Z, in hours since 1970.
const HOUR: &str = "/portal/instances/acme/bills/hours/498585";

async fn used_twice() -> TestApp {
    let app = TestApp::start_at("2026-11-16T00:00:00Z", Engine::Sqlite, Faults::none()).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    assert_eq!(app.provision("eve@example.com", "zoo").await, "done");
    app.go_to("2026-11-20T12:00:00Z");
    app.used("acme", &["2026-11-17T09:10:00Z", "2026-11-20T11:00:00Z"]).await;
    app
}

#[tokio::test]
async fn the_period_so_far_leads_to_each_hour_and_what_shows_it() {
    let app = used_twice().await;
    let page = app.browser(Method::GET, BILLS, ADA, &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    // Half of November's base fee, and two hours.
    assert!(page.body.contains("$4.50") && page.body.contains(HOUR), "{}", page.body);
    assert!(page.body.contains("There is none yet"), "{}", page.body);
    let hour = app.browser(Method::GET, HOUR, ADA, &[]).await;
    assert!(hour.body.contains("a member was active") || hour.body.contains("A member was active"), "{}", hour.body);
    assert!(hour.body.contains("$1.00"), "{}", hour.body);
    for path in [BILLS, HOUR] {
        let stranger = app.browser(Method::GET, path, Some("eve@example.com"), &[]).await;
        assert_eq!(stranger.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn an_hour_is_contested_with_a_reason_and_once() {
    let app = used_twice().await;
    let empty = app.browser(Method::POST, HOUR, ADA, &[("reason", " ")]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", empty.body);
    for _ in 0..2 {
        let sent = app.browser(Method::POST, HOUR, ADA, &[("reason", "Nobody was there.")]).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    }
    let page = app.browser(Method::GET, HOUR, ADA, &[]).await;
    assert!(page.body.contains("Nobody was there."), "{}", page.body);
    let (_, contests) = app.api(Method::GET, "/contests", None).await;
    assert_eq!(contests["data"].as_array().unwrap().len(), 1, "{contests}");
}

#[tokio::test]
async fn an_invoice_is_read_printed_and_taken_along_by_its_customer_alone() {
    let app = used_twice().await;
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    let (_, of_acme) = app.api(Method::GET, "/invoices?instance=acme", None).await;
    let number = of_acme["data"][0]["number"].as_str().unwrap();
    let page = app.browser(Method::GET, BILLS, ADA, &[]).await;
    assert!(page.body.contains(number), "{}", page.body);
    let url = format!("{BILLS}/invoices/{number}");
    let invoice = app.browser(Method::GET, &url, ADA, &[]).await;
    assert!(invoice.body.contains("$4.50") && invoice.body.contains("Please name the invoice"), "{}", invoice.body);
    let csv = app.browser(Method::GET, &format!("{url}/csv"), ADA, &[]).await;
    assert_eq!(csv.body.lines().count(), 1 + 2 + 2, "{}", csv.body);
    let pdf = app.browser(Method::GET, &format!("{url}/pdf"), ADA, &[]).await;
    assert!(pdf.status == StatusCode::OK && pdf.body.starts_with("%PDF"));
    for path in [url.clone(), format!("{url}/pdf"), format!("{url}/csv")] {
        assert_eq!(app.browser(Method::GET, &path, Some("eve@example.com"), &[]).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(
        app.browser(Method::GET, &format!("{BILLS}/invoices/none"), ADA, &[]).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn each_hour_on_an_invoice_leads_to_its_evidence_also_a_late_one_and_a_waived_one() {
    let app = used_twice().await;
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    let number = |invoices: &serde_json::Value| invoices["data"][0]["number"].as_str().unwrap().to_owned();
    let (_, of_acme) = app.api(Method::GET, "/invoices?instance=acme", None).await;
    let first = format!("{BILLS}/invoices/{}", number(&of_acme));
    let page = app.get(&first, ADA).await.body;
    assert!(page.contains("Its hours in November 2026") && page.contains(&format!("\"{HOUR}\"")), "{page}");
    assert!(!page.contains("waived, costs nothing"), "{page}");
    assert!(!app.get(BILLS, ADA).await.body.contains(HOUR), "the running period has hours of its own only");
    let hour = app.get(HOUR, ADA).await.body;
    assert!(hour.contains("It stands on invoice") && hour.contains("Contest this hour"), "{hour}");

    // An hour of November is told in December, and another one waived after it was billed.
    app.used("acme", &["2026-11-17T15:10:00Z", "2026-12-01T07:10:00Z"]).await;
    let waiver = serde_json::json!({"hours": ["2026-11-17T09:00:00Z"], "reason": "We had an outage."});
    app.api(Method::POST, "/instances/acme/usage/waive", Some(waiver)).await;
    app.go_to("2027-01-01T08:00:00Z");
    app.close(None).await;
    let (_, of_acme) = app.api(Method::GET, "/invoices?instance=acme", None).await;
    let second = app.get(&format!("{BILLS}/invoices/{}", number(&of_acme)), ADA).await.body;
    assert!(second.contains("Its hours in November 2026") && second.contains("Its hours in December 2026"), "{second}");
    assert!(!second.contains(&format!("\"{HOUR}\"")), "it stands on the first one: {second}");
    assert!(app.get(&first, ADA).await.body.contains("waived, costs nothing"), "now it is given back");
}
