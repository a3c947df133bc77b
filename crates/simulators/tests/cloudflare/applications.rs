use reqwest::Method;
use serde_json::{Value, json};
use simulators::cloudflare::{Made, Settings};

use crate::harness::House;

#[tokio::test]
async fn an_application_gets_an_audience_that_outlives_every_change() {
    let house = House::open().await;
    let made = house.protect(json!([{ "email": { "email": "owner@acme.example" } }])).await;
    let aud = made["aud"].as_str().unwrap();
    assert!(aud.len() == 64 && aud.bytes().all(|byte| byte.is_ascii_hexdigit()), "{aud}");
    assert_eq!((&made["policies"][0]["name"], &made["policies"][0]["precedence"]), (&json!("members"), &json!(1)));
    let path = house.access(&format!("apps/{}", made["id"].as_str().unwrap()));
    let put = json!({ "name": "renamed", "type": "self_hosted", "domain": "*.ai-diy.ai" });
    let changed = house.done(Method::PUT, &path, Some(put)).await;
    assert_eq!(
        (&changed["aud"], &changed["name"], &changed["policies"]),
        (&made["aud"], &json!("renamed"), &json!([]))
    );
    assert_eq!(changed["session_duration"], Value::Null);
    assert_eq!(house.get(&path).await, changed);
    house.done(Method::DELETE, &path, None).await;
    assert_eq!(house.refused(Method::GET, &path, None).await.0, 404);
    assert_eq!((house.cloudflare.apps().len(), house.cloudflare.creations(Made::Applications)), (0, 1));
}

#[tokio::test]
async fn an_application_is_found_by_domain_name_or_audience() {
    let house = House::open().await;
    let made = house.protect(json!([{ "everyone": {} }])).await;
    let path = house.access("apps");
    house.post(&path, json!({ "name": "admin", "type": "self_hosted", "domain": "ai-diy.ai/admin" })).await;
    let ids = async |query: &str| {
        let found = house.get(&house.access(&format!("apps?{query}"))).await;
        found.as_array().unwrap().iter().map(|app| app["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids("domain=*.ai-diy.ai&exact=true").await, [made["id"].clone()]);
    assert_eq!(ids("domain=ai-diy.ai&exact=true").await, [Value::Null; 0]);
    assert_eq!(ids("domain=ai-diy.ai").await.len(), 2);
    assert_eq!(ids("name=tenants&exact=true").await, [made["id"].clone()]);
    assert_eq!(ids(&format!("aud={}", made["aud"].as_str().unwrap())).await, [made["id"].clone()]);
    assert_eq!(ids("search=admin").await.len(), 1);
}

#[tokio::test]
async fn applications_and_policies_are_taken_strictly() {
    let house = House::open().await;
    house.protect(json!([{ "everyone": {} }])).await;
    let app = json!({ "type": "self_hosted", "domain": "acme.ai-diy.ai" });
    let with = |field: &str, value: Value| {
        let mut app = app.clone();
        app[field] = value;
        app
    };
    for bad in [
        with("domain", json!("acme.example")),
        with("domain", json!("acme.ai-diy.ai:443")),
        with("type", json!("saas")),
        with("polices", json!([])),
        with("policies", json!(["00000000-0000-4000-8000-000000000000"])),
        with("allowed_idps", json!(["none"])),
        with("auto_redirect_to_identity", json!(true)),
        with("session_duration", json!("1d")),
        with(
            "destinations",
            json!((0..5).map(|n| json!({ "type": "public", "uri": format!("{n}.ai-diy.ai") })).collect::<Vec<_>>()),
        ),
    ] {
        assert_eq!(house.refused(Method::POST, &house.access("apps"), Some(bad.clone())).await, (400, 12130), "{bad}");
    }
    let twice = with("domain", json!("*.ai-diy.ai"));
    assert_eq!(house.refused(Method::POST, &house.access("apps"), Some(twice)).await, (409, 11010));
    for include in [
        json!([]),
        json!([{ "email": { "mail": "a@b.c" } }]),
        json!([{ "email": { "email": "a@b.c" }, "everyone": {} }]),
        json!([{ "group": { "id": "none" } }]),
        json!([{ "service_token": { "token_id": "none" } }]),
        json!(vec![json!({ "email": { "email": "a@b.c" } }); 1001]),
    ] {
        let policy = json!({ "name": "p", "decision": "allow", "include": include });
        assert_eq!(house.refused(Method::POST, &house.access("policies"), Some(policy)).await, (400, 12130));
    }
    assert_eq!((house.cloudflare.apps().len(), house.cloudflare.policies().len()), (1, 1));
}

#[tokio::test]
async fn a_policy_is_changed_for_all_its_applications_and_not_deleted_under_them() {
    let house = House::open().await;
    let app = house.protect(json!([{ "email": { "email": "a@acme.example" } }])).await;
    let id = app["policies"][0]["id"].as_str().unwrap();
    let path = house.access(&format!("policies/{id}"));
    assert_eq!(house.get(&path).await["app_count"], 1);
    let put =
        json!({ "name": "members", "decision": "allow", "include": [{ "email_domain": { "domain": "b.example" } }] });
    house.done(Method::PUT, &path, Some(put)).await;
    let app_path = house.access(&format!("apps/{}", app["id"].as_str().unwrap()));
    let shown = house.get(&app_path).await;
    assert_eq!(shown["policies"][0]["include"], json!([{ "email_domain": { "domain": "b.example" } }]));
    assert_eq!(house.refused(Method::DELETE, &path, None).await, (409, 12132));
    house.done(Method::DELETE, &app_path, None).await;
    house.done(Method::DELETE, &path, None).await;
    assert_eq!(house.refused(Method::DELETE, &path, None).await.0, 404);
}

#[tokio::test]
async fn a_group_is_named_by_policies_and_not_by_groups() {
    let house = House::open().await;
    let group = json!({ "name": "acme", "include": [{ "email": { "email": "a@acme.example" } }] });
    let group = house.post(&house.access("groups"), group).await;
    let rule = json!([{ "group": { "id": group["id"] } }]);
    let nested = json!({ "name": "outer", "include": rule });
    assert_eq!(house.refused(Method::POST, &house.access("groups"), Some(nested)).await, (400, 12130));
    let policy = json!({ "name": "p", "decision": "allow", "include": rule });
    house.post(&house.access("policies"), policy).await;
    let path = house.access(&format!("groups/{}", group["id"].as_str().unwrap()));
    assert_eq!(house.refused(Method::DELETE, &path, None).await.0, 409);
    let put = json!({ "name": "acme", "include": [{ "email": { "email": "b@acme.example" } }] });
    assert_eq!(house.done(Method::PUT, &path, Some(put)).await["id"], group["id"]);
    assert_eq!(house.get(&house.access("groups?name=acme")).await[0]["include"][0]["email"]["email"], "b@acme.example");
}

#[tokio::test]
async fn the_team_is_made_once_and_changed_field_by_field() {
    let house = House::open_with(Settings { has_organization: false, ..Settings::default() }).await;
    let path = house.access("organizations");
    assert_eq!(house.refused(Method::GET, &path, None).await, (403, 9999));
    assert_eq!(house.refused(Method::GET, &house.access("apps"), None).await, (403, 9999));
    assert_eq!(house.refused(Method::POST, &path, Some(json!({ "name": "AI-DIY" }))).await, (400, 12130));
    let team = json!({ "name": "AI-DIY", "auth_domain": "aidiy.cloudflareaccess.com" });
    house.post(&path, team.clone()).await;
    assert_eq!(house.refused(Method::POST, &path, Some(team)).await.0, 409);
    let put = json!({ "session_duration": "12h", "user_seat_expiration_inactive_time": "730h" });
    house.done(Method::PUT, &path, Some(put)).await;
    let shown = house.get(&path).await;
    assert_eq!((&shown["name"], &shown["session_duration"]), (&json!("AI-DIY"), &json!("12h")));
    let soon = json!({ "user_seat_expiration_inactive_time": "24h" });
    assert_eq!(house.refused(Method::PUT, &path, Some(soon)).await, (400, 12130));
}

#[tokio::test]
async fn there_is_one_provider_of_mailed_codes() {
    let house = House::open().await;
    let path = house.access("identity_providers");
    let code = json!({ "name": "Email code", "type": "onetimepin", "config": {} });
    let made = house.post(&path, code.clone()).await;
    assert_eq!(house.refused(Method::POST, &path, Some(code)).await.0, 409);
    let oidc = json!({ "name": "Staff", "type": "oidc", "config": { "client_id": "c", "client_secret": "s" } });
    let oidc = house.post(&path, oidc).await;
    assert_ne!(oidc["config"]["client_secret"], "s");
    let unknown = json!({ "name": "Staff", "type": "oidc", "config": { "clientid": "c" } });
    assert_eq!(house.refused(Method::POST, &path, Some(unknown)).await, (400, 12130));
    assert_eq!(house.get(&path).await, json!([made, oidc]));
}
