//! What keeps an installation from working is found before a customer finds it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::server::Server;
use crate::spinoff::at;

/// The verdict on one thing, and what was said about it.
fn verdict(data: &Path, args: &[&str], name: &str) -> (Value, String) {
    let ran = at(data, &[&["doctor", "--json"][..], args].concat());
    let diagnosis = ran.json();
    let checks = diagnosis["checks"].as_array().unwrap();
    let failed = checks.iter().any(|check| check["verdict"] == "fail");
    assert_eq!((ran.code, &diagnosis["ok"]), (i32::from(failed), &json!(!failed)), "{diagnosis}");
    let check = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {diagnosis}"));
    (check["verdict"].clone(), format!("{} {}", check["found"], check["advice"]))
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn a_fresh_machine_needs_nothing_prepared() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("not/yet");
    let address = free_address();
    for name in ["data folder", "key file", "store", "server"] {
        let (verdict, said) = verdict(&data, &["--listen", &address], name);
        assert_eq!(verdict, "ok", "{name}: {said}");
    }
    assert!(!data.exists(), "a look changes nothing");
}

#[test]
fn every_feature_of_the_sandbox_is_tried() {
    let data = tempfile::tempdir().unwrap();
    let ran = at(data.path(), &["doctor"]);
    for feature in
        ["user namespaces", "mount namespaces", "process namespaces", "network namespaces", "the whole sandbox"]
    {
        assert!(ran.out.contains(&format!("isolation: {feature}")), "{ran:?}");
    }
}

#[test]
fn a_lost_or_open_key_is_found() {
    let data = tempfile::tempdir().unwrap();
    let key = data.path().join("secret.key");
    let judge = || verdict(data.path(), &[], "key file");
    fs::write(data.path().join("spinoff.db"), "").unwrap();
    assert_eq!(verdict(data.path(), &[], "store").0, "ok");
    assert_eq!(judge().0, "fail");
    assert!(judge().1.contains("restore it from a backup"));
    fs::write(&key, [7; 31]).unwrap();
    assert_eq!(judge().0, "fail");
    fs::write(&key, [7; 32]).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(judge().1.contains("chmod 600"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(judge().0, "ok");
}

#[test]
fn a_store_that_does_not_answer_is_found_and_its_password_kept() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("spinoff.db"), "this is no database, and long enough to be looked at".repeat(90))
        .unwrap();
    assert_eq!(verdict(data.path(), &[], "store").0, "fail");
    let (judged, said) = verdict(data.path(), &["--store", "mysql://me:s3cret@localhost/x"], "store");
    assert_eq!(judged, "fail");
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn a_taken_port_is_found() {
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (judged, said) = verdict(data.path(), &["--listen", &address], "server");
    assert_eq!(judged, "fail");
    assert!(said.contains("another --listen"), "{said}");
}

#[test]
fn a_running_server_is_asked_how_it_is() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start().on("GET /-/health", 200, json!({"status": "ok", "version": "1"})).on(
        "GET /-/health",
        503,
        json!({"status": "unavailable", "version": "1"}),
    );
    let file = json!({"url": server.url, "token": "t", "pid": std::process::id(), "admin_link": "l"});
    fs::create_dir(data.path().join("run")).unwrap();
    fs::write(data.path().join("run/server.json"), file.to_string()).unwrap();
    assert_eq!(verdict(data.path(), &[], "server").0, "ok");
    let (judged, said) = verdict(data.path(), &[], "server");
    assert_eq!(judged, "fail");
    assert!(said.contains("the standard error of `spinoff up`"), "{said}");
    assert!(server.seen().iter().all(|seen| seen.token.is_none()), "health needs no token");
}

#[test]
fn settings_that_make_no_sense_are_found() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("spinoff.toml"), "[site]\nbase_domian = \"a.test\"\n").unwrap();
    let (judged, said) = verdict(data.path(), &[], "settings");
    assert_eq!(judged, "fail");
    assert!(said.contains("base_domian"), "{said}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("[site]\nlisten = \"{}\"\n", taken.local_addr().unwrap());
    fs::write(data.path().join("spinoff.toml"), listen).unwrap();
    assert_eq!(verdict(data.path(), &[], "settings").0, "ok");
    assert_eq!(verdict(data.path(), &[], "server").0, "fail", "the address comes from the settings");
}
