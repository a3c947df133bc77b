use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use simulators::cloudflare::{Permission, Settings};

use crate::harness::{House, code, record};

const VERIFY: &str = "/user/tokens/verify";

#[tokio::test]
async fn a_token_says_of_itself_whether_it_works() {
    let house = House::open().await;
    let until = house.clock.now() + SignedDuration::from_mins(10);
    let token = house.cloudflare.grant_until(&[Permission::Dns], until);
    let (_, answer) = house.asked_as(&token, Method::GET, VERIFY, None).await;
    assert_eq!((&answer["result"]["status"], &answer["result"]["expires_on"]), (&json!("active"), &json!(until)));
    house.pass(600);
    let (status, answer) = house.asked_as(&token, Method::GET, VERIFY, None).await;
    assert_eq!((status, &answer["result"]["status"]), (200, &json!("expired")));
    let (status, answer) = house.asked_as(&token, Method::GET, "/zones", None).await;
    assert_eq!((status, code(&answer)), (403, 9109));
}

#[tokio::test]
async fn a_wrong_a_missing_and_a_revoked_token_are_told_apart_as_the_real_one_does() {
    let house = House::open().await;
    let (status, answer) = house.asked_as("wrong", Method::GET, VERIFY, None).await;
    assert_eq!((status, code(&answer)), (401, 1000));
    let (status, answer) = house.asked_as("wrong", Method::GET, "/zones", None).await;
    assert_eq!((status, code(&answer)), (403, 9109));
    let bare = house.http.get(format!("{}/client/v4/zones", house.served.url)).send().await.unwrap();
    assert_eq!((bare.status().as_u16(), code(&bare.json().await.unwrap())), (400, 9106));
    let token = house.cloudflare.grant(&[Permission::Dns]);
    assert_eq!(house.asked_as(&token, Method::GET, "/zones", None).await.0, 200);
    house.cloudflare.revoke(&token);
    assert_eq!(house.asked_as(&token, Method::GET, "/zones", None).await.0, 403);
}

#[tokio::test]
async fn a_new_token_is_refused_for_as_long_as_told() {
    let house = House::open_with(Settings { token_lag: SignedDuration::from_secs(60), ..Settings::default() }).await;
    let token = house.cloudflare.grant(&[Permission::Dns]);
    assert_eq!(house.asked_as(&token, Method::GET, "/zones", None).await.0, 403);
    house.pass(60);
    assert_eq!(house.asked_as(&token, Method::GET, "/zones", None).await.0, 200);
}

#[tokio::test]
async fn each_permission_opens_its_own_part_and_nothing_else() {
    let house = House::open().await;
    let doors = [
        (Permission::Dns, house.zone("/dns_records"), 10000),
        (Permission::ZoneSettings, house.zone("/settings/ssl"), 9109),
        (Permission::AppsAndPolicies, house.access("apps"), 10000),
        (Permission::AppsAndPolicies, house.access("policies"), 10000),
        (Permission::Organizations, house.access("organizations"), 10000),
        (Permission::Organizations, house.access("identity_providers"), 10000),
        (Permission::ServiceTokens, house.access("service_tokens"), 10000),
        (Permission::AuditLogs, house.access("logs/access_requests"), 10000),
    ];
    for holding in Permission::ALL {
        let token = house.cloudflare.grant(&[holding]);
        for (needed, path, refusal) in &doors {
            let (status, answer) = house.asked_as(&token, Method::GET, path, None).await;
            if *needed == holding {
                assert_eq!(status, 200, "{holding:?} {path}");
            } else {
                assert_eq!((status, code(&answer)), (403, *refusal), "{holding:?} {path}");
            }
        }
    }
    let token = house.cloudflare.grant(&[Permission::AppsAndPolicies]);
    let body = Some(record("CNAME", "acme", "a.up.railway.app"));
    assert_eq!(house.asked_as(&token, Method::POST, &house.zone("/dns_records"), body).await.0, 403);
    assert_eq!(house.cloudflare.records(), []);
}

#[tokio::test]
async fn the_zone_is_found_by_name_by_whoever_has_a_permission_on_it() {
    let house = House::open().await;
    let found = house.get("/zones?name=ai-diy.ai").await;
    assert_eq!((&found[0]["id"], &found[0]["status"]), (&json!(house.cloudflare.zone_id()), &json!("active")));
    assert_eq!(found[0]["account"]["id"], json!(house.cloudflare.account_id()));
    assert_eq!(house.get("/zones?name=other.example").await, json!([]));
    assert_eq!(house.get(&house.zone("")).await, found[0]);
    let blind = house.cloudflare.grant(&[Permission::AppsAndPolicies]);
    assert_eq!(house.asked_as(&blind, Method::GET, "/zones", None).await.1["result"], json!([]));
    assert_eq!(house.asked_as(&blind, Method::GET, &house.zone(""), None).await.0, 403);
    assert_eq!(house.refused(Method::GET, "/zones/0123/dns_records", None).await, (403, 10000));
    assert_eq!(house.refused(Method::GET, "/zones/0123/nothing", None).await, (400, 7000));
}

#[tokio::test]
async fn settings_of_the_zone_are_read_and_set_within_what_they_may_be() {
    let house = House::open().await;
    let path = house.zone("/settings/ssl");
    assert_eq!(house.get(&path).await["value"], "full");
    assert_eq!(house.done(Method::PATCH, &path, Some(json!({ "value": "strict" }))).await["value"], "strict");
    assert_eq!(house.get(&path).await["value"], "strict");
    assert_eq!(house.refused(Method::PATCH, &path, Some(json!({ "value": "fuller" }))).await, (400, 1007));
    assert_eq!(house.refused(Method::GET, &house.zone("/settings/brotli"), None).await, (400, 1006));
}
