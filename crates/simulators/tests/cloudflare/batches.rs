use reqwest::Method;
use serde_json::{Value, json};
use simulators::cloudflare::{Made, Settings};
use simulators::railway::Dns as _;

use crate::harness::{House, record};

fn pair(name: &str) -> Value {
    let verification = format!("_railway-verify.{name}");
    json!({ "posts": [record("CNAME", name, "a.up.railway.app"), record("TXT", &verification, "railway-verify=5b1f")] })
}

#[tokio::test]
async fn a_batch_deletes_then_edits_then_overwrites_then_makes() {
    let house = House::open().await;
    let old = house.record("CNAME", "old", "a.up.railway.app").await;
    let edited = house.record("TXT", "edited", "1").await;
    let put = house.record("TXT", "put", "1").await;
    let mut overwritten = record("TXT", "put", "2");
    overwritten["id"] = put["id"].clone();
    let batch = json!({
        "posts": [record("CNAME", "old", "b.up.railway.app")],
        "puts": [overwritten],
        "patches": [{ "id": edited["id"], "content": "2" }],
        "deletes": [{ "id": old["id"] }],
    });
    let done = house.post(&house.zone("/dns_records/batch"), batch).await;
    assert_eq!(done["deletes"][0]["id"], old["id"]);
    assert_eq!(done["patches"][0]["content"], "\"2\"");
    assert_eq!(done["puts"][0]["id"], put["id"]);
    assert_eq!(house.cloudflare.cname("old.ai-diy.ai").as_deref(), Some("b.up.railway.app"));
    assert_eq!(house.cloudflare.txt("put.ai-diy.ai"), ["2"]);
}

#[tokio::test]
async fn a_batch_that_fails_anywhere_leaves_everything_as_it_was() {
    let house = House::open_with(Settings { record_quota: 4, ..Settings::default() }).await;
    let path = house.zone("/dns_records/batch");
    house.post(&path, pair("acme")).await;
    let before = house.cloudflare.records();
    let id = house.get(&house.zone("/dns_records?type=TXT")).await[0]["id"].clone();
    for (last, code) in [
        (record("CNAME", "acme", "b.up.railway.app"), 81053),
        (json!({ "type": "CNAME", "name": "x", "content": "a.b", "ttl": 1, "colour": "red" }), 1004),
    ] {
        let batch = json!({
            "deletes": [{ "id": id }],
            "posts": [record("TXT", "new", "1"), last],
        });
        assert_eq!(house.refused(Method::POST, &path, Some(batch)).await, (400, code));
        assert_eq!(house.cloudflare.records(), before);
    }
    assert_eq!(house.cloudflare.txt("_railway-verify.acme.ai-diy.ai"), ["railway-verify=5b1f"]);
    let missing = json!({ "deletes": [{ "id": id }, { "id": id }] });
    assert_eq!(house.refused(Method::POST, &path, Some(missing)).await, (404, 81044));
    house.post(&path, pair("beta")).await;
    assert_eq!(house.refused(Method::POST, &path, Some(pair("full"))).await, (400, 81045));
    assert_eq!((house.cloudflare.records().len(), house.cloudflare.creations(Made::Records)), (4, 4));
}

#[tokio::test]
async fn a_batch_is_neither_empty_nor_larger_than_the_plan_allows() {
    let house = House::open().await;
    let path = house.zone("/dns_records/batch");
    let posts: Vec<Value> = (0..201).map(|number| record("TXT", &format!("n{number}"), "1")).collect();
    assert_eq!(house.refused(Method::POST, &path, Some(json!({ "posts": posts }))).await.0, 400);
    assert_eq!(house.refused(Method::POST, &path, Some(json!({}))).await.0, 400);
    assert_eq!(house.cloudflare.records(), []);
}
