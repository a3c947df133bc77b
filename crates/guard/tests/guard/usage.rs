//! What is use of an instance, and how the main instance learns of it.

use std::collections::BTreeMap;

use crate::support::{App, Guard, Town, ask, ask_with, bearer, soon, until};
use domain::{Evidence, Signal};
use nix::sys::signal::Signal as Ending;
use tokio::net::TcpListener;

#[tokio::test]
async fn an_hour_is_reported_once_when_it_begins_and_its_evidence_at_the_end() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let ada = bearer(&town.ada());
    let browser = ["User-Agent: Mozilla/5.0", "Sec-Fetch-Mode: cors"];
    for _ in 0..3 {
        ask(&guard.address, "/poll", &[&ada, browser[0], browser[1]]).await;
        ask(&guard.address, "/-/health", &[]).await;
        ask(&guard.address, "/", &[]).await;
        ask(&guard.address, "/robots.txt", &[]).await;
    }
    assert_eq!(town.main.count("/api/v1/activity"), 0, "none of that is use");
    for _ in 0..3 {
        ask(&guard.address, "/", &[&ada, browser[0], "Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1"]).await;
    }
    until("the report", || town.main.reports().len() == 1).await;
    assert!(guard.end().await.success());
    let reports = town.main.reports();
    let last = reports.last().unwrap();
    assert_eq!(last["source"], "guard");
    assert_eq!(last["month"].as_str().unwrap().len(), 7);
    assert!(!last["hours"].as_str().unwrap().is_empty());
    // The clock may strike while the test runs: then two hours were used, rightly.
    let seen: u64 = last["evidence"].as_array().unwrap().iter().map(|entry| entry["count"].as_u64().unwrap()).sum();
    assert!(seen == 3 || town.main.reports().len() > 2, "{reports:?}");
    assert_eq!(last["evidence"][0]["signal"], "member");
}

#[tokio::test]
async fn use_is_kept_while_the_main_instance_is_away_also_over_a_crash() {
    let town = Town::new().await;
    let ada = bearer(&town.ada());
    let mut guard = town.guard().await;
    assert_eq!(ask(&guard.address, "/robots.txt", &[]).await.status, 200);
    until("keys and members", || {
        town.state().join("certs.json").exists() && town.state().join("members.json").exists()
    })
    .await;
    town.main.set_down(true);
    assert_eq!(ask_with(&guard.address, "POST", "/", &[&ada], "x").await.status, 200);
    until("an attempt and another", || town.main.count("/api/v1/activity") >= 2).await;
    guard.signal(Ending::SIGKILL);
    guard.ended().await;

    town.main.set_down(false);
    let guard = town.guard().await;
    until("the report of the earlier life", || !town.main.reports().is_empty()).await;
    assert_eq!(town.main.reports()[0]["evidence"][0]["signal"], "api_call");
    assert!(guard.end().await.success());
}

#[tokio::test]
async fn a_report_brings_the_newest_list_back() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let ada = bearer(&town.ada());
    assert_eq!(ask(&guard.address, "/robots.txt", &[]).await.status, 200);
    until("the first list", || town.main.count("/api/v1/activity/members") == 1).await;
    assert_eq!(ask(&guard.address, "/poll", &[&ada, "Sec-Fetch-Mode: cors"]).await.status, 200);
    town.list(2, access::ListState::Active, &["eve@example.com"]);
    assert_eq!(ask_with(&guard.address, "POST", "/", &[&ada], "x").await.status, 200);
    soon("the removal", async { while ask(&guard.address, "/", &[&ada]).await.status != 403 {} }).await;
}

#[tokio::test]
async fn asking_an_application_that_is_not_there_is_no_use_of_it() {
    let town = Town::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let settings = town.settings_with("GUARD_UPSTREAM", format!("http://{address}"));
    let guard = Guard::start(&settings, &[]).await;
    let ada = bearer(&town.ada());
    let opened = [&*ada, "User-Agent: Mozilla/5.0", "Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1"];
    for _ in 0..3 {
        assert_eq!(ask(&guard.address, "/", &opened).await.status, 503);
    }
    assert_eq!(ask_with(&guard.address, "POST", "/", &opened[..2], "x").await.status, 503);
    let _app = App::on(TcpListener::bind(address).await.unwrap());
    assert_eq!(ask(&guard.address, "/", &opened).await.status, 200);
    until("the report", || !town.main.reports().is_empty()).await;
    assert!(guard.end().await.success());
    let reports = town.main.reports();
    let evidence = reports.iter().flat_map(|report| report["evidence"].as_array().unwrap().clone());
    assert!(evidence.clone().count() > 0 && evidence.clone().all(|entry| entry["count"] == 1), "{reports:?}");
}

const BROWSER: [&str; 3] = ["User-Agent: Mozilla/5.0", "Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1"];

/// What was seen in all, by kind and hour.
fn evidence(town: &Town) -> Vec<Evidence> {
    let mut all = BTreeMap::new();
    for report in town.main.reports() {
        for entry in report["evidence"].as_array().unwrap() {
            let entry: Evidence = serde_json::from_value(entry.clone()).unwrap();
            all.entry((entry.signal, entry.hour)).or_insert_with(|| entry.clone()).merge(&entry);
        }
    }
    all.into_values().collect()
}

#[tokio::test]
async fn it_is_known_whose_doing_an_hour_was_and_nothing_more_of_it() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let ada = bearer(&town.ada());
    for path in ["/secret-plans", "/secret-plans?again"] {
        assert_eq!(ask(&guard.address, path, &[&ada, BROWSER[0], BROWSER[1], BROWSER[2]]).await.status, 200);
    }
    let stranger = bearer(&town.forge.token("eve@example.com"));
    assert_eq!(ask(&guard.address, "/", &[&stranger, BROWSER[0], BROWSER[1], BROWSER[2]]).await.status, 403);
    assert!(guard.end().await.success());
    // The clock may strike while a test runs: then two hours were used, rightly.
    let seen = evidence(&town);
    assert_eq!(seen.iter().map(|entry| entry.count).sum::<u32>(), 2);
    assert!(
        seen.iter().all(|entry| entry.signal == Signal::Member && entry.who.names() == ["ada@example.com"]),
        "{seen:?}"
    );
    let said = serde_json::to_string(&town.main.reports()).unwrap();
    assert!(!said.contains("secret") && !said.contains("eve"), "{said}");
}
