use providers::compute::Origin;
use providers::edge::Edge as _;
use simulators::Fault;
use simulators::cloudflare::Made;

use crate::harness::{ACME, House, PROOF, instance, origin, refusal};

#[tokio::test]
async fn a_hostname_is_published_once_pointed_elsewhere_and_removed_twice() {
    let house = House::open().await;
    let edge = &house.driver;
    for _ in 0..2 {
        edge.publish(ACME, instance(1), &origin("one.up.railway.app")).await.unwrap();
    }
    assert_eq!((house.names(), house.there.creations(Made::Records)), (vec![PROOF.to_owned(), ACME.to_owned()], 2));
    let records = house.there.records();
    let hostname = records.iter().find(|record| record.name == ACME).unwrap();
    assert!(hostname.proxied && hostname.ttl == 1);
    assert_eq!(hostname.comment.as_deref(), Some(format!("spinoff:{}", instance(1)).as_str()));
    edge.publish(ACME, instance(1), &origin("two.up.railway.app")).await.unwrap();
    assert!(house.there.records().iter().any(|record| record.content == "two.up.railway.app"));
    assert_eq!(house.there.creations(Made::Records), 2);
    let items = edge.inventory().await.unwrap();
    assert!(items.iter().all(|item| item.instance == Some(instance(1)) && item.drift.is_none()), "{items:?}");
    assert_eq!(edge.remove(ACME, instance(2)).await.unwrap(), []);
    assert_eq!(edge.remove(ACME, instance(1)).await.unwrap().len(), 2);
    assert_eq!(edge.remove(ACME, instance(1)).await.unwrap(), []);
    assert_eq!(house.names(), Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_that_never_came_ends_in_one_hostname_and_in_none_left() {
    for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::Status(503)] {
        for number in 1..=12 {
            let house = House::open().await;
            house.served.faults.at_call(house.served.faults.calls() + number, fault);
            let edge = &house.driver;
            house.until(async || edge.publish(ACME, instance(1), &origin("one.up.railway.app")).await).await;
            house.until(async || edge.admit(ACME, instance(1), &[]).await).await;
            assert_eq!(house.there.creations(Made::Records), 2, "{fault:?} {number}");
            house.until(async || edge.remove(ACME, instance(1)).await).await;
            assert_eq!(house.names(), Vec::<String>::new(), "{fault:?} {number}");
        }
    }
}

#[tokio::test]
async fn what_lists_do_not_show_yet_is_removed_all_the_same() {
    let house = House::open().await;
    house.there.change(|settings| settings.list_lag = jiff::SignedDuration::from_secs(20));
    let edge = &house.driver;
    edge.publish(ACME, instance(1), &origin("one.up.railway.app")).await.unwrap();
    assert_eq!(edge.remove(ACME, instance(1)).await.unwrap().len(), 2);
    assert_eq!(house.names(), Vec::<String>::new());
}

#[tokio::test]
async fn what_belongs_to_others_is_left_alone() {
    let house = House::open().await;
    let edge = &house.driver;
    assert!(house.there.plant("CNAME", "www.ai-diy.ai", "elsewhere.example.com"));
    let to = Origin::Name { target: "one.up.railway.app".into(), proof: None };
    let words = refusal(edge.publish("www.ai-diy.ai", instance(1), &to).await);
    assert!(words.contains("did not make"), "{words}");
    edge.publish(ACME, instance(1), &to).await.unwrap();
    let words = refusal(edge.publish(ACME, instance(2), &to).await);
    assert!(words.contains("belongs to the instance"), "{words}");
    assert_eq!(edge.remove("www.ai-diy.ai", instance(1)).await.unwrap(), []);
    let words = refusal(edge.publish("acme.example.com", instance(1), &to).await);
    assert!(words.contains("not below ai-diy.ai"), "{words}");
    let here = Origin::Address("127.0.0.1:80".parse().unwrap());
    assert!(refusal(edge.publish(ACME, instance(1), &here).await).contains("`builtin`"));
    assert_eq!(house.names(), [ACME, "www.ai-diy.ai"]);
}

#[tokio::test]
async fn a_full_zone_makes_nothing_by_halves_and_says_what_helps() {
    let house = House::open().await;
    house.there.change(|settings| settings.record_quota = 1);
    let words = refusal(house.driver.publish(ACME, instance(1), &origin("one.up.railway.app")).await);
    assert!(words.contains("option B") && words.contains("larger plan"), "{words}");
    assert_eq!(house.names(), Vec::<String>::new());
    let ceilings = house.driver.ceilings().await.unwrap();
    assert_eq!((ceilings[0].name, ceilings[0].limit), ("records in the zone", 1));
}

#[tokio::test]
async fn a_record_that_was_changed_or_taken_away_by_hand_is_seen_and_put_right() {
    let house = House::open().await;
    let edge = &house.driver;
    edge.publish(ACME, instance(1), &origin("one.up.railway.app")).await.unwrap();
    house.there.vanish(ACME);
    edge.publish(ACME, instance(1), &origin("one.up.railway.app")).await.unwrap();
    assert_eq!(house.names(), [PROOF, ACME]);
    assert_eq!(edge.remove(ACME, instance(1)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_hostname_that_goes_past_the_edge_or_elsewhere_is_shown_as_drifted_and_put_right() {
    let house = House::open().await;
    let edge = &house.driver;
    edge.publish(ACME, instance(1), &origin("one.up.railway.app")).await.unwrap();
    let items = edge.inventory().await.unwrap();
    let id = items.iter().find(|item| item.name == ACME).unwrap().id.clone();
    let path = format!("{}/client/v4/zones/{}/dns_records/{id}", house.served.url, house.there.zone_id());
    for (change, words) in [
        (serde_json::json!({ "proxied": false }), "not proxied"),
        (serde_json::json!({ "content": "thief.example.com" }), "leads to thief.example.com"),
    ] {
        let call = reqwest::Client::new().patch(&path).bearer_auth(house.there.token()).json(&change);
        assert!(call.send().await.unwrap().status().is_success());
        let items = edge.inventory().await.unwrap();
        assert!(items.iter().any(|item| item.drift.as_deref().is_some_and(|drift| drift.contains(words))), "{items:?}");
        edge.publish(ACME, instance(1), &origin("one.up.railway.app")).await.unwrap();
        assert!(edge.inventory().await.unwrap().iter().all(|item| item.drift.is_none()));
    }
    assert_eq!(house.there.creations(Made::Records), 2);
}
