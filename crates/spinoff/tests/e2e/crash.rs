//! The server is killed at every step of every workflow, as a machine that loses power does. After
//! the next start everything is either finished or taken back, once, and nothing is left over.

use std::future::Future;

use futures_util::stream::{StreamExt as _, iter};
use serde_json::Value;
use world::{Clock, Entropy};

use crate::support::server::Server;
use crate::support::world::{groups, guard_port};

const ADA: &str = "ada@example.com";
const OPERATOR: &str = "operator@localhost";

const PROVISION: [&str; 11] = [
    "begin",
    "create project",
    "configure",
    "register hostname",
    "deploy",
    "publish address",
    "cover with access control",
    "wait until healthy",
    "refuse strangers",
    "start subscription",
    "record",
];
const UNDO: [&str; 4] = ["start subscription", "publish address", "create project", "tell customer and operator"];
const DELETE: [&str; 6] =
    ["refuse entry", "remove compute", "remove address", "end subscription", "forget members", "record"];

/// What a removal record has to name, each once.
const REMOVED: [&str; 8] =
    ["access rules", "data folder", "hostname", "member list", "port", "process", "project", "subscription"];

/// As many servers as two cores start without getting in each other's way.
const SIDE_BY_SIDE: usize = 4;

#[tokio::test]
async fn provisioning_that_was_killed_at_any_step_is_finished_once() {
    side_by_side(before_and_after("provision.v1", &PROVISION), provisioning_killed_at).await;
}

#[tokio::test]
async fn a_deletion_that_was_killed_at_any_step_leaves_nothing() {
    side_by_side(before_and_after("delete.v1", &DELETE), deletion_killed_at).await;
}

#[tokio::test]
async fn provisioning_that_was_given_up_and_killed_at_any_step_of_the_way_back_leaves_nothing() {
    let steps = UNDO.map(|step| format!("undo {step}"));
    side_by_side(before_and_after("provision.v1", &steps), way_back_killed_at).await;
}

#[tokio::test]
async fn an_application_that_never_answers_can_be_given_up_although_the_server_dies_twice() {
    let mut server = Server::with().app("sleep 1000").start().await;
    let accepted = server.begin_provision(ADA, "acme");
    let workflow = accepted["workflow_id"].as_str().unwrap();
    server.step_begun(workflow, "wait until healthy").await;
    let port = guard_port(&server.project("acme"));
    server.cli(&["workflows", "abandon", workflow]).ok();
    server.kill9();
    server.restart_and_crash("provision.v1/undo create project/before").await;
    server.restart().await;
    assert_given_up(&server, accepted["id"].as_str().unwrap(), port).await;
}

#[tokio::test]
async fn a_killed_server_takes_its_instances_along_and_the_next_one_brings_them_back() {
    let mut server = Server::start().await;
    for subdomain in ["acme", "zoo"] {
        server.provision(ADA, subdomain);
    }
    let ids = ["acme", "zoo"].map(|name| server.project(name));
    std::fs::write(ids[0].join("data/kept"), "by acme").unwrap();
    let session = server.sign_in("acme", ADA).await;
    let port = server.port();

    server.kill9();
    server.world().is_still().await;
    server.restart().await;

    assert_eq!(server.port(), port);
    for subdomain in ["acme", "zoo"] {
        server.until_healthy(subdomain).await;
        assert_eq!(server.world().guards(subdomain), 1, "{:#?}", server.world().commands(subdomain));
        assert_eq!(server.instance(subdomain)["state"], "active");
    }
    assert_eq!(std::fs::read_to_string(ids[0].join("data/kept")).unwrap(), "by acme");
    assert!(session.text(&server, "/-/access/whoami").await.contains(ADA), "the session outlives the server");
}

#[tokio::test]
async fn a_server_that_is_asked_to_stop_takes_everything_down() {
    let mut server = Server::start().await;
    let instance = server.provision(ADA, "acme");
    let status = server.stop().await;
    assert!(status.success(), "{status}: {}", server.output());
    assert!(server.world().processes(None).is_empty(), "{:#?}", server.world().commands("acme"));
    assert!(groups(&format!("spinoff-{}", instance["id"].as_str().unwrap())).is_empty());
    server.restart().await;
    server.until_healthy("acme").await;
}

async fn provisioning_killed_at(point: String) {
    let mut server = Server::with().crash_at(&point).start().await;
    // The answer may be lost with the server; the wish is not.
    server.cli(&["provision", ADA, "acme", "--no-wait"]);
    server.crashed().await;
    server.restart().await;

    let workflow = server.workflow_over("provision.v1").await;
    assert_eq!(workflow["state"], "done", "{point}: {workflow:#}");
    assert_eq!(server.instance("acme")["state"], "active", "{point}");
    assert_eq!(server.api("/instances").await["data"].as_array().unwrap().len(), 1, "{point}");
    server.until_healthy("acme").await;
    assert_eq!(server.world().folders(), ["ai-diy-acme"], "{point}");
    assert_eq!(server.world().guards("acme"), 1, "{point}: {:#?}", server.world().commands("acme"));
    let ports = [server.port(), guard_port(&server.project("acme"))];
    assert_eq!(server.world().ports(), ports.into(), "{point}");
    let mails = server.mails_to(ADA).await;
    assert_eq!(mails.len(), 1, "{point}: one welcome and nothing else, not {mails:#?}");
    if point.ends_with("deploy/after") || point.ends_with("record/after") {
        let session = server.sign_in("acme", ADA).await;
        assert!(session.text(&server, "/-/access/whoami").await.contains(ADA), "{point}");
    }
}

async fn deletion_killed_at(point: String) {
    let mut server = Server::with().crash_at(&point).start().await;
    let instance = server.provision(ADA, "acme");
    let port = guard_port(&server.project("acme"));
    server.cli(&["delete", "acme", "--confirm", "acme", "--no-wait"]);
    server.crashed().await;
    server.restart().await;

    let workflow = server.workflow_over("delete.v1").await;
    assert_eq!(workflow["state"], "done", "{point}: {workflow:#}");
    let id = instance["id"].as_str().unwrap();
    assert_nothing_left(&server, id, port).await;
    let deleted = server.api(&format!("/instances/{id}")).await;
    assert_eq!(deleted["state"], "deleted", "{point}");
    let mut kinds: Vec<&str> =
        deleted["removal"]["removed"].as_array().unwrap().iter().map(|thing| thing["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, REMOVED, "{point}: {:#}", deleted["removal"]);
    assert_eq!(deleted["removal"]["removed"].as_array().unwrap().len(), kinds.len(), "{point}: recorded once");
    assert_eq!(server.mails_to(ADA).await.len(), 2, "{point}: a welcome and a farewell");
}

/// Everything is made and paid for when the operator gives it up; the server dies on the way back.
async fn way_back_killed_at(point: String) {
    let mut server = Server::with().crash_at("provision.v1/start subscription/after").start().await;
    let accepted = server.begin_provision(ADA, "acme");
    server.crashed().await;
    let port = guard_port(&server.project("acme"));
    give_up(&server, accepted["workflow_id"].as_str().unwrap()).await;
    server.restart_and_crash(&point).await;
    server.restart().await;
    assert_given_up(&server, accepted["id"].as_str().unwrap(), port).await;
}

/// What the command does, at a moment at which no server runs that could go on meanwhile.
async fn give_up(server: &Server, workflow: &str) {
    let db = store::Db::open_file(&server.data().join("spinoff.db")).await.unwrap();
    let settings = workflow::Settings::default();
    let engine = workflow::Engine::new(db.clone(), Clock::System, Entropy::System, settings, []);
    engine.abandon(workflow, "a test").await.unwrap();
    db.close().await;
}

async fn assert_given_up(server: &Server, instance: &str, port: u16) {
    let workflow = server.workflow_over("provision.v1").await;
    assert_eq!(workflow["state"], "failed", "{workflow:#}");
    assert_nothing_left(server, instance, port).await;
    assert_eq!(server.api(&format!("/instances/{instance}")).await["state"], "failed");
    for (whom, number) in [(ADA, 1), (OPERATOR, 1)] {
        let mails = server.mails_to(whom).await;
        assert_eq!(mails.len(), number, "{whom} is told once: {mails:#?}");
    }
}

async fn assert_nothing_left(server: &Server, instance: &str, port: u16) {
    server.world().is_rid_of("acme", instance, Some(port)).await;
    assert_eq!(server.world().ports(), [server.port()].into());
    let answer = server.at("acme", "/").send().await.unwrap();
    assert_eq!(answer.status(), 404, "the hostname is nobody's");
    let members = server.cli(&["members", "list", instance, "--json"]);
    let none = members.code == 3 || members.json()["data"] == Value::Array(Vec::new());
    assert!(none, "{members:?}");
    let availability: Value =
        server.site("/signup/availability?subdomain=acme").send().await.unwrap().json().await.unwrap();
    assert_eq!(availability["available"], true, "{availability}");
}

fn before_and_after(kind: &str, steps: &[impl AsRef<str>]) -> Vec<String> {
    let moments = |step| ["before", "after"].map(|moment| format!("{kind}/{step}/{moment}"));
    steps.iter().map(AsRef::as_ref).flat_map(moments).collect()
}

async fn side_by_side<F: Future<Output = ()>>(points: Vec<String>, rehearse: impl Fn(String) -> F) {
    iter(points).map(rehearse).buffer_unordered(SIDE_BY_SIDE).collect::<()>().await;
}
