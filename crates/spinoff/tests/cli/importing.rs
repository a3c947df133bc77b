//! `instances.txt`, out and in.

use std::fs;

use serde_json::json;

use crate::server::{INSTANCE, Server, WORKFLOW, accepted, instance, step, workflow};
use crate::spinoff::{ask, ask_with_input};

fn fleet() -> Server {
    let instances = [instance("zoo", "active"), instance("gone", "deleted"), instance("acme", "suspended")];
    Server::start().on("GET /api/v1/instances", 200, json!({"data": instances, "next_cursor": null}))
}

#[test]
fn an_export_lists_what_exists_in_order() {
    let server = fleet();
    assert_eq!(ask(&server.url, &["instances", "export"]).out, "ai-diy-acme\nai-diy-zoo\n");
    let json = ask(&server.url, &["instances", "export", "--json"]).json();
    assert_eq!(json, json!({"projects": ["ai-diy-acme", "ai-diy-zoo"]}));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("instances.txt");
    let ran = ask(&server.url, &["instances", "export", file.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "ai-diy-acme\nai-diy-zoo\n");
    let nowhere = folder.path().join("no/where.txt");
    ask(&server.url, &["instances", "export", nowhere.to_str().unwrap()]).assert_failed(1, &["can't write the list"]);
}

#[test]
fn an_import_compares_and_changes_nothing() {
    let server = fleet();
    let same = ask_with_input(&server.url, &["instances", "import"], "# fleet\nai-diy-zoo\nai-diy-acme\n");
    assert_eq!(same.code, 0, "{same:?}");
    let other = ask_with_input(&server.url, &["instances", "import", "-"], "ai-diy-zoo\nai-diy-new\n");
    other.assert_failed(1, &["1 of the listed instances are missing", "next: give --customer EMAIL"]);
    insta::assert_snapshot!(other.out, @r"
    PROJECT      ON THE SERVER
    ai-diy-acme  not listed
    ai-diy-new   missing
    ai-diy-zoo   present
    ");
    assert_eq!(server.changes(), []);
}

#[test]
fn a_wrong_list_is_refused_as_a_whole() {
    let server = fleet();
    let ran =
        ask_with_input(&server.url, &["instances", "import", "--customer", "ada@example.com"], "ai-diy-new\nzoo\n");
    ran.assert_failed(1, &["line 2"]);
    assert_eq!(server.seen(), []);
    ask(&server.url, &["instances", "import", "/nonexistent/list"]).assert_failed(1, &["can't read the list"]);
}

#[test]
fn missing_instances_are_made_for_the_customer_who_pays() {
    let server = fleet()
        .on("POST /api/v1/instances", 202, accepted())
        .on(&format!("GET /api/v1/workflows/{WORKFLOW}"), 200, workflow("done", &[step("deploy", "do", "done")]))
        .on(&format!("GET /api/v1/instances/{INSTANCE}"), 200, instance("new", "active"));
    let args = ["instances", "import", "--customer", "bob@example.com", "--json"];
    let ran = ask_with_input(&server.url, &args, "ai-diy-zoo\nai-diy-new\n");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        ran.json(),
        json!({
            "present": ["ai-diy-zoo"],
            "missing": [],
            "not_listed": ["ai-diy-acme"],
            "provisioned": ["ai-diy-new"],
        })
    );
    let bodies: Vec<_> = server.changes().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, [json!({"customer_email": "bob@example.com", "subdomain": "new"})]);
}

#[test]
fn an_import_that_stops_halfway_tells_how_far_it_came() {
    let server = fleet()
        .on("POST /api/v1/instances", 202, accepted())
        .on("POST /api/v1/instances", 409, json!({"status": 409, "title": "taken"}))
        .on(&format!("GET /api/v1/workflows/{WORKFLOW}"), 200, workflow("done", &[]))
        .on(&format!("GET /api/v1/instances/{INSTANCE}"), 200, instance("new", "active"));
    let args = ["instances", "import", "--customer", "bob@example.com"];
    let ran = ask_with_input(&server.url, &args, "ai-diy-new\nai-diy-one\nai-diy-zoo\n");
    ran.assert_failed(4, &["can't provision one", "taken"]);
    assert!(ran.out.contains("ai-diy-new   provisioned") && ran.out.contains("ai-diy-one   missing"), "{ran:?}");
}
