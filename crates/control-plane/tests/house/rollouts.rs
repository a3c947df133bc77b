//! A release reaches everyone, or stops where it failed.

use control_plane::Application;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use workflow::Fault;

use crate::support::{Flaw, TestApp, once, points};

/// Lets time pass for rollouts until something holds.
pub async fn until(app: &TestApp, holds: impl AsyncFn() -> bool) {
    app.until(async || {
        app.a_moment_passes().await;
        control_plane::observe_instances(app.app()).await.unwrap();
        control_plane::look_after_rollouts(app.app()).await.unwrap();
        holds().await
    })
    .await;
}

async fn state(app: &TestApp) -> String {
    app.rows("select state, stage from rollouts order by id desc limit 1")
        .await
        .pop()
        .map_or_else(String::new, |row| row.0)
}

async fn units(app: &TestApp) -> Vec<String> {
    let rows = app.rows(
        "select u.state, i.subdomain from rollout_units u join instances i on i.id = u.instance_id
         where u.rollout_id = (select max(id) from rollouts) order by u.wave, u.position, u.instance_id",
    );
    rows.await.into_iter().map(|(state, subdomain)| format!("{subdomain} {state}")).collect()
}

async fn at_rest(app: &TestApp) {
    until(app, async || app.count("select count(*) from workflows where state in ('running', 'undoing')").await == 0)
        .await;
}

async fn three(engine: store::Engine) -> TestApp {
    let app = TestApp::start_at("2026-11-30T12:00:00Z", engine, workflow::Faults::none()).await;
    for name in ["acme", "beta", "city"] {
        assert_eq!(app.provision(&format!("{name}@example.com"), name).await, "done");
        app.clock.advance(SignedDuration::from_secs(1));
    }
    app
}

async fn what_the_settings_name_reaches_everybody_one_by_one(engine: store::Engine) {
    let app = three(engine).await;
    assert_eq!(app.count("select count(*) from rollouts").await, 0, "the first release needs none");
    let app = app.restarted_running("1").await;
    assert_eq!(app.count("select count(*) from rollouts").await, 0, "nothing changed");

    let app = app.restarted_running("2").await;
    until(&app, async || state(&app).await == "done").await;
    at_rest(&app).await;
    assert_eq!(units(&app).await, ["acme updated", "beta updated", "city updated"]);
    assert_eq!(app.host.deployments_of("2"), ["ai-diy-acme", "ai-diy-beta", "ai-diy-city"]);
    let mails = app.mails_to("beta@example.com").await;
    let shown = app.shown("beta");
    assert_eq!(mails[1..], [format!("{shown} will be updated"), format!("{shown} was updated")]);

    // Who comes later begins with it, and a server that starts again finds nothing to do.
    assert_eq!(app.provision("dora@example.com", "dora").await, "done");
    assert_eq!(app.host.runs("ai-diy-dora"), "2");
    let app = app.restarted_running("2").await;
    control_plane::look_after_rollouts(app.app()).await.unwrap();
    assert_eq!(app.count("select count(*) from rollouts").await, 1);

    // What was named before is named again.
    let app = app.restarted_running("1").await;
    until(&app, async || state(&app).await == "done").await;
    at_rest(&app).await;
    for project in ["ai-diy-acme", "ai-diy-dora"] {
        assert_eq!(app.host.runs(project), "1");
    }
    assert_eq!(app.count("select count(*) from releases").await, 2);
}

#[tokio::test]
async fn an_upgrade_of_the_server_reaches_no_instance_that_runs_something_else() {
    let mut app = three(store::Engine::Sqlite).await;
    for (version, application) in [("2", Application::Command), ("3", Application::Image), ("2", Application::Image)] {
        app = app.upgraded_running(version, application).await;
    }
    assert_eq!(app.count("select count(*) from rollouts").await, 0);
    assert_eq!(app.count("select count(*) from releases").await, 1);
    assert_eq!(app.provision("dora@example.com", "dora").await, "done");
    assert_eq!(app.host.runs("ai-diy-dora"), "1", "it is called what it was called when it was first seen");
    // What is part of the server changes with it.
    let app = app.upgraded_running("2", Application::Bundled).await;
    until(&app, async || state(&app).await == "done").await;
    assert_eq!(app.count("select count(*) from releases").await, 2);
}

async fn a_release_that_does_not_come_up_stops_at_the_first(engine: store::Engine) {
    let app = three(engine).await;
    app.host.flaw("2", Flaw::NeverComesUp);
    let app = app.restarted_running("2").await;
    until(&app, async || state(&app).await == "halted").await;
    at_rest(&app).await;
    assert_eq!(units(&app).await, ["acme rolled_back", "beta waiting", "city waiting"]);
    assert_eq!(app.host.deployments_of("2"), ["ai-diy-acme"], "nobody else ever got it");
    assert_eq!(app.host.runs("ai-diy-acme"), "1");
    assert_eq!(app.host.is_suspended("ai-diy-acme"), Some(false));
    let shown = app.shown("acme");
    let mails = app.mails_to("acme@example.com").await;
    assert_eq!(mails[1..], [format!("{shown} will be updated"), format!("{shown} was not updated")]);
    let alerts = app.mails_to("operator@localhost").await;
    assert!(alerts.iter().any(|subject| subject.contains("The rollout of 2 halted")), "{alerts:?}");
    // Whoever orders now gets what works.
    assert_eq!(app.provision("dora@example.com", "dora").await, "done");
    assert_eq!(app.host.runs("ai-diy-dora"), "1");
}

#[tokio::test]
async fn an_application_that_says_that_it_is_another_version_goes_back() {
    let app = three(store::Engine::Sqlite).await;
    app.host.flaw("2", Flaw::SaysAnother);
    let app = app.restarted_running("2").await;
    until(&app, async || state(&app).await == "halted").await;
    at_rest(&app).await;
    assert_eq!(units(&app).await, ["acme rolled_back", "beta waiting", "city waiting"]);
    let why = app.rows("select why, state from rollout_units where state = 'rolled_back'").await;
    assert!(why[0].0.contains("says that it is 0.0.0, not 2"), "{why:?}");
}

#[tokio::test]
async fn one_that_was_suspended_is_brought_along_when_it_is_resumed() {
    let app = three(store::Engine::Sqlite).await;
    let body = Some(json!({"reason": "They asked for it."}));
    app.api(Method::POST, "/instances/beta/suspend", body).await;
    at_rest(&app).await;
    let app = app.restarted_running("2").await;
    until(&app, async || state(&app).await == "done").await;
    at_rest(&app).await;
    assert_eq!(app.host.deployments_of("2"), ["ai-diy-acme", "ai-diy-city"]);
    app.api(Method::POST, "/instances/beta/resume", None).await;
    at_rest(&app).await;
    until(&app, async || app.count("select count(*) from rollouts where state = 'done'").await == 2).await;
    assert_eq!(app.host.runs("ai-diy-beta"), "2");
    assert_eq!(units(&app).await, ["beta updated"]);
}

#[tokio::test]
async fn one_that_was_closed_since_it_was_updated_goes_back_with_the_others_and_rests_again() {
    let app = three(store::Engine::Sqlite).await;
    release(&app, "2").await;
    let id = start(&app, "2", json!({"waves": [67], "at_once": 5, "soak_minutes": 10})).await;
    until(&app, async || soaking(&app).await == 3).await;
    assert_eq!(order(&app, &id, "pause").await, StatusCode::OK);
    app.clock.advance(SignedDuration::from_mins(11));
    at_rest(&app).await;
    let why = Some(json!({"reason": "They asked for it."}));
    app.api(Method::POST, "/instances/beta/suspend", why).await;
    at_rest(&app).await;
    assert_eq!(app.host.is_suspended("ai-diy-beta"), Some(true));
    assert_eq!(order(&app, &id, "roll-back").await, StatusCode::OK);
    until(&app, async || state(&app).await == "rolled_back").await;
    at_rest(&app).await;
    assert_eq!(units(&app).await, ["acme went_back", "beta went_back", "city went_back"]);
    assert_eq!((app.host.runs("ai-diy-beta"), app.host.is_suspended("ai-diy-beta")), ("1".to_owned(), Some(true)));
    assert_eq!(app.host.is_suspended("ai-diy-acme"), Some(false));
}

#[tokio::test]
async fn what_the_settings_name_reaches_everybody_one_by_one_on_sqlite() {
    what_the_settings_name_reaches_everybody_one_by_one(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn what_the_settings_name_reaches_everybody_one_by_one_on_postgres() {
    what_the_settings_name_reaches_everybody_one_by_one(store::Engine::Postgres).await;
}

#[tokio::test]
async fn a_release_that_does_not_come_up_stops_at_the_first_on_sqlite() {
    a_release_that_does_not_come_up_stops_at_the_first(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn a_release_that_does_not_come_up_stops_at_the_first_on_postgres() {
    a_release_that_does_not_come_up_stops_at_the_first(store::Engine::Postgres).await;
}

/// Adds a release and takes it to the customers; somebody answers for it.
async fn release(app: &TestApp, version: &str) {
    app.api(Method::POST, "/releases", Some(json!({"version": version, "command": "true"}))).await;
    for _ in 0..2 {
        let how = json!({"without_proof_because": "a test answers for it"});
        let (status, told) = app.api(Method::POST, &format!("/releases/{version}/promote"), Some(how)).await;
        assert_eq!(status, StatusCode::OK, "{told}");
    }
}

async fn start(app: &TestApp, version: &str, strategy: Value) -> String {
    let (status, rollout) =
        app.api(Method::POST, "/rollouts", Some(json!({"version": version, "strategy": strategy}))).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{rollout}");
    rollout["id"].as_str().unwrap().to_owned()
}

async fn order(app: &TestApp, rollout: &str, command: &str) -> StatusCode {
    app.api(Method::POST, &format!("/rollouts/{rollout}/{command}"), None).await.0
}

async fn soaking(app: &TestApp) -> i64 {
    app.count("select count(*) from rollout_units where state = 'soaking'").await
}

#[tokio::test]
async fn one_that_dies_while_it_is_watched_gets_its_former_data_back_and_what_was_written_since_is_kept() {
    let app = three(store::Engine::Sqlite).await;
    for name in ["acme", "beta", "city"] {
        app.host.write(&format!("ai-diy-{name}"), &format!("the work of {name}"));
    }
    app.host.flaw("2", Flaw::DiesOfWork);
    release(&app, "2").await;
    let id = start(&app, "2", json!({"waves": [67], "at_once": 5, "soak_minutes": 10})).await;
    // A wave of two thirds, rounded up, is everybody here.
    until(&app, async || soaking(&app).await == 3).await;
    app.host.write("ai-diy-acme", "what was written since");
    app.host.work_with("ai-diy-acme");
    // The next look at it, and two more.
    app.clock.advance(SignedDuration::from_secs(31));
    until(&app, async || state(&app).await == "halted").await;
    app.clock.advance(SignedDuration::from_mins(11));
    at_rest(&app).await;
    assert_eq!(app.host.data("ai-diy-acme"), "the work of acme");
    assert_eq!((app.host.runs("ai-diy-acme"), app.host.runs("ai-diy-beta")), ("1".to_owned(), "2".to_owned()));
    assert_eq!(app.host.data("ai-diy-beta"), "the work of beta");
    let reasons = app.count("select count(*) from backups where reason = 'before_going_back' and state = 'kept'").await;
    assert_eq!(reasons, 1, "what was written since is kept");
    let before = app.count("select count(*) from backups where reason = 'before_update' and state = 'kept'").await;
    assert_eq!(before, 3, "no backup, no update");
    // Taken back, the others keep what was done since.
    app.host.write("ai-diy-beta", "more work of beta");
    assert_eq!(order(&app, &id, "roll-back").await, StatusCode::OK);
    until(&app, async || state(&app).await == "rolled_back").await;
    at_rest(&app).await;
    for name in ["acme", "beta", "city"] {
        assert_eq!(app.host.runs(&format!("ai-diy-{name}")), "1", "{name}");
    }
    assert_eq!(app.host.data("ai-diy-beta"), "more work of beta");
    assert_eq!(order(&app, &id, "resume").await, StatusCode::CONFLICT, "what is over is over");
}

#[tokio::test]
async fn a_halt_is_accepted_and_the_rollout_goes_on_with_the_others() {
    let app = three(store::Engine::Sqlite).await;
    release(&app, "2").await;
    app.host.flaw("2", Flaw::NeverComesUp);
    let id = start(&app, "2", json!({})).await;
    until(&app, async || state(&app).await == "halted").await;
    at_rest(&app).await;
    app.host.mend("2");
    assert_eq!(order(&app, &id, "resume").await, StatusCode::OK);
    until(&app, async || state(&app).await == "done").await;
    at_rest(&app).await;
    assert_eq!(units(&app).await, ["acme rolled_back", "beta updated", "city updated"]);
    assert_eq!(app.host.runs("ai-diy-acme"), "1", "one that failed is not tried again by itself");
}

#[tokio::test]
async fn a_rollout_that_is_paused_begins_nothing_and_one_that_is_cancelled_reaches_nobody_more() {
    let app = three(store::Engine::Sqlite).await;
    release(&app, "2").await;
    let id = start(&app, "2", json!({"notice_hours": 1})).await;
    assert_eq!(order(&app, &id, "pause").await, StatusCode::OK);
    app.clock.advance(SignedDuration::from_hours(2));
    control_plane::look_after_rollouts(app.app()).await.unwrap();
    assert!(app.host.deployments_of("2").is_empty());
    let (status, other) = app.api(Method::POST, "/rollouts", Some(json!({"version": "2"}))).await;
    assert_eq!(status, StatusCode::CONFLICT, "one at a time: {other}");
    assert_eq!(order(&app, &id, "cancel").await, StatusCode::OK);
    until(&app, async || state(&app).await == "cancelled").await;
    at_rest(&app).await;
    assert!(app.host.deployments_of("2").is_empty());
    assert_eq!(app.count("select count(*) from rollout_units where state = 'skipped'").await, 3);
    assert_eq!(order(&app, &id, "resume").await, StatusCode::CONFLICT);
}

#[tokio::test]
async fn where_no_backup_can_be_kept_nobody_is_updated_and_everybody_goes_on() {
    let app = three(store::Engine::Sqlite).await;
    release(&app, "2").await;
    app.given.vault.clone().unwrap().be_unavailable(10_000);
    start(&app, "2", json!({})).await;
    until(&app, async || state(&app).await == "halted").await;
    at_rest(&app).await;
    assert!(app.host.deployments_of("2").is_empty());
    assert_eq!(app.host.is_suspended("ai-diy-acme"), Some(false));
}

#[tokio::test]
async fn an_update_that_dies_at_any_step_is_done_once() {
    for point in points("update.v1", &UPDATED) {
        let app =
            TestApp::start_at("2026-11-30T12:00:00Z", store::Engine::Sqlite, once(point.clone(), Fault::Death)).await;
        app.provision("ada@example.com", "acme").await;
        app.host.write("ai-diy-acme", "work");
        release(&app, "2").await;
        start(&app, "2", json!({})).await;
        until(&app, async || state(&app).await == "done").await;
        at_rest(&app).await;
        assert_eq!(
            (app.host.runs("ai-diy-acme"), app.host.data("ai-diy-acme")),
            ("2".into(), "work".into()),
            "{point:?}"
        );
        assert_eq!(app.mails_to("ada@example.com").await.len(), 3, "{point:?}: a welcome, an announcement, a report");
        assert_eq!(app.count("select count(*) from backups").await, 1, "{point:?}");
    }
}

#[tokio::test]
async fn an_update_that_fails_for_good_at_any_step_leaves_all_as_it_was() {
    for point in points("update.v1", &UPDATED) {
        let app =
            TestApp::start_at("2026-11-30T12:00:00Z", store::Engine::Sqlite, once(point.clone(), Fault::Permanent))
                .await;
        app.provision("ada@example.com", "acme").await;
        app.host.write("ai-diy-acme", "work");
        release(&app, "2").await;
        start(&app, "2", json!({})).await;
        until(&app, async || state(&app).await == "halted").await;
        at_rest(&app).await;
        assert_eq!(
            (app.host.runs("ai-diy-acme"), app.host.data("ai-diy-acme")),
            ("1".into(), "work".into()),
            "{point:?}"
        );
        assert_eq!(app.host.is_suspended("ai-diy-acme"), Some(false), "{point:?}");
    }
}

const UPDATED: [&str; 7] =
    ["wait for others", "look where backups go", "back up", "deploy", "come up", "begin to watch", "watch"];
