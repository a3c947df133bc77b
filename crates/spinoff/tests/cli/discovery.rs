//! Finding the server that runs on the same machine.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::server::{Server, instance};
use crate::spinoff::{at, command, run};

fn leave_server_file(data: &Path, url: &str, pid: u32) {
    let file = json!({"url": url, "token": "local-token", "pid": pid, "admin_link": format!("{url}/admin/enter?k=1")});
    fs::create_dir_all(data.join("run")).unwrap();
    fs::write(data.join("run/server.json"), file.to_string()).unwrap();
}

fn dead_pid() -> u32 {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

#[test]
fn the_running_server_is_found_through_its_data_folder() {
    let server = Server::start().on("GET /api/v1/instances/acme", 200, instance("acme", "active"));
    let data = tempfile::tempdir().unwrap();
    leave_server_file(data.path(), &server.url, std::process::id());
    let ran = at(data.path(), &["instances", "show", "acme"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(server.seen()[0].token.as_deref(), Some("Bearer local-token"));
    let ran = at(data.path(), &["instances", "show", "acme", "--token", "mine"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(server.seen()[1].token.as_deref(), Some("Bearer mine"));
}

#[test]
fn variables_set_to_nothing_count_as_unset() {
    let server = Server::start().on("GET /api/v1/instances/acme", 200, instance("acme", "active"));
    let data = tempfile::tempdir().unwrap();
    leave_server_file(data.path(), &server.url, std::process::id());
    let mut command = command(&["instances", "show", "acme", "--data", data.path().to_str().unwrap()]);
    let ran = command.env("SPINOFF_SERVER", "").env("SPINOFF_TOKEN", "").output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(server.seen()[0].token.as_deref(), Some("Bearer local-token"));
}

#[test]
fn the_local_token_goes_to_no_other_server() {
    let server = Server::start().on("GET /api/v1/instances/acme", 200, instance("acme", "active"));
    let data = tempfile::tempdir().unwrap();
    leave_server_file(data.path(), "http://127.0.0.1:1", std::process::id());
    let ran = at(data.path(), &["instances", "show", "acme", "--server", &server.url]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(server.seen()[0].token, None);
}

#[test]
fn without_a_server_every_command_says_how_to_start_one() {
    let data = tempfile::tempdir().unwrap();
    let words = ["no server is running for this data folder", "start one with `spinoff up`"];
    at(data.path(), &["instances", "list"]).assert_failed(1, &words);
    leave_server_file(data.path(), "http://127.0.0.1:1", dead_pid());
    at(data.path(), &["instances", "list"]).assert_failed(1, &words);
    at(data.path(), &["admin-link"]).assert_failed(1, &words);
    fs::write(data.path().join("run/server.json"), "{").unwrap();
    at(data.path(), &["instances", "list"]).assert_failed(1, &["server.json", "restart the server"]);
}

#[test]
fn the_sign_in_link_is_printed_alone() {
    let data = tempfile::tempdir().unwrap();
    leave_server_file(data.path(), "http://localhost:8080", std::process::id());
    assert_eq!(at(data.path(), &["admin-link"]).out, "http://localhost:8080/admin/enter?k=1\n");
    let json = at(data.path(), &["admin-link", "--json"]).json();
    assert_eq!(json, json!({"admin_link": "http://localhost:8080/admin/enter?k=1"}));
}

#[test]
fn data_is_looked_for_where_the_system_keeps_it() {
    let home = tempfile::tempdir().unwrap();
    leave_server_file(&home.path().join("spinoff"), "http://localhost:1234", std::process::id());
    let ran = command(&["admin-link"]).env("XDG_DATA_HOME", home.path()).output().unwrap();
    assert!(String::from_utf8(ran.stdout).unwrap().contains("localhost:1234"));
}

#[test]
fn help_and_version_need_nothing() {
    let help = run(&["--help"]);
    assert_eq!(help.code, 0);
    for word in ["provision", "instances", "doctor", "Exit codes", "SPINOFF_TOKEN"] {
        assert!(help.out.contains(word), "{word} is missing in {}", help.out);
    }
    assert!(!help.out.contains("sandbox "), "a stage of the server is no command for people");
    assert_eq!(run(&["--version"]).out, format!("spinoff {}\n", env!("CARGO_PKG_VERSION")));
}
