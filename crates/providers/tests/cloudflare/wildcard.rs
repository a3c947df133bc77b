use std::sync::Arc;

use edge::{Hostname, Identification};
use jiff::SignedDuration;
use providers::compute::Origin;
use providers::edge::{Builtin, Edge as _, Entry, Routed};
use providers::inventory::Verdict;
use providers::setup::State;
use serde_json::json;
use simulators::Fault;
use simulators::cloudflare::{Made, Settings};
use world::{Entropy, Sealer};

use crate::harness::{ACME, House, instance, people, refusal};

const WILDCARD: &str = "*.ai-diy.ai";
const OTHER: &str = "zebra.ai-diy.ai";

struct NoMail;

#[async_trait::async_trait]
impl edge::CodeMail for NoMail {
    async fn send_code(&self, _mail: edge::SignInMail) -> anyhow::Result<()> {
        anyhow::bail!("nobody signs in here")
    }
}

/// The driver as it works behind the record, and the router itself.
async fn routed(house: &House) -> (Routed, edge::Edge) {
    let mut settings = edge::Settings::new("https://ai-diy.ai", "ai-diy.ai", "AI-DIY");
    settings.identification = Identification::Before;
    let (sealer, db) = (Arc::new(Sealer::new([7; 32])), house.test.db.clone());
    let mail = Arc::new(NoMail);
    let router = edge::Edge::open(db, sealer, house.clock.clone(), Entropy::seeded(1), settings, mail).await.unwrap();
    let cloudflare = house.driver_with(house.there.token());
    (Routed::new(cloudflare, Builtin::new(router.clone())), router)
}

fn named(target: &str) -> Origin {
    Origin::Name { target: target.into(), proof: None }
}

fn unlimited() -> Settings {
    Settings { request_limit: None, ..Settings::default() }
}

async fn change(house: &House, change: serde_json::Value) {
    let zone = format!("{}/client/v4/zones/{}/dns_records", house.served.url, house.there.zone_id());
    let http = reqwest::Client::new();
    let listed = http.get(&zone).bearer_auth(house.there.token()).send().await.unwrap();
    let listed: serde_json::Value = listed.json().await.unwrap();
    let id = listed["result"][0]["id"].as_str().unwrap();
    let call = http.patch(format!("{zone}/{id}")).bearer_auth(house.there.token()).json(&change);
    assert!(call.send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn the_setup_makes_one_proxied_record_and_changes_nothing_the_second_time() {
    let house = House::open_and_routed().await;
    let record = house.there.records().remove(0);
    assert_eq!((house.names(), record.proxied, record.ttl), (vec![WILDCARD.to_owned()], true, 1));
    assert_eq!((record.kind.as_str(), record.content.as_str()), ("CNAME", "ai-diy.ai"));
    let plan = house.driver.plan().await.unwrap();
    assert!(plan.iter().all(|step| step.state == State::Present), "{plan:?}");
    assert!(plan.last().unwrap().what.contains("*.ai-diy.ai, which leads to ai-diy.ai"), "{plan:?}");
    assert_eq!(house.driver.apply().await.unwrap(), house.ready);
    assert_eq!(house.there.creations(Made::Records), 1);
    let checks = house.driver.check().await;
    assert!(checks.len() == 7 && checks.iter().all(|check| check.verdict == Verdict::Ok), "{checks:?}");

    for changed in [json!({ "proxied": false }), json!({ "content": "elsewhere.example" })] {
        change(&house, changed).await;
        assert_eq!(house.driver.check().await.last().unwrap().verdict, Verdict::Fail);
        assert_eq!(house.driver.plan().await.unwrap().last().unwrap().state, State::Differs);
        house.driver.apply().await.unwrap();
        assert_eq!(house.driver.check().await.last().unwrap().verdict, Verdict::Ok);
    }
    house.there.vanish(WILDCARD);
    let check = house.driver.check().await.pop().unwrap();
    assert!(check.verdict == Verdict::Fail && check.advice.contains("spinoff setup cloudflare"), "{check:?}");
}

#[tokio::test]
async fn a_setup_that_broke_off_leaves_one_record_in_the_end() {
    for lag in [0, 20] {
        for fault in [Fault::ResetBefore, Fault::ResetAfter] {
            for number in 1..=24 {
                let settings = Settings { list_lag: SignedDuration::from_secs(lag), ..unlimited() };
                let house = House::bare_and_routed(settings).await;
                house.served.faults.at_call(number, fault);
                house.until(async || house.driver.apply().await).await;
                assert_eq!(house.names(), [WILDCARD], "{fault:?} {number}, {lag} s late");
                assert_eq!(house.there.creations(Made::Records), 1, "{fault:?} {number}, {lag} s late");
            }
        }
    }
}

#[tokio::test]
async fn a_wildcard_record_that_others_made_is_left_alone_and_nothing_is_made_beside_it() {
    let house = House::bare_and_routed(unlimited()).await;
    assert!(house.there.plant("A", WILDCARD, "192.0.2.1"));
    for words in [refusal(house.driver.plan().await), refusal(house.driver.apply().await)] {
        assert!(words.contains("did not make") && words.contains("192.0.2.1"), "{words}");
    }
    assert_eq!(house.there.creations(Made::Applications), 0);
    assert_eq!(house.there.records()[0].content, "192.0.2.1");
}

#[tokio::test]
async fn a_hostname_is_a_row_of_the_router_and_its_people_are_told_to_access() {
    let house = House::open_and_routed().await;
    let (edge, router) = routed(&house).await;
    let row = async |name: &str| router.find(&Hostname::parse(name).unwrap()).await.unwrap();
    let calls = house.served.faults.calls();
    edge.publish(ACME, instance(1), &named("app-1.up.railway.app")).await.unwrap();
    edge.publish(OTHER, instance(1), &named("app-1.up.railway.app")).await.unwrap();
    edge.set_entry(ACME, instance(1), Entry::Open).await.unwrap();
    assert_eq!(house.served.faults.calls(), calls, "Cloudflare was asked");
    assert_eq!(row(ACME).await.unwrap().route.upstream.to_string(), "https://app-1.up.railway.app");
    assert_eq!(edge.audiences(instance(1)).await.unwrap(), [house.ready.audience.as_str()]);

    edge.admit(ACME, instance(1), &people(&["ada@example.com"])).await.unwrap();
    // Somebody else's hostname, and one that nobody has.
    edge.admit(ACME, instance(2), &people(&["eve@example.com"])).await.unwrap();
    edge.admit("free.ai-diy.ai", instance(2), &people(&["eve@example.com"])).await.unwrap();
    assert_eq!(house.admitted(), ["ada@example.com"]);
    assert!(
        refusal(edge.publish(ACME, instance(2), &named("app-2.up.railway.app")).await).contains("another instance")
    );

    let items = edge.inventory().await.unwrap();
    let mut seen: Vec<_> = items.iter().map(|item| (item.kind, item.name.as_str(), item.instance)).collect();
    seen.sort_unstable();
    assert_eq!(seen, [("hostname", ACME, Some(instance(1))), ("hostname", OTHER, Some(instance(1)))]);

    assert_eq!(edge.remove(ACME, instance(2)).await.unwrap(), []);
    assert_eq!(edge.remove(ACME, instance(1)).await.unwrap().len(), 2);
    assert_eq!(edge.remove(ACME, instance(1)).await.unwrap(), []);
    assert!(row(ACME).await.is_none() && row(OTHER).await.is_some());
    assert_eq!(house.admitted(), ["nobody@spinoff.invalid"]);
    assert_eq!(house.names(), [WILDCARD]);
}

#[tokio::test]
async fn a_full_zone_keeps_nobody_out_and_no_limit_of_records_is_named() {
    let house = House::open_and_routed().await;
    house.there.change(|settings| settings.record_quota = 1);
    let (edge, _router) = routed(&house).await;
    edge.publish(ACME, instance(1), &named("app-1.up.railway.app")).await.unwrap();
    let ceilings = edge.ceilings().await.unwrap();
    assert!(ceilings.iter().all(|ceiling| !ceiling.name.contains("records")), "{ceilings:?}");
    assert!(ceilings.iter().any(|ceiling| ceiling.name == "Access seats"));
}

#[tokio::test]
async fn what_could_not_be_reached_by_the_wildcard_is_refused_or_found() {
    let house = House::open_and_routed().await;
    let (edge, _router) = routed(&house).await;
    let proven = crate::harness::origin("q7r2m8.up.railway.app");
    assert!(refusal(edge.publish(ACME, instance(1), &proven).await).contains("routing"));
    assert!(refusal(edge.publish(ACME, instance(1), &named("www.ai-diy.ai")).await).contains("own name"));
    assert!(refusal(edge.publish(ACME, instance(1), &named("10.0.0.1")).await).contains("10.0.0.1"));
    // A record of a single hostname keeps the wildcard from standing in for it.
    let single = House::open_with(unlimited()).await;
    single.driver.publish(ACME, instance(1), &proven).await.unwrap();
    assert_eq!(single.driver.check().await.len(), 6);
    let record = json!({ "type": "TXT", "name": ACME, "content": "\"x\"", "ttl": 1,
        "comment": format!("spinoff:{}", instance(1)) });
    let zone = format!("{}/client/v4/zones/{}/dns_records", house.served.url, house.there.zone_id());
    let call = reqwest::Client::new().post(zone).bearer_auth(house.there.token()).json(&record);
    assert!(call.send().await.unwrap().status().is_success());
    let check = edge.check().await.pop().unwrap();
    assert!(check.verdict == Verdict::Fail && check.found.contains("a record of its own"), "{check:?}");
}
