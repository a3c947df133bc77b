//! Releases, rollouts and what is agreed about updates, from the command line.

use serde_json::{Value, json};

use crate::server::{INSTANCE, Server, WORKFLOW, problem};
use crate::spinoff::{ask, run};

const ROLLOUT: &str = "rol_01kat1zgr00000000000000000";

fn release(version: &str, stage: &str) -> Value {
    json!({
        "id": "rls_01kat1zgr00000000000000000", "version": version, "stage": stage, "command": "./serve",
        "health_path": "/health", "notes": "Drafts are kept.", "made_by": "api",
        "made_at": "2999-01-01T00:00:00Z", "current_for": [], "instances": 3,
    })
}

fn proven(version: &str, stage: &str) -> Value {
    let mut release = release(version, stage);
    release["proofs"] = json!([{
        "stage": stage, "environment": "staging", "proven_at": "2026-11-28T10:00:00Z", "proven_by": "api",
        "detail": "3 were updated and none failed",
    }]);
    release
}

fn rollout(state: &str, counts: &Value) -> Value {
    json!({
        "id": ROLLOUT, "version": "1.4.0", "stage": "customers", "occasion": "asked", "state": state,
        "why": if state == "halted" { json!("One instance failed and went back to what it ran before") } else { Value::Null },
        "strategy": {"soak_minutes": 0, "notice_hours": 0, "without_backup": false, "tolerated": "0"},
        "tolerated": 0, "planned": 3, "counts": with_zeros(counts), "ran_it_already": 1, "whole": true,
        "expected_seconds": 700, "made_by": "api", "made_at": "2999-01-01T00:00:00Z",
        "log": [{"at": "2026-11-29T10:00:00Z", "by": "api", "what": "Began: 3 instances"}],
    })
}

fn with_zeros(counts: &Value) -> Value {
    let mut all = json!({
        "waiting": 0, "updating": 0, "soaking": 0, "updated": 0, "rolled_back": 0, "stuck": 0, "skipped": 0,
        "excused": 0, "going_back": 0, "went_back": 0,
    });
    for (state, number) in counts.as_object().unwrap() {
        all[state] = number.clone();
    }
    all
}

fn plan(units: usize) -> Value {
    let unit = json!({
        "instance_id": INSTANCE, "subdomain": "acme", "stage": "customers", "runs": "1.3.0", "wave": 1, "rest": "asleep",
    });
    json!({
        "version": "1.4.0", "stage": "customers", "units": vec![unit; units],
        "left_out": [{"instance_id": INSTANCE, "subdomain": "fair", "why": "it is pinned until 24 December 2026: Their fair."}],
        "ran_it_already": 1, "waves": [units], "tolerated": 0, "expected_seconds": 700,
    })
}

fn page(of: &[Value]) -> Value {
    json!({"data": of, "next_cursor": null})
}

#[test]
fn a_release_is_added_shown_and_withdrawn() {
    let server = Server::start()
        .on("POST /api/v1/releases", 201, release("1.4.0", "development"))
        .on("GET /api/v1/releases", 200, page(&[release("1.4.0", "development"), release("1.3.0", "customers")]))
        .on("GET /api/v1/releases/1.4.0", 200, proven("1.4.0", "development"))
        .on("POST /api/v1/releases/1.4.0/withdraw", 200, release("1.4.0", "development"));
    let line = [
        "releases",
        "add",
        "1.4.0",
        "--command",
        "./serve",
        "--notes",
        "Drafts are kept.",
        "--upgrades-from",
        "1.3.0,1.3.1",
    ];
    assert_eq!(ask(&server.url, &line).out, "1.4.0 is there, at the stage development\n");
    let sent = json!({"version": "1.4.0", "command": "./serve", "notes": "Drafts are kept.", "upgrades_from": ["1.3.0", "1.3.1"]});
    assert_eq!(server.changes()[0].body, sent);
    insta::assert_snapshot!(ask(&server.url, &["releases", "list"]).out, @r"
    VERSION  STAGE        CURRENT FOR  INSTANCES  ADDED   NOTES
    1.4.0    development  -            3          0s ago  Drafts are kept.
    1.3.0    customers    -            3          0s ago  Drafts are kept.
    ");
    let shown = ask(&server.url, &["releases", "show", "1.4.0"]).out;
    assert!(
        shown.contains("proven in development of staging at 2026-11-28 10:00:00Z by api: 3 were updated"),
        "{shown}"
    );
    let withdrawn = ask(&server.url, &["releases", "withdraw", "1.4.0", "--because", "It loses drafts."]);
    assert_eq!(withdrawn.out, "1.4.0 is withdrawn; 3 instances still run it\n");
    ask(&server.url, &["releases", "show", "9"]).assert_failed(3, &["can't show the release 9"]);
    assert_eq!(run(&["releases", "add", "1/4", "--command", "x"]).code, 2);
    assert_eq!(run(&["releases", "add", "1.4.0"]).code, 2, "neither an image nor a command");
}

#[test]
fn a_promotion_names_the_stage_that_was_seen_and_says_what_is_in_the_way() {
    let refused = problem(
        409,
        "1.4.0 stays where it is: it has not been proven in development",
        "`spinoff rollouts start 1.4.0` proves it.",
    );
    let server = Server::start()
        .on("GET /api/v1/releases/1.4.0", 200, release("1.4.0", "development"))
        .on("POST /api/v1/releases/1.4.0/promote", 409, refused)
        .on("POST /api/v1/releases/1.4.0/promote", 200, release("1.4.0", "main"));
    ask(&server.url, &["releases", "promote", "1.4.0"])
        .assert_failed(4, &["has not been proven", "rollouts start 1.4.0"]);
    let promoted = ask(&server.url, &["releases", "promote", "1.4.0", "--without-proof", "It mends a hole."]);
    assert_eq!(promoted.out, "1.4.0 is at the stage main; bring instances to it with `spinoff rollouts start 1.4.0`\n");
    let sent = json!({"from": "development", "without_proof_because": "It mends a hole."});
    assert_eq!(server.changes()[1].body, sent);
}

#[test]
fn a_proven_release_is_brought_to_another_installation_with_its_proof() {
    let here = Server::start().on("GET /api/v1/releases/1.4.0", 200, proven("1.4.0", "development"));
    let there = Server::start()
        .on("POST /api/v1/releases", 201, release("1.4.0", "development"))
        .on("POST /api/v1/releases/1.4.0/proofs", 200, release("1.4.0", "development"))
        .on("GET /api/v1/releases/1.4.0", 200, release("1.4.0", "development"))
        .on("POST /api/v1/releases/1.4.0/promote", 200, release("1.4.0", "main"));
    let line = ["releases", "promote", "1.4.0", "--to", &there.url, "--to-token", "theirs", "--token", "ours"];
    let brought = ask(&here.url, &line);
    assert_eq!(brought.out, format!("1.4.0 is at the stage main at {}\n", there.url), "{brought:?}");
    assert!(here.changes().is_empty(), "nothing changes here");
    let lines: Vec<String> = there.changes().into_iter().map(|seen| seen.line).collect();
    assert_eq!(
        lines,
        ["POST /api/v1/releases", "POST /api/v1/releases/1.4.0/proofs", "POST /api/v1/releases/1.4.0/promote"]
    );
    assert!(
        there.seen().iter().all(|seen| seen.token.as_deref() == Some("Bearer theirs")),
        "our token is nobody else's"
    );
    assert_eq!(there.changes()[1].body["environment"], "staging");

    let unproven = Server::start().on("GET /api/v1/releases/1.4.0", 200, release("1.4.0", "development"));
    ask(&unproven.url, &["releases", "promote", "1.4.0", "--to", &there.url, "--to-token", "theirs"])
        .assert_failed(4, &["nothing here proves that it works"]);
    assert_eq!(run(&["releases", "promote", "1.4.0", "--to", "http://x"]).code, 2, "without a token");
}

#[test]
fn a_plan_is_shown_and_without_a_yes_nothing_begins() {
    let server = Server::start().on("POST /api/v1/rollouts", 200, plan(2));
    let line = [
        "rollouts",
        "start",
        "1.4.0",
        "--waves",
        "1,10",
        "--at-once",
        "5",
        "--soak",
        "2h",
        "--tolerate",
        "2%",
        "--notice",
        "1d",
        "--dry-run",
    ];
    let dry = ask(&server.url, &line);
    insta::assert_snapshot!(dry.out, @r"
    release  1.4.0, to the stage customers and those before it
    updates  2 instances
    run it   1 already
    halts    at the first failure
    takes    about 12 min

    INSTANCE  STAGE      WAVE  RUNS   WHY THERE  NOT BEFORE
    acme      customers  1     1.3.0  asleep     -
    acme      customers  1     1.3.0  asleep     -

    LEFT OUT  WHY
    fair      it is pinned until 24 December 2026: Their fair.
    ");
    let strategy = json!({"waves": [1, 10], "at_once": 5, "soak_minutes": 120, "tolerated": "2%", "notice_hours": 24, "without_backup": false});
    assert_eq!(server.changes()[0].body, json!({"version": "1.4.0", "strategy": strategy, "dry_run": true}));
    let asked = ask(&server.url, &["rollouts", "start", "1.4.0"]);
    asked.assert_failed(4, &["1.4.0 was not rolled out", "no terminal", "--yes", "2 instances"]);
    assert_eq!(server.changes().len(), 2, "only plans were asked for");
    for wrong in [["--soak", "30"], ["--waves", "a"], ["--at-once", "0"], ["--notice", "30m"]] {
        assert_eq!(run(&[["rollouts", "start", "1.4.0"].as_slice(), &wrong].concat()).code, 2, "{wrong:?}");
    }
}

#[test]
fn a_rollout_is_followed_to_its_end_or_its_halt() {
    let shown = format!("GET /api/v1/rollouts/{ROLLOUT}");
    let begin = || {
        Server::start()
            .on("POST /api/v1/rollouts", 200, plan(3))
            .on("POST /api/v1/rollouts", 202, rollout("running", &json!({"waiting": 3})))
            .on(&shown, 200, rollout("running", &json!({"waiting": 3})))
    };
    let server = begin().on(&shown, 200, rollout("running", &json!({"updating": 1, "updated": 2}))).on(
        &shown,
        200,
        rollout("done", &json!({"updated": 3})),
    );
    let done = ask(&server.url, &["rollouts", "start", "1.4.0", "--yes", "--wait"]);
    assert_eq!((done.code, done.out.as_str()), (0, "done: 3 of 3 run 1.4.0\n"), "{done:?}");
    assert!(done.err.contains("Began: 3 instances"), "what happens is told: {done:?}");
    let server = begin().on(&shown, 200, rollout("halted", &json!({"updated": 1, "rolled_back": 1, "waiting": 1})));
    let halted = ask(&server.url, &["rollouts", "start", "1.4.0", "--yes", "--wait"]);
    halted.assert_failed(1, &["of 1.4.0 is halted", "One instance failed", "resume", "roll-back"]);
    let server = begin();
    let late = ask(&server.url, &["rollouts", "start", "1.4.0", "--yes", "--wait", "--timeout", "0"]);
    late.assert_failed(5, &["is not over", "rollouts watch"]);
    let begun = ask(&begin().url, &["rollouts", "start", "1.4.0", "--yes"]);
    assert_eq!(begun.out, format!("{ROLLOUT} brings 3 instances to 1.4.0; follow it with `spinoff rollouts watch`\n"));
}

#[test]
fn commands_go_to_the_rollout_that_is_open() {
    let state = |state: &str| rollout(state, &json!({"updated": 1, "waiting": 2}));
    let path = |verb: &str| format!("POST /api/v1/rollouts/{ROLLOUT}/{verb}");
    let server = Server::start()
        .on("GET /api/v1/rollouts?state=open&limit=1", 200, page(&[state("running")]))
        .on(&format!("GET /api/v1/rollouts/{ROLLOUT}"), 200, state("running"))
        .on(&path("pause"), 200, state("paused"))
        .on(&path("resume"), 200, state("running"))
        .on(&path("cancel"), 200, state("cancelling"))
        .on(&path("roll-back"), 200, state("rolling_back"))
        .on(&path("units/acme/skip"), 200, state("running"))
        .on(&path("units/zoo/skip"), 409, problem(409, "an instance that is updating can't be left out", ""));
    for (line, said) in [
        (["rollouts", "pause"].as_slice(), "is paused"),
        (&["rollouts", "resume"], "goes on"),
        (&["rollouts", "skip", "acme"], "acme is left out"),
        (&["rollouts", "cancel"], "ends; 1 run 1.4.0"),
        (&["rollouts", "roll-back", "--yes"], "is being rolled back"),
    ] {
        let ran = ask(&server.url, line);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.contains(said), "{ran:?}");
    }
    ask(&server.url, &["rollouts", "roll-back"]).assert_failed(4, &["was not rolled back", "--yes"]);
    ask(&server.url, &["rollouts", "skip", "zoo"]).assert_failed(4, &["can't leave zoo out"]);
    let none = Server::start().on("GET /api/v1/rollouts?state=open&limit=1", 200, page(&[])).on(
        "GET /api/v1/rollouts?limit=1",
        200,
        page(&[]),
    );
    ask(&none.url, &["rollouts", "pause"]).assert_failed(3, &["there was none yet"]);
}

#[test]
fn a_rollout_is_shown_with_who_failed_and_why() {
    let mut whole = rollout("halted", &json!({"updated": 1, "rolled_back": 1, "waiting": 1}));
    whole["waves"] = json!([
        {"wave": 1, "planned": 1, "counts": with_zeros(&json!({"updated": 1}))},
        {"wave": 2, "planned": 2, "counts": with_zeros(&json!({"rolled_back": 1, "waiting": 1}))},
    ]);
    let failed = json!({
        "instance_id": INSTANCE, "subdomain": "zoo", "stage": "customers", "wave": 2, "state": "rolled_back",
        "why": "it did not come up", "from": "1.3.0", "workflow_id": WORKFLOW,
    });
    let units = |state: &str| format!("GET /api/v1/rollouts/{ROLLOUT}/units?state={state}");
    let server = Server::start()
        .on(&format!("GET /api/v1/rollouts/{ROLLOUT}"), 200, whole.clone())
        .on(&units("stuck"), 200, page(&[]))
        .on(&units("rolled_back"), 200, page(&[failed]));
    let shown = ask(&server.url, &["rollouts", "show", ROLLOUT]);
    insta::assert_snapshot!(shown.out, @r"
    rollout    rol_01kat1zgr00000000000000000
    release    1.4.0, to the stage customers and those before it
    state      halted
    why        One instance failed and went back to what it ran before
    instances  1 updated, 1 waiting, 1 failed and back
    halts      at the first failure
    expected   about 12 min
    begun      2999-01-01 00:00:00Z (0s ago) by api

    WAVE  PLANNED  INSTANCES
    1     1        1 updated
    2     2        1 waiting, 1 failed and back

    INSTANCE  STAGE      WAVE  STATE        FROM   WORKFLOW                        WHY
    zoo       customers  2     rolled back  1.3.0  wfl_01kat1zgr00000000000000000  it did not come up

    2026-11-29 10:00:00Z  api: Began: 3 instances
    ");
    let json = ask(&server.url, &["rollouts", "show", ROLLOUT, "--json"]).json();
    assert_eq!((&json["state"], &json["waves"][1]["planned"]), (&json!("halted"), &json!(2)));
    let listed = ask(&server.url, &["rollouts", "show", ROLLOUT, "--units", "--state", "rolled_back"]);
    assert!(listed.out.contains("it did not come up"), "{listed:?}");
    assert_eq!(run(&["rollouts", "show", "--units", "--state", "lost"]).code, 2);
}

#[test]
fn deploying_is_a_rollout_of_one_or_all_to_what_is_to_be_run() {
    let agreed = json!({"instance_id": INSTANCE, "stage": "customers"});
    let mut withdrawn = release("1.5.0", "customers");
    withdrawn["withdrawn"] = json!({"at": "2026-11-29T10:00:00Z", "because": "It loses drafts."});
    let known = [withdrawn, release("1.4.1", "customers"), release("1.4.0", "customers")];
    let mut back = rollout("rolled_back", &json!({"went_back": 3}));
    back["version"] = json!("1.4.1");
    let begin = |units| {
        Server::start()
            .on("GET /api/v1/instances/acme/updates", 200, agreed.clone())
            .on("GET /api/v1/rollouts", 200, page(&[back.clone()]))
            .on("GET /api/v1/releases", 200, page(&known))
            .on("POST /api/v1/rollouts", 200, plan(units))
            .on("POST /api/v1/rollouts", 202, rollout("running", &json!({"waiting": 1})))
    };
    let shown = format!("GET /api/v1/rollouts/{ROLLOUT}");
    let server = begin(1).on(&shown, 200, rollout("done", &json!({"updated": 1})));
    let deployed = ask(&server.url, &["deploy", "acme"]);
    assert_eq!((deployed.code, deployed.out.as_str()), (0, "done: 1 of 3 run 1.4.0\n"), "{deployed:?}");
    let sent = &server.changes()[1].body;
    assert_eq!(
        (&sent["version"], &sent["only"]),
        (&json!("1.4.0"), &json!(["acme"])),
        "neither withdrawn nor taken back"
    );
    let server = begin(2).on(&shown, 200, rollout("halted", &json!({"rolled_back": 1})));
    ask(&server.url, &["deploy", "--all", "--release", "1.4.0"]).assert_failed(1, &["is halted"]);
    assert_eq!(server.changes()[1].body["only"], Value::Null);
    let server = begin(0);
    ask(&server.url, &["deploy", "acme"]).assert_failed(4, &["can't deploy to acme", "it is pinned"]);
    let all = ask(&begin(0).url, &["deploy", "--all"]);
    assert_eq!(all.code, 0, "all that can be reached run it: {all:?}");
    for wrong in [&["deploy"][..], &["deploy", "acme", "--all"]] {
        assert_eq!(run(wrong).code, 2, "{wrong:?}");
    }
}

#[test]
fn what_is_agreed_about_updates_is_changed_and_shown() {
    let agreed = json!({
        "instance_id": INSTANCE, "stage": "customers", "window": {"days": ["sat", "sun"], "from_hour": 2, "hours": 4},
        "pin": {"until": "2026-12-25T00:00:00Z", "because": "Their fair."},
        "release": {"version": "1.3.0", "since": "2026-11-01T10:00:00Z"},
        "waiting": {"rollout_id": ROLLOUT, "version": "1.4.0", "state": "waiting", "opens_at": "2026-12-05T02:00:00Z"},
        "recent": [{"rollout_id": ROLLOUT, "version": "1.3.0", "state": "updated", "at": "2999-01-01T00:00:00Z"}],
    });
    let server = Server::start().on("GET /api/v1/instances/acme/updates", 200, agreed.clone()).on(
        "PUT /api/v1/instances/acme/updates",
        200,
        agreed,
    );
    insta::assert_snapshot!(ask(&server.url, &["instances", "updates", "acme"]).out, @r"
    runs          1.3.0 since 2026-11-01 10:00:00Z
    stage         customers
    update        1.4.0 is waiting in rol_01kat1zgr00000000000000000, not before 2026-12-05 02:00:00Z
    window        sat, sun from 02:00 UTC for 4 hours
    pinned until  2026-12-25 00:00:00Z: Their fair.

    UPDATE TO  HOW IT WENT  WHEN    WHY
    1.3.0      updated      0s ago  -
    ");
    for line in [
        ["instances", "pin", "acme", "--until", "2026-12-24", "--because", "Their fair."].as_slice(),
        &["instances", "unpin", "acme"],
        &["instances", "window", "acme", "--days", "sat,sun", "--from", "2", "--hours", "4"],
        &["instances", "window", "acme", "--none"],
        &["instances", "stage", "acme", "main"],
        &["instances", "defer", "acme", "--none"],
    ] {
        let ran = ask(&server.url, line);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let sent: Vec<Value> = server.changes().into_iter().map(|seen| seen.body).collect();
    assert_eq!(
        sent,
        [
            json!({"pin": {"until": "2026-12-25T00:00:00Z", "because": "Their fair."}}),
            json!({"pin": null}),
            json!({"window": {"days": ["sat", "sun"], "from_hour": 2, "hours": 4}}),
            json!({"window": null}),
            json!({"stage": "main"}),
            json!({"deferred_until": null}),
        ]
    );
    for wrong in [
        ["instances", "stage", "acme", "production"].as_slice(),
        &["instances", "window", "acme", "--days", "funday", "--from", "2", "--hours", "4"],
        &["instances", "window", "acme"],
        &["instances", "defer", "acme", "--days", "8"],
        &["instances", "pin", "acme", "--until", "soon", "--because", "x"],
    ] {
        assert_eq!(run(wrong).code, 2, "{wrong:?}");
    }
    let short = ask(&server.url, &["instances", "window", "acme", "--days", "sat", "--from", "2", "--hours", "1"]);
    short.assert_failed(2, &["2 to 24"]);
}
