//! How instances are, what waits for an operator, and what everybody is told.

use serde_json::{Value, json};

use crate::server::{Server, problem};
use crate::spinoff::ask;

const ALERT: &str = "alt_01kat1zgr00000000000000000";
const INCIDENT: &str = "inc_01kat1zgr00000000000000000";

fn alert(state: &str) -> Value {
    json!({
        "id": ALERT, "kind": "instance-down", "severity": "critical", "state": state,
        "silenced_until": if state == "silenced" { json!("2026-11-24T12:00:00Z") } else { Value::Null },
        "what": "acme.example.com does not answer", "why": "It is not reachable.", "url": "http://x/admin/instances/1",
        "first_seen_at": "2026-11-24T10:00:00Z", "last_seen_at": "2999-01-01T00:00:00Z", "seen": 3,
        "handled_by": null, "note": null,
    })
}

fn incident(state: &str) -> Value {
    json!({
        "id": INCIDENT, "title": "Some workspaces do not answer", "impact": "major", "components": ["instances"],
        "state": state, "opened_at": "2026-11-24T10:00:00Z", "resolved_at": null,
        "updates": [{"state": "investigating", "text": "We look into it.", "at": "2026-11-24T10:00:00Z", "author": "api"}],
    })
}

#[test]
fn an_instance_is_shown_with_who_saw_what_and_how_much_of_the_time_it_answered() {
    let health = json!({
        "verdict": "unreachable", "since": "2026-11-24T10:00:00Z", "decided_by": "prober",
        "observed_at": "2999-01-01T00:00:00Z", "target_percent": 99.5,
        "views": [{"source": "prober", "seen": "nothing", "at": "2999-01-01T00:00:00Z", "detail": "its hostname answers 502"}],
        "uptime": [{"period": "this_month", "percent": 99.98, "up_seconds": 500_000, "down_seconds": 120,
            "asleep_seconds": 0, "paused_seconds": 0, "unknown_seconds": 60}],
    });
    let server = Server::start().on("GET /api/v1/instances/acme/health", 200, health.clone());
    let shown = ask(&server.url, &["instances", "health", "acme"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    for words in ["unreachable since 2026-11-24 10:00:00Z", "as its prober saw", "502", "99.98 %", "2 min", "99.5 %"] {
        assert!(shown.out.contains(words), "{words}: {}", shown.out);
    }
    assert_eq!(ask(&server.url, &["instances", "health", "acme", "--json"]).json(), health);
    ask(&server.url, &["instances", "health", "nobody"]).assert_failed(3, &["can't see how nobody is"]);
}

#[test]
fn alerts_are_listed_taken_up_silenced_and_resolved() {
    let server = Server::start()
        .on("GET /api/v1/alerts", 200, json!({"data": [alert("open")], "next_cursor": null}))
        .on(&format!("POST /api/v1/alerts/{ALERT}/acknowledge"), 200, alert("acknowledged"))
        .on(&format!("POST /api/v1/alerts/{ALERT}/silence"), 200, alert("silenced"))
        .on(&format!("POST /api/v1/alerts/{ALERT}/resolve"), 409, problem(409, "the alert is resolved", "Nothing."));
    let listed = ask(&server.url, &["alerts", "list"]);
    assert!(listed.out.contains("instance-down") && listed.out.contains("0s ago"), "{listed:?}");
    assert_eq!(ask(&server.url, &["alerts", "list", "--state", "loud"]).code, 2);
    let taken = ask(&server.url, &["alerts", "acknowledge", ALERT]);
    assert_eq!(taken.out, "Somebody looks after it: acme.example.com does not answer\n");
    let silenced = ask(&server.url, &["alerts", "silence", ALERT, "--minutes", "90", "--reason", "Known."]);
    assert!(silenced.out.starts_with("Silent until 2026-11-24 12:00:00Z"), "{silenced:?}");
    assert_eq!(server.changes()[1].body, json!({"minutes": 90, "reason": "Known."}));
    assert_eq!(ask(&server.url, &["alerts", "silence", ALERT]).code, 2, "a silence needs a reason");
    ask(&server.url, &["alerts", "resolve", ALERT]).assert_failed(4, &["can't resolve", "the alert is resolved"]);
}

#[test]
fn incidents_are_opened_updated_and_resolved() {
    let server = Server::start()
        .on("POST /api/v1/incidents", 200, incident("investigating"))
        .on("GET /api/v1/incidents?state=open", 200, json!({"data": [incident("identified")], "next_cursor": null}))
        .on(&format!("GET /api/v1/incidents/{INCIDENT}"), 200, incident("identified"))
        .on(&format!("POST /api/v1/incidents/{INCIDENT}/updates"), 200, incident("resolved"));
    let line = [
        "incidents",
        "open",
        "--title",
        "Slow",
        "--impact",
        "major",
        "--component",
        "instances",
        "--component",
        "mail",
        "--text",
        "We look into it.",
    ];
    let opened = ask(&server.url, &line);
    assert_eq!(opened.out, format!("The status page shows it: {INCIDENT}\n"));
    let expected =
        json!({"title": "Slow", "impact": "major", "components": ["instances", "mail"], "text": "We look into it."});
    assert_eq!(server.changes()[0].body, expected);
    let wrong = ask(
        &server.url,
        &["incidents", "open", "--title", "x", "--impact", "huge", "--component", "mail", "--text", "y"],
    );
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("minor, major, critical"), "{wrong:?}");
    assert!(ask(&server.url, &["incidents", "list", "--state", "open"]).out.contains("identified"));
    assert!(ask(&server.url, &["incidents", "show", INCIDENT]).out.contains("We look into it."));
    let resolved = ask(&server.url, &["incidents", "resolve", INCIDENT, "--text", "It is over."]);
    assert!(resolved.out.contains("is resolved"), "{resolved:?}");
    assert_eq!(server.changes()[1].body, json!({"state": "resolved", "text": "It is over."}));
    ask(&server.url, &["incidents", "show", "inc_none"]).assert_failed(3, &["can't show"]);
}
