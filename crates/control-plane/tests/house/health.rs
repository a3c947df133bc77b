//! How instances are: what three kinds of views come to, and what share of the time that adds up to.

use std::sync::atomic::Ordering;

use domain::{Evidence, Month, Signal, UsageHour, UsageHours};
use jiff::SignedDuration;
use providers::compute::Health;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::Faults;

use crate::support::TestApp;

const BEGIN: &str = "2026-11-25T10:00:00Z";

impl TestApp {
    /// The provider is looked at, instances that are due are asked, and the verdicts are computed.
    async fn look(&self) {
        let core = self.app().core();
        control_plane::observe_instances(&core).await.unwrap();
        control_plane::probe_instances(&core).await.unwrap();
        control_plane::judge_instances(&core).await.unwrap();
    }

    /// The same after a while in which every instance became due, and once each that may be asked was.
    async fn visit_after(&self, seconds: i64, says: Health) {
        self.clock.advance(SignedDuration::from_secs(seconds));
        self.host.see(says, self.clock.now());
        self.look().await;
        let now = self.clock.now().as_millisecond();
        // Whoever looks by itself may have come first.
        self.until(async || self.count("select coalesce(min(probed_at), 0) from health_probes").await >= now).await;
        self.look().await;
    }

    /// After a while, instances that are due are asked, and a second later the provider is looked at, which says this.
    pub async fn look_after(&self, seconds: i64, says: Health) {
        let core = self.app().core();
        self.clock.advance(SignedDuration::from_secs(seconds - 1));
        control_plane::probe_instances(&core).await.unwrap();
        self.clock.advance(SignedDuration::from_secs(1));
        self.host.see(says, self.clock.now());
        control_plane::observe_instances(&core).await.unwrap();
        control_plane::judge_instances(&core).await.unwrap();
    }

    async fn health(&self, reference: &str) -> Value {
        let (status, health) = self.api(Method::GET, &format!("/instances/{reference}/health"), None).await;
        assert_eq!(status, StatusCode::OK, "{health}");
        health
    }

    async fn guard_reports_use(&self) {
        let at = self.clock.now();
        let mut hours = UsageHours::none(Month::of(at));
        hours.insert(UsageHour::of(at)).unwrap();
        let evidence = [Evidence::seen(Signal::Member, at)];
        let report = json!({"month": Month::of(at), "hours": hours.encode(), "source": "guard", "evidence": evidence});
        let token = self.host.token_of("ai-diy-acme");
        let (status, answer) = self.api_as(Some(&token), Method::POST, "/activity", Some(report)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
}

fn seen_by<'h>(health: &'h Value, source: &str) -> Option<&'h Value> {
    health["views"].as_array().unwrap().iter().find(|view| view["source"] == source)
}

async fn an_outage_is_noticed_through_the_hostname_and_counted(engine: Engine) {
    let app = TestApp::start_at(BEGIN, engine, Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    app.visit_after(60, Health::Ok).await;
    let health = app.health("acme").await;
    assert_eq!((&health["verdict"], &health["decided_by"]), (&json!("up"), &json!("prober")), "{health}");
    for _ in 0..30 {
        app.visit_after(70, Health::Ok).await;
    }
    app.host.break_off("ai-diy-acme");
    app.visit_after(80, Health::Ok).await;
    assert_eq!(app.health("acme").await["verdict"], "up", "one miss is no outage");
    app.visit_after(20, Health::Ok).await;
    let health = app.health("acme").await;
    assert_eq!((&health["verdict"], &health["decided_by"]), (&json!("unreachable"), &json!("prober")), "{health}");
    assert_eq!(seen_by(&health, "prober").unwrap()["seen"], "nothing");
    assert_eq!(seen_by(&health, "provider").unwrap()["seen"], "running");
    assert_eq!(app.instance("acme").await["state"], "active", "unreachable is not deleted");
    app.visit_after(70, Health::Ok).await;
    let today = &app.health("acme").await["uptime"][0];
    assert_eq!((&today["period"], &today["down_seconds"]), (&json!("today"), &json!(70)));
    assert!((2190..2300).contains(&today["up_seconds"].as_i64().unwrap()), "{today}");
    let page = app.get("/portal/instances/acme", Some("ada@example.com")).await.body;
    assert!(page.contains("Not reachable") && page.contains("Nothing answered"), "{page}");
}

async fn what_nobody_watched_is_neither_up_nor_down(engine: Engine) {
    let app = TestApp::start_at(BEGIN, engine, Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    app.look_after(60, Health::Ok).await;
    app.look_after(60, Health::Ok).await;
    // Nobody looks for two hours.
    app.look_after(7200, Health::Ok).await;
    app.look_after(60, Health::Ok).await;
    let today = &app.health("acme").await["uptime"][0];
    assert_eq!(today["down_seconds"], 0);
    assert!(today["unknown_seconds"].as_i64().unwrap() >= 7200, "{today}");
    assert_eq!(today["percent"], 100.0);
    let (status, suspended) =
        app.api(Method::POST, "/instances/acme/suspend", Some(json!({"reason": "The invoice is unpaid."}))).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    app.settled(suspended["workflow_id"].as_str().unwrap()).await;
    app.look_after(1, Health::Asleep).await;
    app.look_after(60, Health::Asleep).await;
    let health = app.health("acme").await;
    assert_eq!(health["verdict"], "suspended");
    assert!((60..62).contains(&health["uptime"][0]["paused_seconds"].as_i64().unwrap()), "{health}");
    assert_eq!(health["uptime"][0]["asleep_seconds"], 0);
}

async fn days_are_added_up_once_and_changes_are_all_that_is_kept(engine: Engine) {
    let app = TestApp::start_at("2026-11-25T23:00:00Z", engine, Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    for _ in 0..120 {
        app.look_after(60, Health::Ok).await;
    }
    let core = app.app().core();
    for _ in 0..2 {
        control_plane::add_up_uptime(&core).await.unwrap();
    }
    assert_eq!(app.count("select count(*) from health_spans").await, 1);
    assert_eq!(app.count("select count(*) from uptime_days").await, 1);
    let minutes = app.count("select cast(up_ms / 60000 as bigint) from uptime_days where day = '2026-11-25'").await;
    assert!((59..=60).contains(&minutes), "{minutes}");
    assert_eq!(app.count("select down_ms from uptime_days").await, 0);
}

macro_rules! on_both_engines {
    ($($name:ident: $sqlite:ident, $postgres:ident;)*) => { $(
        #[tokio::test]
        async fn $sqlite() {
            $name(Engine::Sqlite).await;
        }

        #[tokio::test]
        async fn $postgres() {
            $name(Engine::Postgres).await;
        }
    )* };
}

on_both_engines! {
    an_outage_is_noticed_through_the_hostname_and_counted: an_outage_on_sqlite, an_outage_on_postgres;
    what_nobody_watched_is_neither_up_nor_down: a_gap_on_sqlite, a_gap_on_postgres;
    days_are_added_up_once_and_changes_are_all_that_is_kept: days_on_sqlite, days_on_postgres;
}

#[tokio::test]
async fn probes_neither_wake_what_sleeps_nor_keep_it_awake_nor_bill_anybody() {
    let app = TestApp::start_at(BEGIN, Engine::Sqlite, Faults::none()).await;
    app.host.put_to_sleep();
    app.provision("ada@example.com", "acme").await;
    let asked_before = app.host.times_asked("ai-diy-acme").load(Ordering::SeqCst);
    app.look_after(60, Health::Ok).await;
    app.look_after(60, Health::Asleep).await;
    app.look_after(60, Health::Asleep).await;
    let asked = app.host.times_asked("ai-diy-acme");
    assert_eq!(asked.load(Ordering::SeqCst), asked_before, "it was asked though nobody used it");
    let health = app.health("acme").await;
    assert_eq!((&health["verdict"], &health["decided_by"]), (&json!("asleep"), &json!("provider")), "{health}");
    // Somebody comes: it is asked for as long as that says that it is awake, and no longer.
    app.clock.advance(SignedDuration::from_secs(1));
    app.guard_reports_use().await;
    app.look_after(1, Health::Ok).await;
    app.until(async || asked.load(Ordering::SeqCst) > asked_before).await;
    app.look_after(400, Health::Ok).await;
    let asked_by_then = asked.load(Ordering::SeqCst);
    app.look_after(60, Health::Ok).await;
    app.look_after(60, Health::Ok).await;
    assert_eq!(asked.load(Ordering::SeqCst), asked_by_then);
    let (_, usage) = app.api(Method::GET, "/instances/acme/usage", None).await;
    assert_eq!(usage["hours"].as_array().unwrap().len(), 1, "only the visitor's hour counts");
}

#[tokio::test]
async fn no_more_are_asked_in_a_second_than_may_be() {
    let app = TestApp::start_watched(BEGIN, |_, _| control_plane::WatchSettings {
        probes_per_second: 1,
        ..control_plane::WatchSettings::default()
    })
    .await;
    for name in ["acme", "zoo", "umbrella"] {
        app.provision("ada@example.com", name).await;
    }
    let core = app.app().core();
    control_plane::judge_instances(&core).await.unwrap();
    app.clock.advance(SignedDuration::from_mins(5));
    let due = "update health_probes set due_at = 0";
    store::sqlx::query(due).execute(app.db.db.write()).await.unwrap();
    control_plane::probe_instances(&core).await.unwrap();
    let now = app.clock.now().as_millisecond();
    // One by us, and one perhaps by whoever looks by itself.
    let all = store::sqlx::query_scalar::<_, i64>("select count(*) from health_probes where probed_at = $1");
    assert!(all.bind(now).fetch_one(app.db.db.read()).await.unwrap() < 3);
}

#[tokio::test]
async fn strangers_and_other_customers_learn_nothing_of_it() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    app.provision("eve@example.com", "zoo").await;
    let (status, _) = app.api_as(None, Method::GET, "/instances/acme/health", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let token = app.host.token_of("ai-diy-acme");
    let (status, _) = app.api_as(Some(&token), Method::GET, "/instances/acme/health", None).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "a guard is no operator");
    let (status, _) = app.api(Method::GET, "/instances/nobody/health", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let page = app.get("/portal/instances/acme", Some("eve@example.com")).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    let id = app.instance("acme").await["id"].as_str().unwrap().to_owned();
    let page = app.get(&format!("/admin/instances/{id}"), Some("operator@localhost")).await.body;
    assert!(page.contains("A visit through its address"), "{page}");
}
