use reqwest::Method;
use serde_json::json;
use simulators::cloudflare::{Permission, Settings};
use simulators::{Fault, Pace};

use crate::harness::{House, code};

#[tokio::test]
async fn who_asks_too_much_in_five_minutes_is_shut_out_for_five_more() {
    let house = House::open_with(Settings { request_limit: Some(3), ..Settings::default() }).await;
    let token = house.cloudflare.grant(&[Permission::Dns]);
    let path = house.zone("/dns_records");
    let ask = async || house.send_as(&token, Method::GET, &path, None).await;
    let first = ask().await;
    assert_eq!(first.headers()["ratelimit"], "\"default\";r=2;t=300");
    assert_eq!(first.headers()["ratelimit-policy"], "\"default\";q=3;w=300");
    house.pass(100);
    assert_eq!((ask().await.status(), ask().await.status()), (200.try_into().unwrap(), 200.try_into().unwrap()));
    let refused = ask().await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"300".parse().unwrap()));
    assert_eq!(refused.headers()["x-ratelimit-remaining"], "0");
    assert_eq!(code(&refused.json().await.unwrap()), 10100);
    house.pass(250);
    let still = ask().await;
    assert_eq!((still.status().as_u16(), &still.headers()["retry-after"]), (429, &"50".parse().unwrap()));
    assert_eq!(house.asked(Method::GET, &path, None).await.0, 200, "each token has a window of its own");
    house.pass(50);
    assert_eq!(ask().await.status(), 200);
}

#[tokio::test]
async fn the_usual_limit_is_twelve_hundred() {
    let house = House::open().await;
    let answer = house.send_as(house.cloudflare.token(), Method::GET, "/user/tokens/verify", None).await;
    assert_eq!(answer.headers()["x-ratelimit-limit"], "1200");
    assert_eq!(answer.headers()["x-ratelimit-remaining"], "1199");
}

#[tokio::test]
async fn a_fault_wears_the_envelope_of_the_real_one() {
    let house = House::open().await;
    house.served.faults.once("GET /zones", Fault::TooMany { retry_after: std::time::Duration::from_secs(7) });
    let answer = house.send_as(house.cloudflare.token(), Method::GET, "/zones", None).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"7".parse().unwrap()));
    assert_eq!(code(&answer.json().await.unwrap()), 10100);
    house.served.faults.once("GET /zones", Fault::Status(503));
    assert_eq!(house.refused(Method::GET, "/zones", None).await, (503, 10001));
    assert_eq!(Pace::default(), Pace::Real);
}

#[tokio::test]
async fn applications_and_policies_end_at_their_ceilings() {
    let house = House::open_with(Settings { application_limit: 1, policy_limit: 1, ..Settings::default() }).await;
    let policy = json!({ "name": "all", "decision": "allow", "include": [{ "everyone": {} }] });
    house.post(&house.access("policies"), policy.clone()).await;
    assert_eq!(house.refused(Method::POST, &house.access("policies"), Some(policy)).await, (400, 12130));
    let app = |name: &str| json!({ "type": "self_hosted", "domain": format!("{name}.ai-diy.ai") });
    house.post(&house.access("apps"), app("a")).await;
    assert_eq!(house.refused(Method::POST, &house.access("apps"), Some(app("b"))).await, (400, 12130));
}
