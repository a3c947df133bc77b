//! What the business is run by, and what was spent, from the command line.

use serde_json::{Value, json};

use crate::server::{Server, problem};
use crate::spinoff::{ask, run};

fn analytics() -> Value {
    json!({
        "month": "2026-11",
        "currency": "usd",
        "is_complete": true,
        "computed_at": "2026-12-03T10:00:00Z",
        "figures": [
            {"name": "recurring_revenue", "label": "Recurring revenue (MRR)", "definition": "What is charged.",
             "unit": "cents", "value": 1700, "shown": "$17.00"},
            {"name": "customer_churn", "label": "Customers lost (churn)", "definition": "Who left.", "unit": "permille",
             "value": 334, "shown": "33.4 %", "target": "under 5 %", "is_met": false},
            {"name": "acquisition_cost", "label": "Cost of winning a customer (CAC)", "definition": "What was spent.",
             "shown": "unknown", "target": "under $50.00", "unknown_because": "What was spent is not entered."},
        ],
        "months": [{
            "month": "2026-11", "is_complete": true, "recurring": 1700, "new": 500, "returned": 0, "grown": 0,
            "shrunk": 100, "lost": 0, "revenue": 1580, "customers": 3, "customers_new": 1, "customers_returned": 0,
            "customers_lost": 0, "signups": 1, "visits": 12, "spend": 5000,
        }],
        "funnel": [
            {"name": "visits", "label": "Visited", "definition": "Visits.", "count": 12},
            {"name": "form", "label": "Opened the order", "definition": "Forms.", "count": 3, "of_previous_permille": 250},
        ],
        "cohorts": [{"month": "2026-11", "customers": 1, "later": [{"month": "2026-11", "paying": 1, "recurring": 500}]}],
        "reasons": [{"reason": "too_hard", "label": "It was too hard to use", "count": 2}, {"label": "Did not say", "count": 1}],
        "comments": [],
    })
}

#[test]
fn numbers_stand_beside_their_targets_and_what_is_unknown_says_why() {
    let server = Server::start()
        .on("GET /api/v1/analytics?month=2026-11", 200, analytics())
        .on("GET /api/v1/analytics/csv?month=2026-11", 200, json!("month,recurring"))
        .on("GET /api/v1/analytics?month=2030-01", 422, problem(422, "2030-01 is still to come", "Ask for another."));
    let shown = ask(&server.url, &["analytics", "--month", "2026-11"]);
    insta::assert_snapshot!(shown.out, @r"
    2026-11

    NUMBER                            VALUE    TARGET        MET
    Recurring revenue (MRR)           $17.00   -             -
    Customers lost (churn)            33.4 %   under 5 %     no
    Cost of winning a customer (CAC)  unknown  under $50.00  -
    Cost of winning a customer (CAC): What was spent is not entered.

    MONTH    RECURRING  NEW    BACK   MORE   LESS   LOST   REVENUE  CUSTOMERS  SIGNUPS  VISITS  SPENT
    2026-11  $17.00     $5.00  $0.00  $0.00  $1.00  $0.00  $15.80   3          1        12      $50.00

    FROM A VISIT TO A PAYMENT  HOW MANY  OF THE STEP BEFORE
    Visited                    12        -
    Opened the order           3         25.0 %

    WHY CUSTOMERS LEAVE     HOW OFTEN
    It was too hard to use  2
    Did not say             1
    ");
    assert_eq!(ask(&server.url, &["analytics", "--month", "2026-11", "--json"]).json(), analytics());
    assert!(ask(&server.url, &["analytics", "--month", "2026-11", "--csv"]).out.contains("month,recurring"));
    ask(&server.url, &["analytics", "--month", "2030-01"]).assert_failed(4, &["still to come"]);
    assert_eq!(run(&["analytics", "--month", "november"]).code, 2);
}

#[test]
fn spend_is_sent_to_the_cent_under_its_key_and_never_below_nothing() {
    let entry = json!({
        "id": "spd_01kat1zgr00000000000000000", "month": "2026-11", "amount": 25_050, "purpose": "search ads",
        "entered_by": "api", "entered_at": "2026-12-01T10:00:00Z",
    });
    let server = Server::start()
        .on("POST /api/v1/spend", 200, entry.clone())
        .on("GET /api/v1/spend", 200, json!({"data": [entry], "next_cursor": null}))
        .on("POST /api/v1/spend/spd_9/take-back", 404, problem(404, "There is nothing here", ""));
    let line = ["spend", "add", "--month", "2026-11", "--amount", "250.50", "--for", "search ads", "--key", "4711"];
    let added = ask(&server.url, &line);
    assert!(
        added.err.contains("250.50 for 2026-11 is entered") || added.out.contains("250.50 for 2026-11 is entered"),
        "{added:?}"
    );
    let sent = server.seen().pop().unwrap();
    assert_eq!(
        (sent.key.as_deref(), sent.body),
        (Some("4711"), json!({"month": "2026-11", "amount": 25_050, "purpose": "search ads"}))
    );
    assert!(ask(&server.url, &["spend", "list"]).out.contains("search ads"));
    ask(&server.url, &["spend", "take-back", "spd_9"]).assert_failed(3, &["can't take back spd_9"]);
    let line = ["spend", "add", "--month", "2026-11", "--amount", "-5", "--for", "ads"];
    assert_eq!(run(&line).code, 2);
}
