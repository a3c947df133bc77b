//! A year of many customers by chance, with trials, taxes, coupons and customers who move.

use std::collections::{BTreeMap, BTreeSet};

use domain::UsageHour;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::{Fault, Faults};

use crate::billing_year::life::{Dice, Life, Report, report};
use crate::support::TestApp;

const CUSTOMERS: usize = 25;

async fn some_pay(app: &TestApp, dice: &mut Dice) {
    let (_, page) = app.api(Method::GET, "/invoices?limit=200", None).await;
    for invoice in page["data"].as_array().unwrap() {
        let left = invoice["outstanding"].as_i64().unwrap();
        if left == 0 || dice.one_in(3) {
            continue;
        }
        let amount = if dice.one_in(4) { left / 2 + 1 } else { left };
        let number = invoice["number"].as_str().unwrap();
        let body = json!({"amount": amount, "reference": format!("{number} {}", dice.below(1_000_000))});
        for _ in 0..=dice.below(2) {
            let path = format!("/invoices/{number}/payments");
            let (status, answer) = app.api(Method::POST, &path, Some(body.clone())).await;
            assert_eq!(status, StatusCode::OK, "{answer}");
        }
    }
}

/// Which hours each instance's invoices charge, and which they give back.
fn hours(invoices: &[Value]) -> BTreeMap<String, (Vec<UsageHour>, Vec<UsageHour>)> {
    let mut all: BTreeMap<String, (Vec<UsageHour>, Vec<UsageHour>)> = BTreeMap::new();
    for invoice in invoices {
        let document: billing::Invoice = serde_json::from_value(invoice["document"].clone()).unwrap();
        let (charged, credited) = all.entry(document.instance.to_string()).or_default();
        charged.extend(document.lines.iter().flat_map(|line| line.hours.iter()));
        credited.extend(document.credits.iter().flat_map(|credit| credit.hours.iter()));
    }
    all
}

async fn everything_adds_up(app: &TestApp, lives: &[Life]) {
    assert_eq!(app.problems().await, [""; 0]);
    let invoices = app.invoices().await;
    let hours = hours(&invoices);
    for life in lives {
        let (charged, credited) = hours.get(&life.id).cloned().unwrap_or_default();
        let once: BTreeSet<UsageHour> = charged.iter().copied().collect();
        assert_eq!(once.len(), charged.len(), "{} was charged twice for an hour", life.name);
        let back: BTreeSet<UsageHour> = credited.iter().copied().collect();
        assert_eq!(back.len(), credited.len(), "{} got an hour back twice", life.name);
        assert_eq!(once.difference(&back).copied().collect::<BTreeSet<_>>(), life.billable(), "{}", life.name);
    }
    let numbers: BTreeSet<&str> = invoices.iter().map(|invoice| &invoice["number"].as_str().unwrap()[5..]).collect();
    assert_eq!(numbers.len(), invoices.len());
    assert_eq!(numbers.last().unwrap().parse::<usize>().unwrap(), invoices.len(), "a number is missing");
}

/// Where customers live, or have moved to.
const PLACES: [(&str, Option<&str>); 5] =
    [("DE", Some("DE123456789")), ("AT", Some("ATU12345678")), ("AT", None), ("CA", None), ("JP", Some("T1234567890"))];
const COUPONS: [(&str, &str); 4] =
    [("HALF", "percent"), ("TEN-HOURS", "hours"), ("THIRTY", "amount"), ("ALL-OF-IT", "percent")];

async fn offer_coupons(app: &TestApp) {
    for (code, kind) in COUPONS {
        let worth = match (kind, code) {
            ("percent", "HALF") => json!({"percent": "50", "periods": 4}),
            ("percent", _) => json!({"percent": "100", "periods": 1}),
            ("hours", _) => json!({"hours": 10}),
            _ => json!({"amount": 3000}),
        };
        let mut new = json!({"code": code, "most": 8});
        new.as_object_mut().unwrap().extend(worth.as_object().unwrap().clone());
        let (status, answer) = app.api(Method::POST, "/coupons", Some(new)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
}

/// Some move to another country, and some redeem a coupon, once more perhaps.
async fn somebody_is_moved_or_pleased(app: &TestApp, life: &Life, dice: &mut Dice) {
    let customer = app.instance(&life.name).await["customer_id"].as_str().unwrap().to_owned();
    if dice.one_in(4) {
        let (country, tax_id) = PLACES[usize::try_from(dice.below(5)).unwrap()];
        let details = json!({"name": life.name, "address": ["Street 1"], "country": country, "tax_id": tax_id});
        let (status, answer) = app.api(Method::PUT, &format!("/customers/{customer}/billing"), Some(details)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    if dice.one_in(5) {
        let (code, _) = COUPONS[usize::try_from(dice.below(4)).unwrap()];
        let path = format!("/customers/{customer}/coupons");
        let (status, answer) = app.api(Method::POST, &path, Some(json!({"code": code}))).await;
        assert!([StatusCode::OK, StatusCode::CONFLICT].contains(&status), "{answer}");
    }
}

/// Nobody was charged less than nothing, and no coupon gave more than it was worth.
async fn coupons_gave_no_more_than_they_are_worth(app: &TestApp) {
    let mut given: BTreeMap<(String, String), (i64, u32)> = BTreeMap::new();
    let (mut taxed, mut exempt) = (0, 0);
    for invoice in app.invoices().await {
        let document: billing::Invoice = serde_json::from_value(invoice["document"].clone()).unwrap();
        assert!(document.net.get() >= 0 && document.total.get() >= 0 && document.amount_due.get() >= 0, "{invoice}");
        taxed += usize::from(!document.taxes.is_empty());
        exempt += usize::from(document.tax_exempt.is_some());
        for discount in document.discounts {
            let of = given.entry((document.customer.to_string(), discount.coupon)).or_default();
            *of = (of.0 + discount.taken.amount.get(), of.1 + discount.taken.hours);
        }
    }
    assert!(taxed > 10 && exempt > 0 && given.len() > 8, "{taxed} {exempt} {given:?}");
    for ((_, code), (amount, hours)) in given {
        assert!(code != "THIRTY" || amount <= 3000, "{amount}");
        assert!(code != "TEN-HOURS" || hours <= 10 && amount <= 1000, "{amount} for {hours}");
    }
}

fn with_trials_and_taxes() -> (domain::Plan, control_plane::BillingSettings) {
    let taxes = json!([
        {"country": "DE", "name": "VAT", "percent": "19"},
        {"country": "AT", "name": "VAT", "percent": "20", "exempt_with_tax_id": "Reverse charge"},
        {"country": "CA", "name": "GST", "percent": "5"},
        {"country": "CA", "name": "PST", "percent": "7.5"},
    ]);
    let billing = serde_json::from_value(json!({"taxes": taxes})).unwrap();
    (domain::Plan { trial_days: 10, ..domain::Plan::default() }, billing)
}

fn deaths() -> Faults {
    let deaths = std::sync::Mutex::new(Dice(0x5eed));
    Faults::by(move |here| (here.kind == "close.v1" && deaths.lock().unwrap().one_in(4)).then_some(Fault::Death))
}

async fn live_through_a_year(app: &TestApp) -> Vec<Life> {
    let mut dice = Dice(0x00c0_ffee);
    let mut lives: Vec<Life> = (0..CUSTOMERS).map(Life::new).collect();
    for life in &mut lives {
        assert_eq!(app.provision(&life.email, &life.name).await, "done");
        life.id = app.instance(&life.name).await["id"].as_str().unwrap().to_owned();
    }
    for month in 1..=12 {
        app.go_to(&format!("2027-{month:02}-28T00:00:00Z"));
        for life in lives.iter_mut().filter(|life| life.is_open()) {
            let mut rounds: [Vec<Report>; 2] = Default::default();
            life.works(app.clock.now(), &mut dice, &mut rounds);
            for told in rounds.iter().flatten() {
                report(app, told).await;
            }
            life.may_waive(app, &mut dice).await;
            somebody_is_moved_or_pleased(app, life, &mut dice).await;
            if month > 2 && dice.one_in(40) {
                life.tells_the_rest(app).await;
                assert_eq!(app.delete(&life.name).await, "done");
                life.state = "deleted".to_owned();
            }
        }
        let next = if month == 12 { "2028-01".to_owned() } else { format!("2027-{:02}", month + 1) };
        app.go_to(&format!("{next}-01T06:30:00Z"));
        app.close(None).await;
        some_pay(app, &mut dice).await;
        if month % 4 == 0 {
            assert_eq!(app.problems().await, [""; 0], "after month {month}");
        }
    }
    // What was late in December comes with January.
    app.go_to("2028-02-01T06:30:00Z");
    for life in lives.iter_mut().filter(|life| life.is_open()) {
        life.tells_the_rest(app).await;
    }
    app.close(None).await;
    lives
}

#[tokio::test]
async fn a_year_with_trials_taxes_coupons_and_moves_balances() {
    let settings = with_trials_and_taxes();
    let app = TestApp::start_selling_with("2026-12-28T00:00:00Z", Engine::Sqlite, deaths(), settings).await;
    offer_coupons(&app).await;
    let lives = live_through_a_year(&app).await;
    everything_adds_up(&app, &lives).await;
    coupons_gave_no_more_than_they_are_worth(&app).await;
}
