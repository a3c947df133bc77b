//! Invoices, payments and books from the command line.

use serde_json::{Value, json};

use crate::server::{INSTANCE, Server, WORKFLOW, problem, workflow};
use crate::spinoff::{ask, run};

fn invoice(state: &str, outstanding: i64) -> Value {
    json!({
        "number": "2026-000123",
        "customer_id": "cus_01kat1zgr00000000000000000",
        "instance_id": INSTANCE,
        "period_start": "2026-11-01T00:00:00Z",
        "period_end": "2026-12-01T00:00:00Z",
        "issued_on": "2026-12-01",
        "due_on": "2026-12-15",
        "currency": "usd",
        "total": 700,
        "amount_due": 700,
        "outstanding": outstanding,
        "state": state,
    })
}

#[test]
fn invoices_are_listed_narrowed_and_shown_with_their_lines() {
    let page = json!({"data": [invoice("overdue", 650)], "next_cursor": null});
    let mut whole = invoice("overdue", 650);
    whole["lines"] = json!([
        {"kind": "base_fee", "description": "Base fee", "quantity": 1, "unit": 500, "amount": 500},
        {"kind": "hours", "description": "Usage hours", "quantity": 2, "unit": 100, "amount": 200,
         "hours": ["2026-11-02T00:00:00Z", "2026-11-02T01:00:00Z"]},
    ]);
    whole["document"] = json!({"number": "2026-000123"});
    let server = Server::start().on("GET /api/v1/invoices?instance=acme&state=overdue", 200, page).on(
        "GET /api/v1/invoices/2026-000123",
        200,
        whole.clone(),
    );
    let listed = ask(&server.url, &["invoices", "list", "--instance", "acme", "--state", "overdue"]);
    insta::assert_snapshot!(listed.out, @r"
    INVOICE      STATE    TOTAL  LEFT   ISSUED      DUE         INSTANCE                        CUSTOMER
    2026-000123  overdue  $7.00  $6.50  2026-12-01  2026-12-15  ins_01kat1zgr00000000000000000  cus_01kat1zgr00000000000000000
    ");
    let shown = ask(&server.url, &["invoices", "show", "2026-000123"]);
    insta::assert_snapshot!(shown.out, @r"
    invoice   2026-000123
    state     overdue
    period    2026-11-01 00:00 to 2026-12-01 00:00 UTC
    issued    2026-12-01
    due       2026-12-15
    instance  ins_01kat1zgr00000000000000000
    customer  cus_01kat1zgr00000000000000000

    LINE                     QUANTITY  EACH   AMOUNT
    Base fee                 1         $5.00  $5.00
    Usage hours              2         $1.00  $2.00
    Total with taxes                          $7.00
    To be paid, less credit                   $7.00
    Left to be paid                           $6.50
    ");
    assert_eq!(ask(&server.url, &["invoices", "show", "2026-000123", "--json"]).json(), whole);
    ask(&server.url, &["invoices", "show", "9"]).assert_failed(3, &["can't show invoice 9"]);
    assert_eq!(run(&["invoices", "list", "--state", "happy"]).code, 2);
}

#[test]
fn a_payment_is_sent_to_the_cent() {
    let server = Server::start()
        .on("POST /api/v1/invoices/2026-000123/payments", 200, invoice("open", 145))
        .on("POST /api/v1/invoices/7/payments", 409, problem(409, "It is booked already, and differently", ""))
        .on("POST /api/v1/invoices/2026-000123/charge", 202, json!({"workflow_id": WORKFLOW}))
        .on("POST /api/v1/invoices/2026-000123/write-off", 200, invoice("written_off", 0));
    let pay = |number: &str, amount: &str| {
        let line =
            ["invoices", "pay", number, "--amount", amount, "--reference", "BANK 17", "--received", "2026-12-03"];
        ask(&server.url, &line)
    };
    assert_eq!(pay("2026-000123", "5.55").out, "$5.55 is booked; $1.45 is left of invoice 2026-000123\n");
    let sent = json!({"amount": 555, "reference": "BANK 17", "received_on": "2026-12-03"});
    assert_eq!(server.changes()[0].body, sent);
    pay("7", "5.55").assert_failed(4, &["can't book the payment for invoice 7", "booked already"]);
    for wrong in ["5,55", "-5", "5.555", "much"] {
        assert_eq!(pay("2026-000123", wrong).code, 2, "{wrong}");
    }
    let charged = ask(&server.url, &["invoices", "charge", "2026-000123"]);
    assert!(charged.out.starts_with("invoice 2026-000123 is being charged; follow it with"), "{}", charged.out);
    let given_up = ask(&server.url, &["invoices", "write-off", "2026-000123", "--reason", "Gone."]);
    assert_eq!(given_up.out, "nobody waits for invoice 2026-000123 any more\n");
    assert_eq!(server.changes().len(), 4, "what is no amount was sent");
}

#[test]
fn a_closing_is_followed_to_its_end_and_a_dry_run_is_a_table() {
    let preview = json!({
        "customer_id": "cus_01kat1zgr00000000000000000", "instance_id": INSTANCE,
        "period_start": "2026-11-01T00:00:00Z", "period_end": "2026-12-01T00:00:00Z",
        "hours": 2, "total": 700, "amount_due": 700, "previous_total": 900, "previous_hours": 4,
    });
    let dry_run = json!({"invoices": [preview], "total": 700, "currency": "usd"});
    let server = Server::start()
        .on("POST /api/v1/billing/close", 200, dry_run)
        .on("POST /api/v1/billing/close", 202, json!({"workflow_id": WORKFLOW}))
        .on(&format!("GET /api/v1/workflows/{WORKFLOW}"), 200, workflow("done", &[]));
    let dry = ask(&server.url, &["billing", "close", "--month", "2026-11", "--dry-run"]);
    insta::assert_snapshot!(dry.out, @r"
    INSTANCE                        PERIOD FROM  HOURS  TOTAL  BEFORE  CHANGE  PROBLEM
    ins_01kat1zgr00000000000000000  2026-11-01   2      $7.00  $9.00   -$2.00  -

    1 invoices, $7.00 together. Nothing was issued.
    ");
    let closed = ask(&server.url, &["billing", "close", "--month", "2026-11"]);
    assert_eq!(closed.code, 0, "{closed:?}");
    let sent: Vec<_> = server.changes().into_iter().map(|seen| seen.body).collect();
    assert_eq!(sent, [json!({"month": "2026-11", "dry_run": true}), json!({"month": "2026-11", "dry_run": false})]);
}

#[test]
fn books_that_do_not_add_up_are_a_failure() {
    let found = |problems: Value| json!({"invoices": 2, "transactions": 3, "owed": 700, "currency": "usd", "problems": problems});
    let server = Server::start().on("POST /api/v1/billing/check", 200, found(json!([]))).on(
        "POST /api/v1/billing/check",
        200,
        found(json!(["invoice 1 of 2 is missing"])),
    );
    let well = ask(&server.url, &["billing", "check"]);
    insta::assert_snapshot!(well.out, @r"
    2 invoices computed again, 3 transactions replayed.
    Customers owe $7.00.
    Everything adds up.
    ");
    let wrong = ask(&server.url, &["billing", "check"]);
    wrong.assert_failed(1, &["the books do not add up"]);
    assert!(wrong.out.contains("- invoice 1 of 2 is missing"), "{wrong:?}");
}

#[test]
fn hours_are_waived_with_a_reason() {
    let server = Server::start().on("POST /api/v1/instances/acme/usage/waive", 200, json!({"added": 1}));
    let hours = ["--hour", "2026-11-28T09:00Z", "--hour", "2026-11-28T10:00Z"];
    let waived = ask(&server.url, &[&["usage", "waive", "acme", "--reason", "We had an outage."], &hours[..]].concat());
    assert_eq!(waived.out, "2 hours of acme are waived, 1 of them now\n", "{waived:?}");
    let sent = json!({"hours": ["2026-11-28T09:00:00Z", "2026-11-28T10:00:00Z"], "reason": "We had an outage."});
    assert_eq!(server.changes()[0].body, sent);
    assert_eq!(run(&["usage", "waive", "acme", "--reason", "x"]).code, 2);
}

#[test]
fn money_goes_back_only_when_it_is_meant() {
    let refund = |booked: serde_json::Value| {
        json!({"reference": "TICKET 1", "invoice": "2026-000123", "amount": 500, "tax": 80, "reason": "We had an outage.",
            "author": "operator", "requested_at": "2026-12-03T08:00:00Z", "booked_at": booked})
    };
    let server = Server::start().on("POST /api/v1/invoices/2026-000123/refunds", 200, refund(json!(null))).on(
        "GET /api/v1/invoices/2026-000123/refunds",
        200,
        json!({"data": [refund(json!("2026-12-03T09:30:00Z"))]}),
    );
    let line =
        ["invoices", "refund", "2026-000123", "--amount", "5.00", "--reference", "TICKET 1", "--reason", "Outage."];
    let with = |confirm: &str| ask(&server.url, &[&line[..], &["--confirm", confirm]].concat());
    ask(&server.url, &line).assert_failed(4, &["nothing of invoice 2026-000123 was given back", "--confirm 5.00"]);
    with("4.00").assert_failed(4, &["is not the amount"]);
    assert_eq!(server.changes().len(), 0);
    let told = with("5.00");
    assert!(told.out.starts_with("5.00 of invoice 2026-000123 is on its way back"), "{}", told.out);
    assert_eq!(server.changes()[0].body, json!({"amount": 500, "reference": "TICKET 1", "reason": "Outage."}));
    let listed = ask(&server.url, &["invoices", "refunds", "2026-000123"]).out;
    assert!(listed.contains("given back") && listed.contains("2026-12-03 09:30"), "{listed}");
}

#[test]
fn disputes_say_why_and_until_when_they_are_answered() {
    let open = json!({
        "id": "dp_1", "invoice": "2026-000123", "customer_id": "cus_01kat1zgr00000000000000000", "amount": 700,
        "currency": "usd", "reason": "fraudulent", "reason_in_words": "the holder of the card says it was not them",
        "state": "needs_response", "fee": 1500, "fee_currency": "usd", "opened_at": "2026-12-03T08:00:00Z",
        "evidence_due": "2026-12-23T08:00:00Z", "next_step": "Send evidence.",
        "url": "https://dashboard.stripe.com/disputes/dp_1",
    });
    let server = Server::start().on("GET /api/v1/disputes?state=open", 200, json!({"data": [open]})).on(
        "GET /api/v1/disputes?state=closed",
        200,
        json!({"data": []}),
    );
    insta::assert_snapshot!(ask(&server.url, &["invoices", "disputes"]).out, @r"
    DISPUTE  INVOICE      AMOUNT  STATE           EVIDENCE BY  WHY                                          NEXT
    dp_1     2026-000123  $7.00   needs_response  2026-12-23   the holder of the card says it was not them  Send evidence.
    ");
    let json = ask(&server.url, &["invoices", "disputes", "--json"]).out;
    assert!(json.contains("https://dashboard.stripe.com/disputes/dp_1"), "{json}");
    assert!(!ask(&server.url, &["invoices", "disputes", "--closed"]).out.contains("dp_1"));
}
