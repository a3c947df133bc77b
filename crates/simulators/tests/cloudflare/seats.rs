use reqwest::Method;
use serde_json::json;
use simulators::cloudflare::{Settings, Visit};

use crate::browser::{Browser, Ended};
use crate::harness::House;

const ACME: &str = "acme.ai-diy.ai";

async fn enter(house: &House, browser: &Browser<'_>, email: &str) -> Ended {
    browser.sign_in(ACME, email, || house.cloudflare.codes().last().unwrap().code.clone()).await
}

#[tokio::test]
async fn whoever_signs_in_takes_a_seat_and_the_next_after_the_last_is_refused() {
    let house = House::open_with(Settings { seats: 2, ..Settings::default() }).await;
    house.protect(json!([{ "email_domain": { "domain": "acme.example" } }])).await;
    let first = Browser::of(&house);
    enter(&house, &first, "a@acme.example").await;
    enter(&house, &Browser::of(&house), "b@acme.example").await;
    assert!(matches!(enter(&house, &Browser::of(&house), "c@acme.example").await, Ended::At(403, _)));
    assert_eq!(house.cloudflare.seats(), ["a@acme.example", "b@acme.example"]);
    let log = house.get(&house.access("logs/access_requests?email=c@acme.example")).await;
    assert_eq!(log[0]["allowed"], false);
    assert!(matches!(enter(&house, &Browser::of(&house), "a@acme.example").await, Ended::In(_)), "has a seat");
}

#[tokio::test]
async fn a_seat_given_free_ends_the_sessions_and_changes_the_subject() {
    let house = House::open_with(Settings { seats: 1, ..Settings::default() }).await;
    house.protect(json!([{ "email_domain": { "domain": "acme.example" } }])).await;
    let browser = Browser::of(&house);
    enter(&house, &browser, "a@acme.example").await;
    let before = subject(&browser.assertion(ACME));
    let person = house.get(&house.access("users?email=a@acme.example")).await[0].clone();
    assert_eq!(person["access_seat"], true);
    let free = json!([{ "seat_uid": person["seat_uid"], "access_seat": false, "gateway_seat": false }]);
    house.done(Method::PATCH, &house.access("seats"), Some(free)).await;
    assert_eq!(house.cloudflare.seats(), [""; 0]);
    assert!(matches!(browser.visit(ACME, "/"), Visit::Login(_)));
    enter(&house, &browser, "a@acme.example").await;
    assert_ne!(subject(&browser.assertion(ACME)), before);
    let wrong = json!([{ "seat_uid": "none", "access_seat": false, "gateway_seat": false }]);
    assert_eq!(house.refused(Method::PATCH, &house.access("seats"), Some(wrong)).await.0, 404);
}

#[tokio::test]
async fn fifty_seats_are_usual() {
    assert_eq!(Settings::default().seats, 50);
}

fn subject(token: &str) -> String {
    use base64::Engine as _;
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    serde_json::from_slice::<serde_json::Value>(&claims).unwrap()["sub"].as_str().unwrap().to_owned()
}
