//! Caps, budgets, contests, books and papers from the command line.

use serde_json::{Value, json};

use crate::server::{INSTANCE, Server, instance, problem};
use crate::spinoff::{Ran, ask, ask_with_input, run};

const CONTEST: &str = "ins_01kat1zgr00000000000000000-498585";
const CAP: &str = "PUT /api/v1/instances/acme/spending/cap";

fn cap(reached: bool) -> Value {
    let meaning = "You are charged for at most 40 hours in each period. Your data is kept.";
    json!({"hours": 40, "hours_allowed": 40, "meaning": meaning, "reached": reached})
}

fn spending(cap: Option<Value>, budget: Option<Value>) -> Value {
    let mut spending = json!({
        "instance_id": INSTANCE, "currency": "usd",
        "period_start": "2026-11-01T00:00:00Z", "period_end": "2026-12-01T00:00:00Z",
        "hours": 12, "amount": 1700, "expected_hours": 30, "expected_amount": 3500,
        "most_hours": 40, "most_amount": 4500,
    });
    if let Some(cap) = cap {
        spending["cap"] = cap;
    }
    if let Some(budget) = budget {
        spending["budget"] = budget;
    }
    spending
}

fn contest(state: &str) -> Value {
    json!({
        "id": CONTEST, "instance_id": INSTANCE, "hour_start": "2026-11-17T09:00:00Z",
        "reason": "Nobody was\u{1b}[2J there.", "author": "ada@example.com", "state": state,
        "opened_at": "2026-11-18T10:00:00Z", "decided_by": null, "decided_at": null, "answer": null,
    })
}

#[test]
fn what_an_instance_costs_is_shown_with_what_closes_it() {
    let budget = json!({"amount": 2500, "thresholds": [80, 100]});
    let whole = spending(Some(cap(false)), Some(budget));
    let server = Server::start().on("GET /api/v1/instances/acme/spending", 200, whole.clone()).on(
        "GET /api/v1/instances/acme/spending",
        200,
        spending(None, None),
    );
    assert_eq!(ask(&server.url, &["spending", "show", "acme", "--json"]).json(), whole);
    let bare = ask(&server.url, &["spending", "show", "acme"]);
    assert!(bare.out.contains("cap         none\nbudget      none\n"), "{bare:?}");

    let server = Server::start().on("GET /api/v1/instances/acme/spending", 200, whole);
    insta::assert_snapshot!(ask(&server.url, &["spending", "show", "acme"]).out, @r"
    period      2026-11-01 00:00 to 2026-12-01 00:00 UTC
    so far      12 hours, $17.00
    in the end  30 hours, $35.00, if it goes on like this
    at most     40 hours, $45.00
    cap         40 hours
    budget      $25.00, told at 80 %, 100 %

    You are charged for at most 40 hours in each period. Your data is kept.
    ");
    ask(&server.url, &["spending", "show", "zoo"]).assert_failed(3, &["can't show what zoo costs"]);
}

#[test]
fn a_cap_says_what_it_means_and_is_asked_about_where_it_closes_at_once() {
    let server = Server::start().on(CAP, 200, cap(false));
    let set = ask(&server.url, &["spending", "cap", "acme", "--hours", "40"]);
    assert!(set.out.starts_with("the cap of acme is set\nYou are charged for at most 40 hours"), "{set:?}");
    let asked = ask(&server.url, &["spending", "cap", "acme", "--amount", "25.00", "--dry-run"]);
    assert_eq!(asked.out, "You are charged for at most 40 hours in each period. Your data is kept.\n");
    let sent: Vec<Value> = server.changes().into_iter().map(|seen| seen.body).collect();
    let dry = json!({"hours": 40, "dry_run": true});
    assert_eq!(sent, [dry, json!({"hours": 40, "dry_run": false}), json!({"amount": 2500, "dry_run": true})]);

    let server =
        Server::start().on(CAP, 200, cap(true)).on("GET /api/v1/instances/acme", 200, instance("acme", "active"));
    let line = ["spending", "cap", "acme", "--hours", "40"];
    ask(&server.url, &line).assert_failed(4, &["the cap of acme was not set", "give --confirm acme"]);
    ask(&server.url, &[&line[..], &["--confirm", "zoo"]].concat()).assert_failed(4, &["is not its subdomain"]);
    ask_with_input(&server.url, &line, "acme\n").assert_failed(4, &["there is no terminal to ask on"]);
    assert!(server.changes().iter().all(|seen| seen.body["dry_run"] == true), "nothing was set");
    let meant = ask(&server.url, &[&line[..], &["--confirm", "acme"]].concat());
    assert!(meant.out.ends_with("It is reached: no further hour begins now.\n"), "{meant:?}");
    assert_eq!(server.changes().last().unwrap().body["dry_run"], false);
}

#[test]
fn caps_and_budgets_are_lifted_and_nonsense_is_no_request() {
    let server = Server::start()
        .on("DELETE /api/v1/instances/acme/spending/cap", 204, json!(null))
        .on("DELETE /api/v1/instances/acme/spending/budget", 204, json!(null))
        .on("PUT /api/v1/instances/acme/spending/budget", 200, json!({"amount": 2500, "thresholds": [80, 100]}))
        .on("PUT /api/v1/instances/zoo/spending/budget", 422, problem(422, "81 % can't be told", "Choose 50 or 80."));
    assert_eq!(ask(&server.url, &["spending", "cap", "acme", "--none"]).out, "acme has no cap\n");
    assert_eq!(ask(&server.url, &["spending", "budget", "acme", "--none"]).out, "acme has no budget\n");
    let line = ["spending", "budget", "acme", "--amount", "25", "--at", "80", "--at", "100"];
    assert_eq!(ask(&server.url, &line).out, "the budget of acme is 25.00, told at 80 %, 100 %\n");
    assert_eq!(server.changes()[2].body, json!({"amount": 2500, "thresholds": [80, 100]}));
    let wrong = ask(&server.url, &["spending", "budget", "zoo", "--amount", "25", "--at", "81"]);
    wrong.assert_failed(4, &["81 % can't be told", "next: Choose 50 or 80."]);
    for nonsense in [
        &["spending", "cap", "acme"][..],
        &["spending", "cap", "acme", "--hours", "4", "--amount", "9"],
        &["spending", "cap", "acme", "--hours", "-4"],
        &["spending", "cap", "acme", "--none", "--dry-run"],
        &["spending", "budget", "acme"],
        &["spending", "budget", "acme", "--none", "--at", "80"],
        &["spending", "budget", "acme", "--amount", "25,00"],
    ] {
        assert_eq!(run(nonsense).code, 2, "{nonsense:?}");
    }
}

#[test]
fn contests_are_listed_opened_and_decided() {
    let decide = format!("POST /api/v1/contests/{CONTEST}/decision");
    let server = Server::start()
        .on("GET /api/v1/contests?state=open", 200, json!({"data": [contest("open")], "next_cursor": null}))
        .on("POST /api/v1/contests", 200, contest("open"))
        .on(&decide, 200, contest("accepted"))
        .on(&decide, 200, contest("refused"))
        .on(&decide, 409, problem(409, "This contest was accepted already", "A decision stands."));
    insta::assert_snapshot!(ask(&server.url, &["contests", "list", "--state", "open"]).out, @r"
    CONTEST                                HOUR (UTC)        STATE  SINCE                 BY               WHY                    ANSWER
    ins_01kat1zgr00000000000000000-498585  2026-11-17 09:00  open   2026-11-18 10:00:00Z  ada@example.com  Nobody was�[2J there.  -
    ");
    assert_eq!(run(&["contests", "list", "--state", "happy"]).code, 2);
    let open = ["contests", "open", "acme", "--hour", "2026-11-17T09:30Z", "--reason", "Nobody was there."];
    assert_eq!(ask(&server.url, &open).out, format!("2026-11-17 09:00 of acme is contested: {CONTEST}\n"));
    let accepted = ask(&server.url, &["contests", "accept", CONTEST]);
    assert_eq!(accepted.out, "2026-11-17 09:00 is waived; what was billed for it is credited\n");
    let refuse = ["contests", "refuse", CONTEST, "--answer", "Ben was at work."];
    assert_eq!(ask(&server.url, &refuse).out, "2026-11-17 09:00 is to be paid for\n");
    ask(&server.url, &refuse).assert_failed(4, &["can't refuse", "accepted already", "next: A decision stands."]);
    assert_eq!(run(&["contests", "refuse", CONTEST]).code, 2, "who refuses says why");
    let sent: Vec<Value> = server.changes().into_iter().map(|seen| seen.body).collect();
    assert_eq!(sent[0], json!({"instance": "acme", "hour": "2026-11-17T09:30:00Z", "reason": "Nobody was there."}));
    assert_eq!(sent[1], json!({"state": "accepted", "answer": ""}));
    assert_eq!(sent[2], json!({"state": "refused", "answer": "Ben was at work."}));
}

#[test]
fn a_book_is_shown_and_much_credit_is_asked_about() {
    let entry = |id: &str, what: &str, owed: i64, credit: i64, after: i64| {
        json!({"id": id, "at": "2026-12-01T06:00:00Z", "description": what, "owed": owed, "credit": credit,
            "owed_after": after, "author": "closing"})
    };
    let mut given = entry("credit:TICKET 17", "Credit, reference TICKET 17", 0, 500, 700);
    given["reason"] = json!("A morning without service.");
    let book = json!({
        "customer_id": "cus_01kat1zgr00000000000000000", "currency": "usd", "owed": 700, "credit": 500,
        "entries": [entry("charge:1", "Invoice 2026-000001", 700, 0, 700), given],
    });
    let server = Server::start().on("GET /api/v1/customers/ada@example.com/ledger", 200, book.clone()).on(
        "POST /api/v1/customers/ada@example.com/credits",
        200,
        book.clone(),
    );
    insta::assert_snapshot!(ask(&server.url, &["ledger", "show", "ada@example.com"]).out, @r"
    WHEN                  WHAT                         OWED   CREDIT  OWED THEN  BY       WHY
    2026-12-01 06:00:00Z  Invoice 2026-000001          $7.00  -       $7.00      closing  -
    2026-12-01 06:00:00Z  Credit, reference TICKET 17  -      $5.00   $7.00      closing  A morning without service.

    Owed: $7.00. Credit for the next invoices: $5.00.
    ");
    assert_eq!(ask(&server.url, &["ledger", "show", "ada@example.com", "--json"]).json(), book);
    ask(&server.url, &["ledger", "show", "eve@example.com"]).assert_failed(3, &["the book of eve@example.com"]);

    let credit = |amount: &str, more: &[&str]| -> Ran {
        let line =
            ["ledger", "credit", "ada@example.com", "--amount", amount, "--reference", "T 17", "--reason", "Sorry."];
        ask(&server.url, &[&line[..], more].concat())
    };
    assert_eq!(credit("5.00", &[]).out, "$5.00 is given; ada@example.com has $5.00 of credit\n");
    credit("100.01", &[]).assert_failed(4, &["ada@example.com was given no credit", "give --confirm 100.01"]);
    credit("1000", &["--confirm", "100"]).assert_failed(4, &["is not the amount"]);
    assert_eq!(server.changes().len(), 1, "what was not confirmed was not sent");
    assert_eq!(credit("1000", &["--confirm", "1000"]).code, 0);
    assert_eq!(server.changes()[1].body, json!({"amount": 100_000, "reference": "T 17", "reason": "Sorry."}));
}

#[test]
fn a_month_is_a_grid_and_a_table_for_a_spreadsheet() {
    let seen = json!({"hour": 498_585, "signal": "member", "first": "2026-11-17T09:05:00Z",
        "last": "2026-11-17T09:40:00Z", "count": 7});
    let usage = json!({
        "instance_id": INSTANCE, "month": "2026-11", "currency": "usd",
        "hours": [{"hour_start": "2026-11-17T09:00:00Z", "evidence": [seen]},
                  {"hour_start": "2026-11-30T23:00:00Z", "evidence": []}],
        "waived": ["2026-11-17T10:00:00Z"],
        "bill": {"month": "2026-11", "lines": [], "total": 700},
    });
    let server = Server::start().on("GET /api/v1/instances/acme/usage?month=2026-11", 200, usage.clone());
    let month = ["--month", "2026-11"];
    let grid = ask(&server.url, &[&["usage", "calendar", "acme"][..], &month].concat()).out;
    let days: Vec<&str> = grid.lines().collect();
    assert_eq!(days[0], "2026-11  00     06     12     18     HOURS");
    assert_eq!(days[1], "01 Sun   ...... ...... ...... ......");
    assert_eq!(days[17], "17 Tue   ...... ...#w. ...... ......  2");
    assert_eq!(days[30], "30 Mon   ...... ...... ...... .....#  1");
    assert_eq!(days[32..], ["Hours are UTC. # used: 2, w used and waived: 1"]);
    let csv = ask(&server.url, &[&["usage", "show", "acme", "--csv"][..], &month].concat()).out;
    assert_eq!(
        csv.split("\r\n").collect::<Vec<_>>(),
        [
            "hour,state,signal,first,last,count",
            "2026-11-17T09:00:00Z,used,member,2026-11-17T09:05:00Z,2026-11-17T09:40:00Z,7",
            "2026-11-30T23:00:00Z,used,,,,",
            "2026-11-17T10:00:00Z,waived,,,,",
            "",
        ]
    );
    assert_eq!(ask(&server.url, &[&["usage", "calendar", "acme", "--json"][..], &month].concat()).json(), usage);
}

#[test]
fn an_hour_says_what_shows_it_and_what_becomes_of_its_price() {
    let hour = |charge: &str, more: Value| {
        let mut hour = json!({
            "instance_id": INSTANCE, "hour_start": "2026-11-17T09:00:00Z", "charge": charge, "currency": "usd",
            "evidence": [{"hour": 498_585, "signal": "member", "first": "2026-11-17T09:05:00Z",
                "last": "2026-11-17T09:40:00Z", "count": 7}],
        });
        hour.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        hour
    };
    let credited = json!({"price": 100, "invoice": "2026-000001", "contest": contest("accepted"),
        "waiver": {"reason": "contested", "author": "api", "at": "2026-12-02T10:00:00Z"}});
    let line = "GET /api/v1/instances/acme/usage/hours/2026-11-17T09:20:00Z";
    let server = Server::start().on(line, 200, hour("coming", json!({"price": 100, "contest": contest("open")}))).on(
        line,
        200,
        hour("credited", credited),
    );
    let show = ["usage", "hour", "acme", "2026-11-17T09:20Z"];
    insta::assert_snapshot!(ask(&server.url, &show).out, @r"
    instance  acme
    hour      2026-11-17 09:00 UTC
    charge    coming: it stands on the next invoice, for $1.00 before discounts and taxes

    What shows that it was used:
    - a member was active, 7 times, 09:05 to 09:40

    Contested by ada@example.com: Nobody was�[2J there.
    Nobody has decided: `spinoff contests accept ins_01kat1zgr00000000000000000-498585`, or `refuse`.
    ");
    insta::assert_snapshot!(ask(&server.url, &show).out, @r"
    instance  acme
    hour      2026-11-17 09:00 UTC
    charge    credited: it stood on invoice 2026-000001; what it cost there is given back

    What shows that it was used:
    - a member was active, 7 times, 09:05 to 09:40

    Waived by api at 2026-12-02 10:00 UTC: contested

    Contested by ada@example.com: Nobody was�[2J there.
    Accepted.
    ");
    assert_eq!(run(&["usage", "hour", "acme", "nine"]).code, 2);
}

#[test]
fn many_hours_are_waived_only_when_that_is_meant() {
    let server = Server::start().on("POST /api/v1/instances/acme/usage/waive", 200, json!({"added": 25}));
    let moments: Vec<String> =
        (0..25).map(|hour| format!("2026-11-{:02}T{:02}:00Z", 1 + hour / 24, hour % 24)).collect();
    let hours: Vec<&str> = moments.iter().flat_map(|moment| ["--hour", moment.as_str()]).collect();
    let line = [&["usage", "waive", "acme", "--reason", "An outage."][..], &hours].concat();
    ask(&server.url, &line).assert_failed(4, &["nothing was waived", "give --confirm 25"]);
    ask(&server.url, &[&line[..], &["--confirm", "24"]].concat()).assert_failed(4, &["is not how many hours they are"]);
    assert!(server.changes().is_empty());
    let waived = ask(&server.url, &[&line[..], &["--confirm", "25"]].concat());
    assert_eq!(waived.out, "25 hours of acme are waived, 25 of them now\n", "{waived:?}");
}

#[test]
fn the_running_bill_is_shown_line_by_line() {
    let preview = |problem: Option<&str>| {
        json!({
            "currency": "usd",
            "invoice": {
                "customer_id": "cus_01kat1zgr00000000000000000", "instance_id": INSTANCE,
                "period_start": "2026-11-01T00:00:00Z", "period_end": "2026-12-01T00:00:00Z",
                "hours": 2, "total": 700, "amount_due": 400, "previous_total": 900, "previous_hours": 4,
                "problem": problem,
            },
            "lines": [
                {"kind": "base_fee", "description": "Base fee", "quantity": 1, "unit": 500, "amount": 500},
                {"kind": "hours", "description": "Usage hours", "quantity": 2, "unit": 100, "amount": 200},
            ],
        })
    };
    let server = Server::start().on("GET /api/v1/billing/preview/acme", 200, preview(None)).on(
        "GET /api/v1/billing/preview/acme",
        200,
        preview(Some("the amount is too large")),
    );
    insta::assert_snapshot!(ask(&server.url, &["billing", "preview", "acme"]).out, @r"
    2026-11-01 00:00 to 2026-12-01 00:00 UTC

    LINE                     QUANTITY  EACH   AMOUNT
    Base fee                 1         $5.00  $5.00
    Usage hours              2         $1.00  $2.00
    Total with taxes                          $7.00
    To be paid, less credit                   $4.00
    The invoice before                        $9.00

    Nothing was issued.
    ");
    ask(&server.url, &["billing", "preview", "acme"])
        .assert_failed(1, &["what acme would be", "the amount is too large"]);
    ask(&server.url, &["billing", "preview", "zoo"]).assert_failed(3, &["what zoo would be invoiced"]);
}

#[test]
fn an_invoice_is_saved_as_it_is_or_not_at_all() {
    let server = Server::start().on("GET /api/v1/invoices/2026-000123/pdf", 200, json!("%PDF-1.7 paper")).on(
        "GET /api/v1/invoices/2026-000123/csv",
        200,
        json!("invoice,kind\r\n"),
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it.pdf");
    let path = file.to_str().unwrap();
    let saved = ask(&server.url, &["invoices", "save", "2026-000123", path]);
    assert_eq!(saved.out, format!("invoice 2026-000123 is saved in {path}\n"), "{saved:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "%PDF-1.7 paper");
    assert_eq!(ask(&server.url, &["invoices", "save", "2026-000123", "-", "--csv"]).out, "invoice,kind\r\n");
    let missing = folder.path().join("no/folder/it.pdf");
    let refused = ask(&server.url, &["invoices", "save", "2026-000123", missing.to_str().unwrap()]);
    refused.assert_failed(1, &["can't save invoice 2026-000123", "next: name a file"]);
    let none = folder.path().join("none.pdf");
    ask(&server.url, &["invoices", "save", "9", none.to_str().unwrap()]).assert_failed(3, &["invoice 9"]);
    assert!(!none.exists(), "nothing is left of what does not exist");
}
