//! The operator's commands against a real server.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::server::{Server, cli_at};
use crate::support::until::until;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

#[tokio::test]
async fn an_instance_lives_and_ends_at_the_command_line() {
    let server = Server::start().await;
    let told = server.cli(&["provision", ADA, "acme"]).ok();
    assert_eq!(told.out, format!("acme is ready at http://{}\n", server.host("acme")));
    assert!(told.err.contains("✓ create project") && told.err.contains("✓ record"), "{told:?}");
    server.cli(&["provision", BOB, "acme"]).failed(4, &["can't provision acme", "taken"]);
    server.cli(&["provision", BOB, "admin"]).failed(4, &["reserved"]);

    let shown = server.cli(&["instances", "show", "ai-diy-acme", "--json"]).ok().json();
    assert_eq!((shown["subdomain"].as_str(), shown["state"].as_str()), (Some("acme"), Some("active")));
    let listed = server.cli(&["instances", "list"]).ok().out;
    assert!(listed.contains("ai-diy-acme") && listed.contains("active") && listed.contains(ADA), "{listed}");
    assert!(server.cli(&["instances", "logs", "acme"]).ok().out.contains("ready"));

    server.cli(&["delete", "acme"]).failed(4, &["not confirmed", "--confirm acme"]);
    server.cli(&["delete", "acme", "--confirm", "zoo"]).failed(4, &["is not its subdomain"]);
    assert_eq!(server.instance("acme")["state"], "active");
    let deleted = server.cli(&["instances", "remove", "acme", "--confirm", "acme"]).ok();
    assert!(deleted.out.contains("acme is deleted; removed:") && deleted.out.contains("acme.localhost"), "{deleted:?}");
    let id = shown["id"].as_str().unwrap();
    assert_eq!(server.instance(id)["state"], "deleted");
    server.cli(&["delete", id, "--confirm", "acme", "--no-wait"]).failed(4, &["deleted"]);
}

#[tokio::test]
async fn an_instance_is_closed_for_a_while_and_opens_with_what_was_in_it() {
    let server = Server::start().await;
    server.provision(ADA, "acme");
    let ada = server.sign_in("acme", ADA).await;
    std::fs::write(server.data().join("instances/ai-diy-acme/data/kept"), "kept").unwrap();
    server.cli(&["suspend", "acme"]).failed(2, &["--reason"]);
    let told = server.cli(&["suspend", "acme", "--reason", "The last invoice is unpaid."]).ok();
    assert_eq!(told.out, "acme is suspended; its data is kept\n");
    let visit = ada.get(&server, "/").send().await.unwrap();
    assert_eq!(visit.status(), 503);
    let page = visit.text().await.unwrap();
    assert!(page.contains("This workspace is suspended"), "{page}");
    assert_eq!(server.instance("acme")["state"], "suspended");
    server.cli(&["suspend", "nowhere", "--reason", "Because."]).failed(3, &["nowhere"]);

    assert_eq!(server.cli(&["resume", "acme"]).ok().out, "acme is open again\n");
    assert_eq!(ada.get(&server, "/").send().await.unwrap().status(), 200);
    let kept = std::fs::read_to_string(server.data().join("instances/ai-diy-acme/data/kept")).unwrap();
    assert_eq!(kept, "kept");
}

#[tokio::test]
async fn an_instance_gets_another_name_and_its_application_knows_it() {
    let server = Server::with().app("echo serving $HOSTNAME_PUBLIC; exec python3 -m http.server $PORT").start().await;
    server.provision(ADA, "acme");
    server.cli(&["instances", "rename", "acme", "admin"]).failed(4, &["reserved"]);
    server.cli(&["instances", "rename", "acme", "acme"]).failed(4, &["called acme already"]);
    server.cli(&["instances", "rename", "nowhere", "zoo"]).failed(3, &["nowhere"]);
    let told = server.cli(&["instances", "rename", "acme", "zoo"]).ok();
    assert_eq!(told.out, "acme is now zoo\n");
    assert!(told.err.contains("✓ refuse strangers") && told.err.contains("✓ switch"), "{told:?}");
    let shown = server.cli(&["instances", "show", "ai-diy-acme", "--json"]).ok().json();
    assert_eq!(shown["url"], format!("http://{}", server.host("zoo")));
    assert!(server.cli(&["instances", "logs", "zoo"]).ok().out.contains("serving zoo.localhost"));
    let ada = server.sign_in("zoo", ADA).await;
    assert_eq!(ada.get(&server, "/").send().await.unwrap().status(), 200);
    assert_eq!(server.at("zoo", "/").send().await.unwrap().status(), 401);
    let gone = async || (server.at("acme", "/").send().await.unwrap().status() == 404).then_some(());
    until("the old address leads nowhere", Duration::from_secs(20), gone).await;
    server.cli(&["provision", BOB, "acme"]).failed(4, &["taken"]);
}

#[tokio::test]
async fn members_come_and_go_at_the_command_line() {
    let server = Server::start().await;
    server.provision(ADA, "acme");
    let stranger = server.at("acme", "/").send().await.unwrap().status();
    assert_eq!(stranger, 401);
    let added = server.cli(&["members", "add", "acme", BOB, "--json"]).ok().json();
    assert_eq!(added["email"], BOB);
    let bob = server.sign_in("acme", BOB).await;
    assert!(bob.text(&server, "/-/access/whoami").await.contains(BOB));
    assert_eq!(emails(&server.cli(&["members", "list", "acme", "--json"]).ok().json()), [ADA, BOB]);

    assert!(server.cli(&["members", "remove", "acme", BOB]).ok().out.contains("may no longer enter"));
    let next = bob.get(&server, "/").send().await.unwrap();
    assert_eq!(next.status(), 403, "the next request is refused, whatever the cookie says");
    server.cli(&["members", "remove", "acme", BOB]).failed(3, &["can't shut bob@example.com out"]);
    server.cli(&["members", "add", "nowhere", BOB]).failed(3, &["nowhere"]);
}

#[tokio::test]
async fn a_list_of_instances_leaves_one_server_and_fills_another() {
    let server = Server::start().await;
    for subdomain in ["acme", "zoo"] {
        server.cli(&["instances", "add", ADA, subdomain, "--quiet"]).ok();
    }
    let list = server.data().join("instances.txt");
    let list = list.to_str().unwrap();
    server.cli(&["instances", "export", list]).ok();
    let text = std::fs::read_to_string(list).unwrap();
    let names: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(names, ["ai-diy-acme", "ai-diy-zoo"]);
    server.cli(&["instances", "import", list]).ok();

    let other = Server::start().await;
    other.cli(&["instances", "import", list]).failed(1, &["2 of the listed instances are missing"]);
    let made = other.cli(&["instances", "import", list, "--customer", BOB, "--json", "--quiet"]).ok().json();
    assert_eq!(made["provisioned"], serde_json::json!(["ai-diy-acme", "ai-diy-zoo"]), "{made}");
    assert_eq!(other.instance("zoo")["customer_email"], BOB);
}

#[tokio::test]
async fn an_operator_sees_what_the_server_did() {
    let server = Server::start().await;
    let instance = server.provision(ADA, "acme");
    let workflow = instance["workflow_id"].as_str().unwrap();
    let listed = server.cli(&["workflows", "list", "--state", "done", "--json"]).ok().json();
    assert!(listed["data"].as_array().unwrap().iter().any(|found| found["id"] == workflow), "{listed:#}");
    let shown = server.cli(&["workflows", "show", workflow]).ok().out;
    assert!(shown.contains("provision.v1") && shown.contains("wait until healthy"), "{shown}");
    server.cli(&["workflows", "retry", workflow]).failed(4, &["done"]);
    server.cli(&["workflows", "show", "wfl_01k9x0a4q7e8r9t0v1w2x3y4z5"]).failed(3, &["can't show workflow"]);

    let usage = server.cli(&["usage", "show", "acme", "--json"]).ok().json();
    assert_eq!((usage["hours"].as_array().map(Vec::len), usage["bill"]["total"].as_u64()), (Some(0), Some(500)));
    assert!(server.cli(&["usage", "show", "acme"]).ok().out.contains("$5.00"));
    assert!(server.cli(&["customers", "list", "--json"]).ok().json()["data"].to_string().contains(ADA));
    assert!(server.cli(&["audit", "list", "--json"]).ok().json()["data"].to_string().contains("instance.activated"));
    let checks = server.cli(&["doctor", "--json"]).ok().json();
    assert_eq!(checks["ok"], true, "{checks:#}");

    let entered = server.site(server.admin_link().split_once(&server.url()).unwrap().1).send().await.unwrap();
    assert!(entered.status().is_redirection() || entered.status().is_success(), "{}", entered.status());
}

#[tokio::test]
async fn commands_say_when_no_server_runs_and_when_they_are_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = &["no server is running for this data folder", "spinoff up"];
    for args in [&["instances", "list"][..], &["provision", ADA, "acme"], &["admin-link"], &["workflows", "list"]] {
        cli_at(folder.path(), args).failed(1, nobody);
    }
    for args in [&["provision", ADA][..], &["provision", "ada", "acme"], &["instances", "destroy"], &["usage"]] {
        assert_eq!(cli_at(folder.path(), args).code, 2, "{args:?}");
    }
    let script = cli_at(folder.path(), &["completions", "bash"]).ok().out;
    assert!(script.contains("provision") && script.contains("workflows"), "{script:.200}");

    let mut server = Server::start().await;
    assert_eq!(second_server(server.data()), 1, "two servers never share a data folder");
    server.kill9();
    server.cli(&["instances", "list"]).failed(1, nobody);
}

fn second_server(data: &Path) -> i32 {
    let ran = cli_at(data, &["up", "--listen", "127.0.0.1:0"]);
    ran.failed(1, &["another server is running on the data folder"]);
    ran.code
}

fn emails(page: &Value) -> Vec<&str> {
    let mut found: Vec<&str> = page["data"].as_array().unwrap().iter().filter_map(|m| m["email"].as_str()).collect();
    found.sort_unstable();
    found
}
