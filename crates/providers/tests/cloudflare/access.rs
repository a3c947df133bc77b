use jiff::SignedDuration;
use providers::edge::Edge as _;
use providers::inventory::Verdict;
use providers::setup::State;
use simulators::Fault;
use simulators::cloudflare::{Made, Permission, Settings};

use crate::harness::{ACME, House, instance, origin, people, refusal};

#[tokio::test]
async fn the_setup_changes_nothing_the_second_time() {
    let house = House::open().await;
    let counts = |house: &House| {
        [Made::Applications, Made::Policies, Made::IdentityProviders].map(|kind| house.there.creations(kind))
    };
    assert_eq!(counts(&house), [2, 2, 1]);
    let plan = house.driver.plan().await.unwrap();
    assert!(plan.iter().all(|step| step.state == State::Present), "{plan:?}");
    assert_eq!(house.driver.apply().await.unwrap(), house.ready);
    assert_eq!(counts(&house), [2, 2, 1]);
    assert_eq!(house.driver.issuer(), "https://aidiy.cloudflareaccess.com");
    assert_eq!(house.driver.audiences(instance(1)).await.unwrap(), [house.ready.audience.as_str()]);
    let checks = house.driver.check().await;
    assert!(checks.len() == 6 && checks.iter().all(|check| check.verdict == Verdict::Ok), "{checks:?}");
}

#[tokio::test]
async fn a_setup_that_broke_off_is_finished_by_the_next_without_doubles() {
    for fault in [Fault::ResetBefore, Fault::ResetAfter] {
        for number in 1..=12 {
            let house = House::bare(Settings { request_limit: None, ..Settings::default() }).await;
            let plan = house.driver.plan().await.unwrap();
            assert_eq!(plan.iter().filter(|step| step.state == State::Missing).count(), 5, "{plan:?}");
            house.served.faults.at_call(house.served.faults.calls() + number, fault);
            house.until(async || house.driver.apply().await).await;
            let made = [Made::Applications, Made::Policies, Made::IdentityProviders];
            assert_eq!(made.map(|kind| house.there.creations(kind)), [2, 2, 1], "{fault:?} {number}");
        }
    }
}

#[tokio::test]
async fn a_setup_that_is_told_of_things_late_makes_none_twice() {
    let lagging = Settings { list_lag: SignedDuration::from_secs(20), request_limit: None, ..Settings::default() };
    let house = House::bare(lagging).await;
    house.driver.apply().await.unwrap();
    assert!(house.driver.apply().await.unwrap_err().is_temporary());
    let ready = house.until(async || house.driver.apply().await).await;
    assert_eq!(house.driver.found().await.unwrap(), Some(ready));
    let made = [Made::Applications, Made::Policies, Made::IdentityProviders];
    assert_eq!(made.map(|kind| house.there.creations(kind)), [2, 2, 1]);
}

#[tokio::test]
async fn the_setup_puts_right_what_was_changed() {
    let house = House::open().await;
    let http = reqwest::Client::new();
    let path = format!("{}/client/v4/zones/{}/settings/ssl", house.served.url, house.there.zone_id());
    let call = http.patch(path).bearer_auth(house.there.token()).json(&serde_json::json!({ "value": "flexible" }));
    assert!(call.send().await.unwrap().status().is_success());
    let checks = house.driver.check().await;
    assert!(checks.iter().any(|check| check.name == "SSL mode" && check.verdict == Verdict::Fail), "{checks:?}");
    assert_eq!(house.driver.plan().await.unwrap().last().unwrap().state, State::Differs);
    assert_eq!(house.driver.apply().await.unwrap(), house.ready);
    assert_eq!(house.driver.plan().await.unwrap().last().unwrap().state, State::Present);
}

#[tokio::test]
async fn the_policy_lets_through_everybody_of_all_hostnames_and_nobody_who_is_gone() {
    let house = House::open().await;
    let edge = &house.driver;
    assert_eq!(house.admitted(), ["nobody@spinoff.invalid"]);
    let other = "beta.ai-diy.ai";
    edge.publish(ACME, instance(1), &origin("one.up.railway.app")).await.unwrap();
    for _ in 0..2 {
        edge.admit(ACME, instance(1), &people(&["b@acme.example", "a@acme.example"])).await.unwrap();
        edge.admit(other, instance(2), &people(&["c@beta.example", "a@acme.example"])).await.unwrap();
    }
    assert_eq!(house.admitted(), ["a@acme.example", "b@acme.example", "c@beta.example"]);
    edge.admit(ACME, instance(3), &people(&["thief@example.com"])).await.unwrap();
    edge.admit(ACME, instance(1), &people(&["a@acme.example"])).await.unwrap();
    assert_eq!(house.admitted(), ["a@acme.example", "c@beta.example"]);
    edge.remove(other, instance(2)).await.unwrap();
    assert_eq!(house.admitted(), ["a@acme.example"]);
    edge.remove(ACME, instance(1)).await.unwrap();
    assert_eq!(house.admitted(), ["nobody@spinoff.invalid"]);
}

#[tokio::test]
async fn each_token_that_does_not_do_gives_the_sentence_that_helps() {
    let house = House::open().await;
    let revoked = house.there.grant(&Permission::ALL);
    house.there.revoke(&revoked);
    let expired = house.there.grant_until(&Permission::ALL, house.clock.now());
    for token in [revoked.as_str(), expired.as_str(), "never-there"] {
        let checks = house.driver_with(token).check().await;
        assert_eq!((checks.len(), checks[0].verdict), (1, Verdict::Fail), "{checks:?}");
        assert!(checks[0].advice.contains("make a new one"), "{checks:?}");
    }
    for (lacks, name, words) in [
        (Permission::Dns, "DNS records", "DNS: Edit"),
        (Permission::ZoneSettings, "SSL mode", "Zone Settings: Edit"),
        (Permission::AppsAndPolicies, "Access policy", "Access: Apps and Policies: Edit"),
    ] {
        let rest: Vec<_> = Permission::ALL.into_iter().filter(|permission| *permission != lacks).collect();
        let checks = house.driver_with(&house.there.grant(&rest)).check().await;
        let check = checks.iter().find(|check| check.name == name).unwrap();
        assert!(check.verdict == Verdict::Fail && check.advice.contains(words), "{check:?}");
    }
    let blind = house.driver_with(&house.there.grant(&[Permission::ZoneSettings]));
    let words = refusal(blind.publish(ACME, instance(1), &origin("one.up.railway.app")).await);
    assert!(words.contains("DNS: Edit"), "{words}");
    assert!(refusal(blind.plan().await).contains("Organizations"));
}
