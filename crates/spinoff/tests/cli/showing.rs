//! Looking at things, and changing small ones.

use std::process::Stdio;

use serde_json::json;

use crate::server::{INSTANCE, Server, WORKFLOW, instance, problem, step, workflow};
use crate::spinoff::{ask, command, run};

#[test]
fn a_list_is_read_to_its_end_and_shown_in_columns() {
    let server = Server::start()
        .on("GET /api/v1/instances", 200, json!({"data": [instance("acme", "active")], "next_cursor": "b c"}))
        .on("GET /api/v1/instances?cursor=b+c", 200, json!({"data": [instance("zoo", "failed")], "next_cursor": null}));
    let people = ask(&server.url, &["instances", "list"]);
    insta::assert_snapshot!(people.out, @r"
    PROJECT      STATE   HEALTH  OBSERVED  URL                         CUSTOMER
    ai-diy-acme  active  ok      0s ago    http://acme.localhost:8080  ada@example.com
    ai-diy-zoo   failed  -       -         http://zoo.localhost:8080   ada@example.com
    ");
    let both = [instance("acme", "active"), instance("zoo", "failed")];
    let programs = ask(&server.url, &["instances", "list", "--json"]);
    assert_eq!(programs.json(), json!({"data": both, "next_cursor": null}));
    assert_eq!((people.code, programs.code), (0, 0));
}

#[test]
fn a_list_can_be_narrowed_to_a_state() {
    let server =
        Server::start().on("GET /api/v1/instances?state=failed", 200, json!({"data": [], "next_cursor": null}));
    let ran = ask(&server.url, &["instances", "list", "--state", "failed"]);
    assert_eq!(ran.out, "PROJECT  STATE  HEALTH  OBSERVED  URL  CUSTOMER\n", "{ran:?}");
    let ran = ask(&server.url, &["instances", "list", "--state", "running"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("provisioning, active"), "{ran:?}");
}

#[test]
fn one_instance_is_shown_with_the_age_of_what_was_seen() {
    let server = Server::start().on("GET /api/v1/instances/acme", 200, instance("acme", "active"));
    let ran = ask(&server.url, &["instances", "show", "acme"]);
    insta::assert_snapshot!(ran.out, @r"
    id        ins_01kat1zgr00000000000000000
    project   ai-diy-acme
    url       http://acme.localhost:8080
    customer  ada@example.com
    state     active
    health    ok
    observed  2999-01-01 00:00:00Z (0s ago) by local
    release   -
    created   2026-11-24 10:00:00Z
    workflow  wfl_01kat1zgr00000000000000000
    ");
    assert_eq!(ask(&server.url, &["instances", "show", "acme", "--json"]).json(), instance("acme", "active"));
}

#[test]
fn scripts_can_tell_failures_apart() {
    let server = Server::start()
        .on("GET /api/v1/instances/locked", 401, problem(401, "no token", ""))
        .on("GET /api/v1/instances/broken", 500, json!("<html>oops</html>"))
        .on("GET /api/v1/instances/slow", 504, json!("<html>slow</html>"))
        .on("GET /api/v1/instances/strange", 200, json!({"hello": "world"}));
    let show = |name| ask(&server.url, &["instances", "show", name]);
    show("nobody").assert_failed(3, &["can't show the instance nobody", "why:  not found"]);
    show("..").assert_failed(3, &[]);
    show("locked").assert_failed(4, &["no token: because"]);
    show("broken").assert_failed(1, &["500 Internal Server Error", "next: look into the server's log"]);
    show("slow").assert_failed(5, &[]);
    show("strange").assert_failed(1, &["not understood"]);
    ask("http://127.0.0.1:1", &["instances", "list"]).assert_failed(1, &["refused", "next: check that the server"]);
    ask("localhost:8080", &["instances", "list"]).assert_failed(2, &["http://localhost:8080"]);
    assert_eq!(run(&["instances", "fly"]).code, 2);
    assert_eq!(run(&["members", "add", "acme", "nobody"]).code, 2);
}

#[test]
fn a_token_from_the_environment_is_sent_and_never_shown() {
    let server = Server::start().on("GET /api/v1/instances/acme", 200, instance("acme", "active"));
    let show = |args: &[&str]| {
        let mut command = command(args);
        command.env("SPINOFF_SERVER", &server.url).env("SPINOFF_TOKEN", "s3cret").output().unwrap()
    };
    assert!(show(&["instances", "show", "acme"]).status.success());
    assert_eq!(server.seen()[0].token.as_deref(), Some("Bearer s3cret"));
    let help = show(&["instances", "show", "--help"]);
    assert!(!String::from_utf8(help.stdout).unwrap().contains("s3cret"));
}

#[test]
fn members_come_and_go() {
    let ada = json!({"email": "ada@example.com", "role": "owner", "added_at": "2026-11-24T10:00:00Z"});
    let bob = json!({"email": "bob@example.com", "role": "member", "added_at": "2026-11-24T10:00:00Z"});
    let server = Server::start()
        .on("GET /api/v1/instances/acme/members", 200, json!({"data": [ada, bob], "next_cursor": null}))
        .on("POST /api/v1/instances/acme/members", 201, bob.clone())
        .on("DELETE /api/v1/instances/acme/members/bob@example.com", 204, json!(null));
    insta::assert_snapshot!(ask(&server.url, &["members", "list", "acme"]).out, @r"
    MEMBER           ROLE    SINCE
    ada@example.com  owner   2026-11-24 10:00:00Z
    bob@example.com  member  2026-11-24 10:00:00Z
    ");
    let added = ask(&server.url, &["members", "add", "acme", "Bob@Example.com"]);
    assert_eq!((added.code, added.out.as_str()), (0, "bob@example.com may enter acme\n"));
    assert_eq!(ask(&server.url, &["members", "add", "acme", "bob@example.com", "--json"]).json(), bob);
    let removed = ask(&server.url, &["members", "remove", "acme", "bob@example.com", "--quiet"]);
    assert_eq!((removed.code, removed.out.as_str()), (0, ""));
    let changes = server.changes();
    assert_eq!(changes[0].body, json!({"email": "bob@example.com"}));
    assert_eq!(changes[2].line, "DELETE /api/v1/instances/acme/members/bob@example.com");
    ask(&server.url, &["members", "remove", "acme", "eve@example.com"]).assert_failed(3, &["eve@example.com"]);
}

#[test]
fn each_used_hour_opens_to_its_evidence() {
    let usage = json!({
        "instance_id": INSTANCE,
        "month": "2026-11",
        "hours": [{
            "hour_start": "2026-11-24T10:00:00Z",
            "evidence": [
                {"hour": 498_802, "signal": "member", "first": "2026-11-24T10:05:00Z", "last": "2026-11-24T10:40:00Z",
                 "count": 7},
                {"hour": 498_802, "signal": "api_call", "first": "2026-11-24T10:06:00Z",
                 "last": "2026-11-24T10:06:00Z", "count": 1},
            ],
        }],
        "bill": {
            "month": "2026-11",
            "lines": [
                {"what": "Base fee", "quantity": 1, "unit": 500, "amount": 500},
                {"what": "Usage hours", "quantity": 1, "unit": 100, "amount": 100},
            ],
            "total": 600,
        },
        "currency": "eur",
    });
    let server = Server::start().on("GET /api/v1/instances/acme/usage?month=2026-11", 200, usage.clone());
    let args = ["usage", "show", "acme", "--month", "2026-11"];
    insta::assert_snapshot!(ask(&server.url, &args).out, @r"
    HOUR (UTC)        EVIDENCE
    2026-11-24 10:00  a member was active, 7 times, 10:05 to 10:40; a program called the application, once, 10:06 to 10:06

    2026-11      QUANTITY  EACH   AMOUNT
    Base fee     1         €5.00  €5.00
    Usage hours  1         €1.00  €1.00
    Total                         €6.00
    ");
    assert_eq!(ask(&server.url, &[&args[..], &["--json"]].concat()).json(), usage);
    assert_eq!(ask(&server.url, &["usage", "show", "acme", "--month", "2026-13"]).code, 2);
}

#[test]
fn a_workflow_is_shown_with_its_steps_and_taken_up_again() {
    let steps =
        [step("create project", "do", "done"), step("deploy", "do", "failed"), step("create project", "undo", "done")];
    let address = format!("/api/v1/workflows/{WORKFLOW}");
    let taken_up = json!({"workflow_id": WORKFLOW});
    let server = Server::start()
        .on(&format!("GET {address}"), 200, workflow("failed", &steps))
        .on(&format!("POST {address}/retry"), 202, taken_up.clone())
        .on(&format!("POST {address}/abandon"), 409, problem(409, "It is over", "nothing needs to be done"));
    insta::assert_snapshot!(ask(&server.url, &["workflows", "show", WORKFLOW]).out, @r"
    workflow  wfl_01kat1zgr00000000000000000
    kind      provision
    subject   ai-diy-acme
    state     failed
    attempt   1
    error     no room
    begun     2026-11-24 10:00:00Z
    finished  -
    due       -

    STEP                  STATE   ATTEMPTS  TOOK   ERROR
    create project        done    1         250ms  -
    deploy                failed  1         250ms  no room
    undo: create project  done    1         250ms  -
    ");
    assert_eq!(ask(&server.url, &["workflows", "retry", WORKFLOW, "--json"]).json(), taken_up);
    let over = ask(&server.url, &["workflows", "abandon", WORKFLOW]);
    over.assert_failed(4, &["It is over", "next: nothing needs to be done"]);
}

#[test]
fn changes_and_customers_are_listed() {
    let event = json!({
        "id": "aud_01kat1zgr00000000000000000",
        "at": "2026-11-24T10:00:00Z",
        "actor": "ada@example.com",
        "action": "instance.delete",
        "subject": "ai-diy-acme",
        "detail": "typed\u{1b}[2J the name",
    });
    let customer = json!({
        "id": "cus_01kat1zgr00000000000000000",
        "email": "ada@example.com",
        "name": "Ada",
        "company": null,
        "created_at": "2026-11-24T10:00:00Z",
    });
    let server = Server::start()
        .on("GET /api/v1/audit-events?limit=3", 200, json!({"data": [event], "next_cursor": "more"}))
        .on("GET /api/v1/customers", 200, json!({"data": [customer], "next_cursor": null}));
    insta::assert_snapshot!(ask(&server.url, &["audit", "list", "--limit", "3"]).out, @r"
    WHEN                  WHO              WHAT             TO WHAT      DETAIL
    2026-11-24 10:00:00Z  ada@example.com  instance.delete  ai-diy-acme  typed�[2J the name
    ");
    insta::assert_snapshot!(ask(&server.url, &["customers", "list"]).out, @r"
    CUSTOMER         NAME  COMPANY  SINCE                 ID
    ada@example.com  Ada   -        2026-11-24 10:00:00Z  cus_01kat1zgr00000000000000000
    ");
}

#[test]
fn logs_come_as_they_were_written_but_for_terminal_commands() {
    let server =
        Server::start().on("GET /api/v1/instances/acme/logs?lines=2", 200, json!("one\ntwo\u{1b}]0;title\u{7}\n"));
    let ran = ask(&server.url, &["instances", "logs", "acme", "--lines", "2"]);
    assert_eq!(ran.out, "one\ntwo\u{fffd}]0;title\u{fffd}\n");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let server = Server::start().on(
        "GET /api/v1/instances",
        200,
        json!({"data": [instance("acme", "active")], "next_cursor": null}),
    );
    let mut child = command(&["instances", "list"])
        .env("SPINOFF_SERVER", &server.url)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn completions_are_there_for_every_shell() {
    for (shell, sign) in
        [("bash", "complete -F _spinoff"), ("zsh", "#compdef spinoff"), ("fish", "complete -c spinoff")]
    {
        let ran = run(&["completions", shell]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.contains(sign) && ran.out.contains("provision"), "{shell}");
    }
    assert_eq!(run(&["completions", "cmd"]).code, 2);
}
