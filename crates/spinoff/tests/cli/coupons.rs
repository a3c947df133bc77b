//! Billing details and coupons from the command line.

use serde_json::{Value, json};

use crate::server::{Server, problem};
use crate::spinoff::{ask, run};

const CUSTOMER: &str = "cus_01kat1zgr00000000000000000";

fn coupon(ended_at: Option<&str>) -> Value {
    let mut coupon = json!({
        "code": "LAUNCH",
        "name": "Launch offer",
        "offer": "20 % off for 3 periods",
        "percent": "20",
        "periods": 3,
        "redeem_until": "2027-01-01T00:00:00Z",
        "most": 100,
        "redeemed": 7,
        "created_at": "2026-11-24T10:00:00Z",
    });
    if let Some(at) = ended_at {
        coupon["ended_at"] = json!(at);
    }
    coupon
}

#[test]
fn a_coupon_is_offered_as_it_was_typed() {
    let server = Server::start()
        .on("POST /api/v1/coupons", 200, coupon(None))
        .on("POST /api/v1/coupons/LAUNCH/end", 200, coupon(Some("2026-11-25T10:00:00Z")))
        .on("POST /api/v1/coupons/GONE/end", 404, problem(404, "There is no coupon GONE", ""));
    let line = "coupons create launch --name Launch --percent 20 --periods 3 --until 2026-12-31 --most 100";
    let said = ask(&server.url, &line.split(' ').collect::<Vec<_>>());
    assert_eq!(said.out, "LAUNCH is offered: 20 % off for 3 periods\n");
    let sent = json!({
        "code": "LAUNCH", "name": "Launch", "percent": "20", "periods": 3,
        "redeem_until": "2027-01-01T00:00:00Z", "most": 100,
    });
    assert_eq!(server.changes()[0].body, sent);
    let ended = ask(&server.url, &["coupons", "end", "LAUNCH"]);
    assert_eq!(ended.out, "LAUNCH has ended; 7 customers have it and keep it\n");
    ask(&server.url, &["coupons", "end", "gone"]).assert_failed(3, &["can't end the coupon GONE"]);
}

#[test]
fn what_can_be_no_coupon_is_not_sent() {
    for line in [
        "coupons create LAUNCH",
        "coupons create LAUNCH --percent 20 --hours 3",
        "coupons create LAUNCH --amount 5.00 --periods 3",
        "coupons create LAUNCH --hours 0",
        "coupons create LAUNCH --hours 1 --most 0",
        "coupons create LAUNCH --hours 1 --until tomorrow",
        "coupons create L --hours 1",
        "customers billing set cus_01kat1zgr00000000000000000 --name Acme",
        "customers billing set cus_01kat1zgr00000000000000000 --name Acme --country Germany",
        "customers billing set cus_01kat1zgr00000000000000000 --name Acme --country DE --tax-id ?",
    ] {
        assert_eq!(run(&line.split(' ').collect::<Vec<_>>()).code, 2, "{line}");
    }
}

#[test]
fn coupons_are_listed_shown_and_given() {
    let held = json!({"data": [{
        "code": "LAUNCH", "name": "Launch offer", "offer": "20 % off for 3 periods",
        "redeemed_at": "2026-11-24T12:00:00Z", "taken": 340, "hours_taken": 0,
    }], "next_cursor": null});
    let given = format!("/api/v1/customers/{CUSTOMER}/coupons");
    let server = Server::start()
        .on("GET /api/v1/coupons", 200, json!({"data": [coupon(None)], "next_cursor": null}))
        .on("GET /api/v1/coupons/LAUNCH", 200, coupon(None))
        .on(&format!("GET {given}"), 200, held.clone())
        .on(&format!("POST {given}"), 200, held.clone());
    insta::assert_snapshot!(ask(&server.url, &["coupons", "list"]).out, @r"
    CODE    GIVES                   REDEEMED  UNTIL                 ENDED  NAME
    LAUNCH  20 % off for 3 periods  7 of 100  2027-01-01 00:00:00Z  -      Launch offer
    ");
    insta::assert_snapshot!(ask(&server.url, &["coupons", "show", "launch"]).out, @r"
    code      LAUNCH
    name      Launch offer
    gives     20 % off for 3 periods
    redeemed  7 of 100
    until     2027-01-01 00:00:00Z
    offered   2026-11-24 10:00:00Z
    ended     -
    ");
    let of_customer = ask(&server.url, &["customers", "coupons", CUSTOMER]);
    insta::assert_snapshot!(of_customer.out, @r"
    CODE    GIVES                   SINCE                 TAKEN OFF  HOURS  NAME
    LAUNCH  20 % off for 3 periods  2026-11-24 12:00:00Z  3.40       0      Launch offer
    ");
    assert_eq!(ask(&server.url, &["coupons", "give", "launch", CUSTOMER]).out, of_customer.out);
    assert_eq!(server.changes()[0].body, json!({"code": "LAUNCH"}));
    assert_eq!(ask(&server.url, &["customers", "coupons", CUSTOMER, "--json"]).json(), held);
}

#[test]
fn billing_details_are_shown_and_replaced_as_a_whole() {
    let path = format!("/api/v1/customers/{CUSTOMER}/billing");
    let details = json!({
        "customer_id": CUSTOMER, "name": "Example GmbH", "address": ["Street 1", "12345 Town", "Germany"],
        "country": "DE", "tax_id": "DE123456789", "changed_at": "2026-11-24T12:00:00Z",
    });
    let server =
        Server::start().on(&format!("GET {path}"), 200, details.clone()).on(&format!("PUT {path}"), 200, details);
    insta::assert_snapshot!(ask(&server.url, &["customers", "billing", "show", CUSTOMER]).out, @r"
    name     Example GmbH
    address  Street 1, 12345 Town, Germany
    country  DE
    tax id   DE123456789
    mail to  -
    set      2026-11-24 12:00:00Z
    ");
    let line = [
        "customers",
        "billing",
        "set",
        CUSTOMER,
        "--name",
        "Example GmbH",
        "--address",
        "Street 1",
        "--address",
        "12345 Town",
        "--country",
        "de",
        "--tax-id",
        "de 123 456 789",
    ];
    assert_eq!(ask(&server.url, &line).out, "the next invoices are made out to Example GmbH\n");
    let sent = json!({
        "name": "Example GmbH", "address": ["Street 1", "12345 Town"], "country": "DE", "tax_id": "DE123456789",
    });
    assert_eq!(server.changes()[0].body, sent);
}
