//! Answering customers from a terminal.

use serde_json::{Value, json};

use crate::server::{Server, problem};
use crate::spinoff::{ask, run};

const TICKET: &str = "tkt_01kat1zgr00000000000000000";

fn ticket(state: &str) -> Value {
    json!({
        "id": TICKET, "customer_id": null, "requester": "ada@example.com", "instance_id": null, "kind": "problem",
        "subject": "It does not start", "channel": "mail", "state": state, "assignee": null,
        "opened_at": "2026-11-24T10:00:00Z", "changed_at": "2026-11-24T10:00:00Z",
        "waiting_since": "2026-11-24T10:00:00Z", "first_answer_at": null, "ended_at": null, "rating": null
    })
}

#[test]
fn tickets_are_listed_shown_answered_assigned_and_closed() {
    let path = format!("/api/v1/tickets/{TICKET}");
    let mut whole = ticket("open");
    whole["facts"] = json!({"taken_at": "2026-11-24T10:00:00Z", "hostname": "acme.localhost", "instance_state": "active",
        "release": "1", "health": "up", "payment": null, "incidents": []});
    whole["rating_comment"] = Value::Null;
    whole["messages"] = json!([{"voice": "customer", "author": "ada@example.com", "at": "2026-11-24T10:00:00Z",
        "text": "Since\n\u{1b}[2Jthis morning.", "quoted": null, "attachments": [{"number": 1, "name": "a.png", "size": 9}]}]);
    let page = json!({"data": [ticket("open")], "next_cursor": null});
    let mut mine = ticket("open");
    mine["assignee"] = json!("grace@example.com");
    let server = Server::start()
        .on("GET /api/v1/tickets?state=unfinished", 200, page.clone())
        .on("GET /api/v1/tickets?order=waiting", 200, page.clone())
        .on(&format!("GET {path}"), 200, whole.clone())
        .on(&format!("POST {path}/answers"), 200, ticket("solved"))
        .on(&format!("PUT {path}/assignee"), 200, mine)
        .on(&format!("POST {path}/close"), 200, ticket("closed"))
        .on("POST /api/v1/tickets/tkt_gone/answers", 409, problem(409, "the ticket is closed", ""));
    let listed = ask(&server.url, &["tickets", "list"]);
    insta::assert_snapshot!(listed.out, @r"
    TICKET                          STATE  WAITS SINCE           ASSIGNEE  REQUESTER        SUBJECT
    tkt_01kat1zgr00000000000000000  open   2026-11-24 10:00:00Z  -         ada@example.com  It does not start
    ");
    assert_eq!(ask(&server.url, &["tickets", "list", "--waiting-longest", "--json"]).json(), page);
    let shown = ask(&server.url, &["tickets", "show", TICKET]);
    assert!(shown.out.contains("then: health") && shown.out.contains("[1: a.png, 9 bytes]"), "{shown:?}");
    assert!(!shown.out.contains('\u{1b}'), "{shown:?}");
    assert_eq!(ask(&server.url, &["tickets", "show", TICKET, "--json"]).json(), whole);
    let answered = ask(&server.url, &["tickets", "answer", TICKET, "--text", "Try again.", "--solved"]);
    assert_eq!(answered.out, format!("{TICKET} was answered, and is solved\n"));
    let assigned = ask(&server.url, &["tickets", "assign", TICKET, "grace@example.com"]);
    assert_eq!(assigned.out, format!("grace@example.com sees to {TICKET}\n"));
    assert_eq!(ask(&server.url, &["tickets", "close", TICKET]).out, format!("{TICKET} is closed\n"));
    let changes: Vec<Value> = server.changes().into_iter().map(|seen| seen.body).collect();
    assert_eq!(changes[0], json!({"text": "Try again.", "solved": true}));
    assert_eq!(changes[1], json!({"assignee": "grace@example.com"}));
    ask(&server.url, &["tickets", "answer", "tkt_gone", "--text", "x"]).assert_failed(4, &["the ticket is closed"]);
    ask(&server.url, &["tickets", "show", "tkt_none"]).assert_failed(3, &[]);
    assert_eq!(run(&["tickets", "assign", TICKET]).code, 2);
    assert_eq!(run(&["tickets", "open", "ada@example.com", "--kind", "cry", "--subject", "x", "--text", "x"]).code, 2);
}
