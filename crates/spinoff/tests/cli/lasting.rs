//! Work that lasts: provisioning and deletion.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::Stdio;

use nix::pty::openpty;
use serde_json::json;

use crate::server::{INSTANCE, Server, WORKFLOW, accepted, instance, problem, step, workflow};
use crate::spinoff::{Ran, ask, command, run};

const PROVISION: [&str; 3] = ["provision", "ada@example.com", "acme"];

fn provisioning() -> Server {
    Server::start().on("POST /api/v1/instances", 202, accepted()).on(
        &format!("GET /api/v1/instances/{INSTANCE}"),
        200,
        instance("acme", "active"),
    )
}

fn watched() -> String {
    format!("GET /api/v1/workflows/{WORKFLOW}")
}

#[test]
fn provisioning_tells_each_step_once_and_ends_with_the_address() {
    let (first, second) = (step("create project", "do", "done"), step("deploy", "do", "done"));
    let server = provisioning()
        .on(&watched(), 200, workflow("running", &[step("create project", "do", "started")]))
        .on(&watched(), 200, workflow("running", &[first.clone(), step("deploy", "do", "started")]))
        .on(&watched(), 200, workflow("done", &[first, second]));
    let ran = ask(&server.url, &PROVISION);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.out, "acme is ready at http://acme.localhost:8080\n");
    assert_eq!(ran.err, "✓ create project  250ms\n✓ deploy  250ms\n");
    assert_eq!(server.changes()[0].body, json!({"customer_email": "ada@example.com", "subdomain": "acme"}));
    assert_eq!(server.changes()[0].key, None);
}

#[test]
fn a_step_that_is_tried_again_is_told_as_failed_only_when_it_stays_so() {
    let (failed, done) = (step("deploy", "do", "failed"), step("deploy", "do", "done"));
    let mut again = step("deploy", "do", "started");
    (again["attempts"], again["error"]) = (json!(2), json!("no room"));
    let mut worse = failed.clone();
    (worse["attempts"], worse["error"]) = (json!(2), json!("no power"));
    let server = provisioning()
        .on(&watched(), 200, workflow("running", std::slice::from_ref(&failed)))
        .on(&watched(), 200, workflow("running", &[again]))
        .on(&watched(), 200, workflow("running", &[worse]))
        .on(&watched(), 200, workflow("done", &[done]));
    let ran = ask(&server.url, &PROVISION);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = "… deploy  attempt 1, last error: no room\n… deploy  attempt 2, last error: no power\n\
                ✓ deploy  250ms\n";
    assert_eq!(ran.err, told);

    let undoing = workflow("undoing", &[failed.clone(), step("create project", "undo", "failed")]);
    let over = workflow("failed", &[failed, step("create project", "undo", "done")]);
    let server = provisioning().on(&watched(), 200, undoing).on(&watched(), 200, over);
    let ran = ask(&server.url, &PROVISION);
    let told = "✗ deploy  250ms  no room\n… undo: create project  attempt 1, last error: no room\n\
                ✓ undo: create project  250ms\n";
    assert!(ran.code == 1 && ran.err.starts_with(told), "{ran:?}");
}

#[test]
fn programs_get_the_instance_and_no_progress_when_quiet() {
    let server = provisioning().on(&watched(), 200, workflow("done", &[step("deploy", "do", "done")]));
    let ran = ask(&server.url, &[&PROVISION[..], &["--json", "--quiet"]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(ran.json(), instance("acme", "active"));
}

#[test]
fn an_order_that_waits_for_its_customer_is_not_waited_for_unless_asked() {
    let order = |state: &str, step: &serde_json::Value| {
        let mut order = workflow(state, std::slice::from_ref(step));
        order["kind"] = json!("sign-up.v1");
        order
    };
    let (mut waits, paid) =
        (step("wait for a means of payment", "do", "waiting"), step("begin provisioning", "do", "done"));
    waits["error"] = json!("Nothing is made until then.");
    let ran = ask(&provisioning().on(&watched(), 200, order("running", &waits)).url, &PROVISION);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("acme is ordered. ada@example.com is sent a link"), "{ran:?}");

    let server = provisioning()
        .on(&watched(), 200, order("running", &waits))
        .on(&watched(), 200, order("done", &paid))
        .on(&watched(), 200, workflow("done", &[step("deploy", "do", "done")]));
    let ran = ask(&server.url, &[&PROVISION[..], &["--until-paid"]].concat());
    assert_eq!((ran.code, ran.out.as_str()), (0, "acme is ready at http://acme.localhost:8080\n"), "{ran:?}");
}

#[test]
fn nobody_has_to_wait() {
    let server = provisioning();
    let ran = ask(
        &server.url,
        &["instances", "add", "ada@example.com", "acme", "--no-wait", "--json", "--idempotency-key", "order-7"],
    );
    assert_eq!((ran.code, ran.json()), (0, accepted()));
    assert_eq!(server.changes()[0].key.as_deref(), Some("order-7"));
    assert_eq!(server.seen().len(), 1);
    let words = ask(&server.url, &[&PROVISION[..], &["--no-wait"]].concat());
    assert!(words.out.contains(&format!("spinoff workflows show {WORKFLOW}")), "{words:?}");
}

#[test]
fn provisioning_that_was_undone_has_failed() {
    let steps =
        [step("create project", "do", "done"), step("deploy", "do", "failed"), step("create project", "undo", "done")];
    let server = provisioning().on(&watched(), 200, workflow("failed", &steps));
    let ran = ask(&server.url, &PROVISION);
    ran.assert_failed(
        1,
        &["acme was not provisioned", "no room", "✗ deploy  250ms  no room", "✓ undo: create project"],
    );
    assert_eq!(ran.out, "");
    let server = provisioning().on(&watched(), 200, workflow("stuck", &steps));
    ask(&server.url, &PROVISION).assert_failed(1, &["workflow stuck", "spinoff workflows retry"]);
}

#[test]
fn waiting_ends_in_time_and_the_work_goes_on() {
    let server = provisioning().on(&watched(), 200, workflow("running", &[]));
    let ran = ask(&server.url, &[&PROVISION[..], &["--timeout", "0"]].concat());
    ran.assert_failed(5, &["still under way", &format!("spinoff workflows show {WORKFLOW}")]);
}

#[test]
fn what_cannot_be_had_is_refused_with_the_reason() {
    let taken = problem(409, "The subdomain is taken", "choose another one");
    let server = Server::start().on("POST /api/v1/instances", 409, taken);
    ask(&server.url, &PROVISION).assert_failed(4, &["can't provision acme", "is taken", "next: choose another one"]);
    let ran = ask(&server.url, &["provision", "ada@example.com", "admin"]);
    ran.assert_failed(4, &["that name is reserved"]);
    assert_eq!(run(&["provision", "ada@example.com", "a.b"]).code, 2);
    assert_eq!(run(&["provision", "ada", "acme"]).code, 2);
    assert_eq!(server.seen().len(), 1, "what can be known here is not asked there");
}

fn deleting() -> Server {
    let address = format!("/api/v1/instances/{INSTANCE}");
    let mut gone = instance("acme", "deleted");
    gone["removal"] = json!({
        "requested_by": "ada@example.com",
        "finished_at": "2026-11-24T11:00:00Z",
        "removed": [{"kind": "process", "name": "4711"}, {"kind": "hostname", "name": "acme.localhost"}],
    });
    Server::start()
        .on("GET /api/v1/instances/acme", 200, instance("acme", "active"))
        .on(&format!("DELETE {address}"), 202, json!({"workflow_id": WORKFLOW}))
        .on(&watched(), 200, workflow("done", &[step("remove hostname", "do", "done")]))
        .on(&format!("GET {address}"), 200, gone)
}

#[test]
fn nothing_is_deleted_without_its_name_being_said() {
    let server = deleting();
    for args in [&["delete", "acme"][..], &["delete", "acme", "--confirm", "zoo"], &["instances", "remove", "acme"]] {
        let ran = ask(&server.url, args);
        ran.assert_failed(4, &["acme was not deleted", "next: give --confirm acme"]);
    }
    assert_eq!(server.changes(), []);
    ask(&server.url, &["delete", "nobody", "--confirm", "nobody"]).assert_failed(3, &[]);
}

#[test]
fn a_confirmed_deletion_says_what_was_removed() {
    let server = deleting();
    let ran = ask(&server.url, &["delete", "acme", "--confirm", "acme"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.out, "acme is deleted; removed:\nprocess   4711\nhostname  acme.localhost\n");
    assert_eq!(server.changes()[0].body, json!({"confirm": "acme"}));
    let ran = ask(&server.url, &["delete", "acme", "--confirm", "acme", "--json"]);
    assert_eq!(ran.json(), workflow("done", &[step("remove hostname", "do", "done")]));
}

#[test]
fn a_person_is_asked_to_type_the_name() {
    let server = deleting();
    let (ran, screen) = on_a_terminal(&server.url, &["delete", "acme"], "acme\n");
    assert_eq!(ran.code, 0, "{ran:?} {screen}");
    assert!(screen.contains("with all its data.") && screen.contains("Type acme to go on: "), "{screen}");
    assert!(screen.contains("✓ remove hostname"), "{screen}");
    assert_eq!(server.changes().len(), 1);
    let (ran, screen) = on_a_terminal(&server.url, &["delete", "acme"], "yes\n");
    assert_eq!(ran.code, 4);
    assert!(screen.contains("is not its subdomain"), "{screen}");
    assert_eq!(server.changes().len(), 1);
}

#[test]
fn a_deletion_that_waits_says_until_when_and_is_taken_back() {
    let address = format!("/api/v1/instances/{INSTANCE}");
    let server = Server::start()
        .on("GET /api/v1/instances/acme", 200, instance("acme", "active"))
        .on(&format!("DELETE {address}"), 202, json!({"deleted_at": "2026-12-03T10:00:00Z"}))
        .on("DELETE /api/v1/instances/acme/deletion", 200, instance("acme", "active"));
    let ran = ask(&server.url, &["delete", "acme", "--confirm", "acme"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for words in ["acme is closed, and deleted on 2026-12-03", "spinoff delete acme --undo"] {
        assert!(ran.out.contains(words), "{ran:?}");
    }
    let ran = ask(&server.url, &["delete", "acme", "--undo"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "acme is kept\n"), "{ran:?}");
    ask(&server.url, &["delete", "acme", "--now", "--confirm", "acme", "--no-wait"]);
    assert_eq!(server.changes()[2].body, json!({"confirm": "acme", "now": true}));
    assert_eq!(run(&["delete", "acme", "--undo", "--now"]).code, 2);
}

#[test]
fn a_copy_is_confirmed_ordered_once_and_waited_for() {
    let server = Server::start()
        .on("GET /api/v1/instances/zoo", 200, instance("zoo", "active"))
        .on(&format!("POST /api/v1/instances/{INSTANCE}/copies"), 202, accepted())
        .on(&watched(), 200, workflow("done", &[step("put data in", "do", "done")]))
        .on(&format!("GET /api/v1/instances/{INSTANCE}"), 200, instance("acme", "active"));
    ask(&server.url, &["instances", "copy", "zoo", "acme"]).assert_failed(4, &["zoo was not copied", "give --yes"]);
    assert_eq!(server.changes(), []);
    let copy = ["instances", "copy", "zoo", "acme", "--backup", "bak_00000000000000000000000000", "--yes"];
    let ran = ask(&server.url, &[&copy[..], &["--idempotency-key", "k1"]].concat());
    assert_eq!((ran.code, ran.out.as_str()), (0, "acme is ready at http://acme.localhost:8080\n"), "{ran:?}");
    assert!(ran.err.contains("on a bill of its own") && ran.err.contains("✓ put data in"), "{ran:?}");
    let [sent] = &server.changes()[..] else { panic!("{:?}", server.changes()) };
    assert_eq!(sent.body, json!({"subdomain": "acme", "backup": "bak_00000000000000000000000000"}));
    assert_eq!(sent.key.as_deref(), Some("k1"));
}

#[test]
fn a_move_is_confirmed_and_waited_for_and_says_what_comes_next() {
    let moves = format!("/api/v1/instances/{INSTANCE}/moves");
    let server = Server::start()
        .on("GET /api/v1/instances/acme", 200, instance("acme", "active"))
        .on(&format!("POST {moves}"), 202, json!({"workflow_id": WORKFLOW}))
        .on("POST /api/v1/instances/acme/moves/confirmation", 202, json!({"workflow_id": WORKFLOW}))
        .on("DELETE /api/v1/instances/acme/moves", 202, json!({"workflow_id": WORKFLOW}))
        .on(&watched(), 200, workflow("done", &[step("lead there", "do", "done")]));
    let there = ["instances", "move", "acme", "--to", "frankfurt"];
    ask(&server.url, &there).assert_failed(4, &["acme was not moved", "give --yes"]);
    assert_eq!(run(&["instances", "move", "acme", "--to", "No Home", "--yes"]).code, 2);
    assert_eq!(server.changes(), []);
    let ran = ask(&server.url, &[&there[..], &["--yes"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("acme lives in frankfurt") && ran.out.contains("confirm-move acme"), "{ran:?}");
    assert_eq!(server.changes()[0].body, json!({"home": "frankfurt", "confirm": "acme"}));
    ask(&server.url, &["instances", "confirm-move", "acme"]).assert_failed(4, &["give --yes"]);
    let ran = ask(&server.url, &["instances", "confirm-move", "acme", "--yes"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "the place that acme left is removed\n"), "{ran:?}");
    let ran = ask(&server.url, &["instances", "move-back", "acme"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "acme is back where it was\n"), "{ran:?}");
    assert_eq!(server.changes().len(), 3);
}

/// Runs with a terminal as standard input and standard error, types, and returns what was on it.
fn on_a_terminal(url: &str, args: &[&str], typed: &str) -> (Ran, String) {
    let terminal = openpty(None, None).unwrap();
    let slave = || Stdio::from(terminal.slave.try_clone().unwrap());
    let mut command = command(args);
    command.env("SPINOFF_SERVER", url).env("TERM", "xterm").stdin(slave()).stdout(Stdio::piped()).stderr(slave());
    let child = command.spawn().unwrap();
    drop(command);
    drop(terminal.slave);
    let mut master = File::from(terminal.master);
    master.write_all(typed.as_bytes()).unwrap();
    // Reading from a terminal that everybody else has left ends with an error, not with an end.
    let mut screen = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(length @ 1..) = master.read(&mut chunk) {
        screen.extend_from_slice(&chunk[..length]);
    }
    (child.wait_with_output().unwrap().into(), String::from_utf8_lossy(&screen).into_owned())
}
