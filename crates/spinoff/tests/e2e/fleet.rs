//! Releases reach real instances, or do not: with real processes, real backups, and a server that dies in every phase.

use std::fs;
use std::path::Path;
use std::time::Duration;

use futures_util::stream::{StreamExt as _, iter};
use serde_json::Value;

use crate::support::apps::Apps;
use crate::support::server::{Server, Start};
use crate::support::until::until;

/// Twenty of them when there is time for it.
const FULL: &str = "SPINOFF_TEST_FULL";
const OVER: Duration = Duration::from_secs(120);
/// As many servers as two cores start without getting in each other's way.
const SIDE_BY_SIDE: usize = 3;

const STEPS: [&str; 7] = ["wait for others", "back up", "deploy", "come up", "begin to watch", "watch", "record"];
const UNDONE: [&str; 5] = ["rest again", "put data back", "deploy former", "come up again", "record"];

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/fleet")
}

fn command(version: &str, flaw: &str) -> String {
    format!("exec {} {} {version} {flaw}", Apps::installed().program("python"), folder().join("app.py").display())
}

fn seller() -> Start {
    Apps::installed().seller().app(&command("0.1.0", "")).health("/health").app_path(folder())
}

/// Adds a release and takes it to the customers, for whom somebody answers here.
fn release(server: &Server, version: &str, flaw: &str) {
    let apps = Apps::installed();
    let (python, prefix) = (apps.environment(), apps.prefix());
    let read_only = [folder().display().to_string(), python, prefix];
    let command = command(version, flaw);
    let mut args = vec!["releases", "add", version, "--command", &command, "--health-path", "/health"];
    args.extend(read_only.iter().flat_map(|path| ["--read-only", path.as_str()]));
    server.cli(&args).ok();
    for _ in 0..2 {
        server.cli(&["releases", "promote", version, "--without-proof", "a test answers for it"]).ok();
    }
}

fn names(number: usize) -> Vec<String> {
    (1..=number).map(|each| format!("unit{each}")).collect()
}

/// What an instance keeps, but for its starts: those of a release that failed are no more than its data is.
fn kept(server: &Server, name: &str) -> (String, String) {
    let data = server.project(name).join("data");
    let read =
        |file: &str| fs::read_to_string(data.join(file)).unwrap_or_else(|error| panic!("{name} {file}: {error}"));
    (read("work"), read("starts"))
}

async fn version_of(server: &Server, name: &str) -> Value {
    let answer = server.at(name, "/-/health").send().await.unwrap();
    let health: Value = answer.json().await.unwrap();
    health["release"].clone()
}

async fn fleet(server: &Server, number: usize) -> Vec<String> {
    let names = names(number);
    for name in &names {
        server.provision(&format!("{name}@example.com"), name);
        fs::write(server.project(name).join("data/work"), format!("the work of {name}")).unwrap();
    }
    names
}

#[tokio::test]
async fn a_good_release_reaches_everybody_and_bad_ones_stop_at_the_first_and_cost_nobody_anything() {
    let number = if std::env::var_os(FULL).is_some() { 20 } else { 4 };
    let server = seller().start().await;
    let names = fleet(&server, number).await;
    release(&server, "2.0.0", "");
    server.cli(&["rollouts", "start", "2.0.0", "--waves", "30", "--at-once", "3", "--yes", "--wait"]).ok();
    for name in &names {
        assert_eq!(version_of(&server, name).await, "2.0.0", "{name}");
        let (work, starts) = kept(&server, name);
        assert_eq!((work, starts), (format!("the work of {name}"), "0.1.0\n2.0.0\n".to_owned()), "{name}");
    }
    let before: Vec<_> = names.iter().map(|name| kept(&server, name)).collect();

    for (version, flaw, why) in [
        ("3.0.0", "exits", "did not come up"),
        ("3.0.1", "lies", "says that it is 0.0.0"),
        ("3.0.2", "loses", "did not come up"),
    ] {
        release(&server, version, flaw);
        server.cli(&["rollouts", "start", version, "--yes", "--wait"]).failed(1, &["halted"]);
        let units = server.cli(&["rollouts", "show", "--units", "--json"]).ok().json();
        let units = units["data"].as_array().unwrap();
        let of = |state: &str| units.iter().filter(|unit| unit["state"] == state).count();
        assert_eq!((of("rolled_back"), of("waiting")), (1, number - 1), "{flaw}: {units:#?}");
        let failed = units.iter().find(|unit| unit["state"] == "rolled_back").unwrap();
        assert!(failed["why"].as_str().unwrap().contains(why), "{flaw}: {failed:#}");
        server.cli(&["rollouts", "cancel"]).ok();
        until("the rollout is over", OVER, async || {
            let shown = server.cli(&["rollouts", "show", "--json"]).ok().json();
            (shown["state"] == "cancelled").then_some(())
        })
        .await;
        for (name, (work, starts)) in names.iter().zip(&before) {
            assert_eq!(version_of(&server, name).await, "2.0.0", "{flaw}: {name}");
            let (work_now, starts_now) = kept(&server, name);
            assert_eq!(&work_now, work, "{flaw}: {name}");
            // It was started once more where it went back; nothing of what failed is left.
            assert!(starts_now.starts_with(starts.as_str()), "{flaw}: {name} {starts_now}");
            assert!(!starts_now.contains(version), "{flaw}: {name} {starts_now}");
        }
    }
}

#[tokio::test]
async fn a_release_that_dies_while_it_is_watched_goes_back_and_what_was_written_since_is_kept() {
    let server = seller().start().await;
    let names = fleet(&server, 2).await;
    release(&server, "2.0.0", "dies");
    server.cli(&["rollouts", "start", "2.0.0", "--soak", "1m", "--yes", "--wait"]).failed(1, &["halted"]);
    for name in &names {
        assert_eq!(version_of(&server, name).await, "0.1.0", "{name}");
        assert_eq!(kept(&server, name).0, format!("the work of {name}"));
        assert!(!server.project(name).join("data/died").exists(), "{name}");
    }
    let backups = server.api("/backups").await;
    let reasons: Vec<_> = backups["data"].as_array().unwrap().iter().map(|backup| backup["reason"].clone()).collect();
    assert_eq!(reasons.len(), 2, "before the update, and what was written since: {backups:#}");
}

#[tokio::test]
async fn an_update_that_was_killed_at_any_step_is_finished_once() {
    side_by_side(before_and_after(&STEPS), update_killed_at).await;
}

#[tokio::test]
async fn a_way_back_that_was_killed_at_any_step_is_finished_once() {
    let steps: Vec<String> = UNDONE.iter().map(|step| format!("undo {step}")).collect();
    side_by_side(before_and_after(&steps), way_back_killed_at).await;
}

async fn update_killed_at(point: String) {
    let mut server = seller().crash_at(&point).start().await;
    let names = fleet(&server, 2).await;
    release(&server, "2.0.0", "");
    server.cli(&["rollouts", "start", "2.0.0", "--yes"]);
    server.crashed().await;
    server.restart().await;
    let shown = over(&server, &point).await;
    assert_eq!(shown["state"], "done", "{point}: {shown:#}");
    for name in &names {
        assert_eq!(version_of(&server, name).await, "2.0.0", "{point}");
        assert_eq!(kept(&server, name).0, format!("the work of {name}"), "{point}");
        assert_eq!(server.world().guards(name), 1, "{point}");
    }
}

async fn way_back_killed_at(point: String) {
    let mut server = seller().crash_at(&point).start().await;
    let names = fleet(&server, 2).await;
    release(&server, "2.0.0", "loses");
    server.cli(&["rollouts", "start", "2.0.0", "--yes"]);
    server.crashed().await;
    server.restart().await;
    let shown = over(&server, &point).await;
    assert_eq!(shown["state"], "halted", "{point}: {shown:#}");
    for name in &names {
        server.until_healthy(name).await;
        assert_eq!(version_of(&server, name).await, "0.1.0", "{point}");
        let (work, starts) = kept(&server, name);
        assert_eq!(work, format!("the work of {name}"), "{point}");
        assert!(!starts.contains("2.0.0"), "{point}: {starts}");
    }
}

/// The rollout, once it is over or needs the operator.
async fn over(server: &Server, point: &str) -> Value {
    until(&format!("{point}: the rollout comes to an end"), OVER, async || {
        let shown = server.cli(&["rollouts", "show", "--json"]).ok().json();
        ["done", "halted", "cancelled"].iter().any(|state| shown["state"] == *state).then_some(shown)
    })
    .await
}

fn before_and_after(steps: &[impl AsRef<str>]) -> Vec<String> {
    let moments = |step: &str| ["before", "after"].map(|moment| format!("update.v1/{step}/{moment}"));
    steps.iter().flat_map(|step| moments(step.as_ref())).collect()
}

async fn side_by_side<F: Future<Output = ()>>(points: Vec<String>, test: impl Fn(String) -> F) {
    iter(points.into_iter().map(test)).buffer_unordered(SIDE_BY_SIDE).collect::<Vec<_>>().await;
}
