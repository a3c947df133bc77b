use reqwest::StatusCode;
use serde_json::json;
use simulators::railway::{Plan, Settings};

use crate::harness::{House, OPERATIONS};

async fn ask(house: &House) -> (StatusCode, Option<u64>, u64) {
    let body = json!({ "query": OPERATIONS, "operationName": "WhoAmI" });
    let answer = house.send(&body, &[("authorization", house.bearer())]).await.unwrap();
    let number = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().parse::<u64>().unwrap());
    assert!(answer.headers().contains_key("x-ratelimit-limit") && answer.headers().contains_key("x-ratelimit-reset"));
    (answer.status(), number("retry-after"), number("x-ratelimit-remaining").unwrap())
}

#[tokio::test]
async fn an_hours_requests_are_counted_and_the_next_hour_is_fresh() {
    let house = House::open(Settings { plan: Plan::Free, ..Settings::quick() }).await;
    for number in 0..100 {
        assert_eq!(ask(&house).await, (StatusCode::OK, None, 99 - number));
        house.pass(1);
    }
    assert_eq!(ask(&house).await, (StatusCode::TOO_MANY_REQUESTS, Some(3500), 0));
    house.pass(3500);
    assert_eq!(ask(&house).await, (StatusCode::OK, None, 99));
    let read = house.done("BillingPeriod", json!({ "ws": "ws-simulated" })).await;
    assert_eq!(read["workspace"]["apiTokenRateLimit"]["remainingPoints"], 98);
}

#[tokio::test]
async fn too_many_within_a_second_wait_for_the_next() {
    let house = House::open(Settings { plan: Plan::Hobby, ..Settings::quick() }).await;
    for _ in 0..10 {
        assert_eq!(ask(&house).await.0, StatusCode::OK);
    }
    assert_eq!(ask(&house).await, (StatusCode::TOO_MANY_REQUESTS, Some(1), 990));
    house.pass(1);
    assert_eq!(ask(&house).await.0, StatusCode::OK);
}
