use reqwest::Method;
use serde_json::{Value, json};
use simulators::Fault;
use simulators::cloudflare::{Made, Plan, Settings};

use crate::harness::{House, record};

fn with(mut record: Value, field: &str, value: Value) -> Value {
    record[field] = value;
    record
}

#[tokio::test]
async fn a_record_is_made_read_edited_overwritten_and_deleted() {
    let house = House::open().await;
    let made = house.record("CNAME", "acme", "Q7.up.railway.app").await;
    assert_eq!(made["name"], "acme.ai-diy.ai");
    assert_eq!(
        (&made["content"], &made["ttl"], &made["proxied"]),
        (&json!("q7.up.railway.app"), &json!(1), &json!(true))
    );
    let path = house.zone(&format!("/dns_records/{}", made["id"].as_str().unwrap()));
    let edited = house.done(Method::PATCH, &path, Some(json!({ "comment": "tenant=acme" }))).await;
    assert_eq!((&edited["comment"], &edited["content"]), (&json!("tenant=acme"), &made["content"]));
    let overwritten = house.done(Method::PUT, &path, Some(record("CNAME", "acme.ai-diy.ai", "z.up.railway.app"))).await;
    assert_eq!((&overwritten["comment"], &overwritten["content"]), (&Value::Null, &json!("z.up.railway.app")));
    assert_eq!(house.get(&path).await, overwritten);
    house.done(Method::DELETE, &path, None).await;
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(house.refused(method, &path, None).await, (404, 81044));
    }
    assert_eq!((house.cloudflare.records().len(), house.cloudflare.creations(Made::Records)), (0, 1));
}

#[tokio::test]
async fn a_proxied_record_has_automatic_time_to_live_whatever_was_asked() {
    let house = House::open().await;
    let proxied = with(record("CNAME", "acme", "a.up.railway.app"), "ttl", json!(3600));
    assert_eq!(house.post(&house.zone("/dns_records"), proxied.clone()).await["ttl"], 1);
    let plain = with(with(proxied, "name", json!("beta")), "proxied", json!(false));
    assert_eq!(house.post(&house.zone("/dns_records"), plain).await["ttl"], 3600);
}

#[tokio::test]
async fn what_cannot_stand_beside_what_is_there_is_refused_by_its_code() {
    let house = House::open().await;
    house.record("CNAME", "acme", "a.up.railway.app").await;
    assert_eq!(house.refused_record(record("CNAME", "acme", "b.up.railway.app")).await, 81053);
    assert_eq!(house.refused_record(record("A", "acme", "192.0.2.1")).await, 81054);
    house.record("TXT", "acme", "beside").await;
    assert_eq!(house.refused_record(record("TXT", "acme", "\"beside\"")).await, 81058);
    house.record("A", "two", "192.0.2.1").await;
    let second = house.record("A", "two", "192.0.2.2").await;
    assert_eq!(house.refused_record(record("CNAME", "two", "b.up.railway.app")).await, 81053);
    let path = house.zone(&format!("/dns_records/{}", second["id"].as_str().unwrap()));
    let same = json!({ "content": "192.0.2.1" });
    assert_eq!(house.refused(Method::PATCH, &path, Some(same)).await, (400, 81057));
}

#[tokio::test]
async fn bodies_are_taken_strictly() {
    let house = House::open().await;
    let good = || record("CNAME", "acme", "a.up.railway.app");
    assert_eq!(house.refused_record(with(good(), "proxy", json!(true))).await, 1004);
    assert_eq!(house.refused_record(json!({ "type": "CNAME", "name": "acme", "content": "a.b" })).await, 1004);
    assert_eq!(house.refused_record(with(good(), "ttl", json!("1"))).await, 1004);
    assert_eq!(house.refused_record(with(good(), "ttl", json!(59))).await, 9021);
    assert_eq!(house.refused_record(with(good(), "name", json!("a.*.b"))).await, 9000);
    assert_eq!(house.refused_record(with(good(), "content", json!("https://a.b"))).await, 9007);
    assert_eq!(house.refused_record(with(record("TXT", "a", "b"), "proxied", json!(true))).await, 9004);
    assert_eq!(house.refused_record(record("A", "a", "192.0.2.256")).await, 9005);
    assert_eq!(house.refused_record(with(good(), "tags", json!(["tenant:acme"]))).await, 9300);
    assert_eq!(house.refused_record(with(good(), "comment", json!("x".repeat(101)))).await, 9301);
    let unread = house.http.post(format!("{}/client/v4{}", house.served.url, house.zone("/dns_records")));
    let answer = unread.bearer_auth(house.cloudflare.token()).body("{").send().await.unwrap();
    assert_eq!(crate::harness::code(&answer.json().await.unwrap()), 6007);
    assert_eq!(house.cloudflare.records(), []);
    house.cloudflare.change(|settings| settings.plan = Plan::Paid);
    house.post(&house.zone("/dns_records"), with(good(), "tags", json!(["tenant:acme"]))).await;
    let found = house.get(&house.zone("/dns_records?tag.exact=tenant:acme")).await;
    assert_eq!(found[0]["name"], "acme.ai-diy.ai");
}

#[tokio::test]
async fn a_zone_holds_as_many_records_as_its_quota_says() {
    let house = House::open_with(Settings { record_quota: 2, ..Settings::default() }).await;
    house.record("TXT", "a", "1").await;
    let last = house.record("TXT", "b", "1").await;
    assert_eq!(house.refused_record(record("TXT", "c", "1")).await, 81045);
    assert_eq!(house.get(&house.zone("/dns_records/usage")).await, json!({ "record_quota": 2, "record_usage": 2 }));
    house.done(Method::DELETE, &house.zone(&format!("/dns_records/{}", last["id"].as_str().unwrap())), None).await;
    house.record("TXT", "c", "1").await;
}

#[tokio::test]
async fn lists_filter_sort_and_turn_pages() {
    let house = House::open().await;
    for name in ["b", "a", "c"] {
        let body = with(record("CNAME", name, "x.up.railway.app"), "comment", json!(format!("spinoff tenant={name}")));
        house.post(&house.zone("/dns_records"), body).await;
        house.record("TXT", &format!("_railway-verify.{name}"), "railway-verify=1").await;
    }
    let names = async |query: &str| {
        let found = house.get(&house.zone(&format!("/dns_records?{query}"))).await;
        let names = found.as_array().unwrap().iter().map(|record| record["name"].as_str().unwrap().to_owned());
        names.map(|name| name.replace(".ai-diy.ai", "")).collect::<Vec<_>>()
    };
    assert_eq!(names("name.exact=a.ai-diy.ai").await, ["a"]);
    assert_eq!(names("name=a.ai-diy.ai&type=TXT").await, [""; 0]);
    assert_eq!(names("type=CNAME&order=name&direction=desc").await, ["c", "b", "a"]);
    assert_eq!(names("comment.contains=tenant%3Da").await, ["a"]);
    assert_eq!(names("comment.exact=spinoff+tenant%3Db").await, ["b"]);
    assert_eq!(
        names("content.exact=%22railway-verify%3D1%22&name.startswith=_railway-verify.c").await,
        ["_railway-verify.c"]
    );
    assert_eq!(names("match=any&name.exact=a.ai-diy.ai&comment.contains=tenant%3Dc&order=name").await, ["a", "c"]);
    let (_, page) = house.asked(Method::GET, &house.zone("/dns_records?per_page=4&page=2"), None).await;
    assert_eq!(
        page["result_info"],
        json!({ "page": 2, "per_page": 4, "count": 2, "total_count": 6, "total_pages": 2 })
    );
    for bad in ["name.exactly=a", "order=age", "page=0", "match=some"] {
        assert_eq!(house.refused(Method::GET, &house.zone(&format!("/dns_records?{bad}")), None).await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_record_whose_answer_was_lost_is_found_by_its_name_once_the_lists_have_caught_up() {
    let house = House::open().await;
    house.cloudflare.change(|settings| settings.list_lag = jiff::SignedDuration::from_secs(10));
    let operation = "POST /zones/{zone_id}/dns_records";
    house.served.faults.once(operation, Fault::ResetAfter);
    let url = format!("{}/client/v4{}", house.served.url, house.zone("/dns_records"));
    let body = record("CNAME", "acme", "a.up.railway.app");
    let lost = house.http.post(&url).bearer_auth(house.cloudflare.token()).json(&body).send().await;
    assert!(lost.is_err());
    let listed = house.zone("/dns_records?name.exact=acme.ai-diy.ai");
    assert_eq!(house.get(&listed).await, json!([]));
    assert_eq!(house.refused_record(body).await, 81053);
    house.pass(10);
    let found = house.get(&listed).await;
    assert_eq!(found[0]["content"], "a.up.railway.app");
    house.done(Method::DELETE, &house.zone(&format!("/dns_records/{}", found[0]["id"].as_str().unwrap())), None).await;
    assert_eq!(house.get(&listed).await, found);
    house.pass(10);
    assert_eq!(house.get(&listed).await, json!([]));
    assert_eq!((house.served.journal.count(operation), house.cloudflare.creations(Made::Records)), (2, 1));
}
