//! A year of many customers by chance: reports that come twice, late and mixed up; waivers, payments, deletions.

use std::collections::{BTreeMap, BTreeSet};

use domain::UsageHour;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::{Fault, Faults};

use crate::support::TestApp;

const CUSTOMERS: usize = 50;

/// Numbers by chance, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn one_in(&mut self, chance: u64) -> bool {
        self.below(chance) == 0
    }
}

/// What a customer really did, and what of it was told.
#[derive(Default)]
struct Life {
    name: String,
    id: String,
    used: BTreeSet<UsageHour>,
    untold: Vec<Timestamp>,
    waived: BTreeSet<UsageHour>,
    is_gone: bool,
}

async fn a_month_passes(app: &TestApp, life: &mut Life, dice: &mut Dice) {
    let now = app.clock.now();
    for _ in 0..dice.below(12) {
        let before = i64::try_from(dice.below(27 * 24 * 60)).unwrap();
        let moment = now - SignedDuration::from_mins(before + 60);
        life.used.insert(UsageHour::of(moment));
        life.untold.push(moment);
    }
    // Some reports are delayed by weeks, some come twice.
    let (told, late): (Vec<_>, Vec<_>) = life.untold.iter().partition(|_| !dice.one_in(4));
    app.used_at(&life.name, &told).await;
    if dice.one_in(3) {
        app.used_at(&life.name, &told).await;
    }
    life.untold = late;
}

async fn somebody_waives(app: &TestApp, life: &mut Life, dice: &mut Dice) {
    let Some(hour) = life.used.iter().nth(usize::try_from(dice.below(8)).unwrap()).copied() else { return };
    let body = json!({"hours": [hour.start()], "reason": "by chance"});
    let (status, _) = app.api(Method::POST, &format!("/instances/{}/usage/waive", life.id), Some(body)).await;
    assert_eq!(status, StatusCode::OK);
    life.waived.insert(hour);
}

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
        let told: BTreeSet<_> = life.untold.iter().map(|moment| UsageHour::of(*moment)).collect();
        let owed: BTreeSet<_> =
            life.used.iter().filter(|hour| !told.contains(hour) && !life.waived.contains(hour)).copied().collect();
        assert_eq!(once.difference(&back).copied().collect::<BTreeSet<_>>(), owed, "{}", life.name);
    }
    let numbers: BTreeSet<&str> = invoices.iter().map(|invoice| &invoice["number"].as_str().unwrap()[5..]).collect();
    assert_eq!(numbers.len(), invoices.len());
    assert_eq!(numbers.last().unwrap().parse::<usize>().unwrap(), invoices.len(), "a number is missing");
}

#[tokio::test]
async fn a_year_of_fifty_customers_bills_every_used_hour_once_and_the_books_balance() {
    let deaths = std::sync::Mutex::new(Dice(0x5eed));
    let faults =
        Faults::by(move |here| (here.kind == "close.v1" && deaths.lock().unwrap().one_in(4)).then_some(Fault::Death));
    let app = TestApp::start_at("2026-12-28T00:00:00Z", Engine::Sqlite, faults).await;
    let mut dice = Dice(0x00c0_ffee);
    let mut lives = Vec::new();
    for number in 0..CUSTOMERS {
        // Some customers have two.
        let (email, name) = (format!("c{}@example.com", number * 4 / 5), format!("w{number}x"));
        assert_eq!(app.provision(&email, &name).await, "done");
        let id = app.instance(&name).await["id"].as_str().unwrap().to_owned();
        lives.push(Life { name, id, ..Life::default() });
    }
    for month in 1..=12 {
        app.go_to(&format!("2027-{month:02}-28T00:00:00Z"));
        for life in lives.iter_mut().filter(|life| !life.is_gone) {
            a_month_passes(&app, life, &mut dice).await;
            if dice.one_in(5) {
                somebody_waives(&app, life, &mut dice).await;
            }
            if month > 2 && dice.one_in(40) {
                let late = std::mem::take(&mut life.untold);
                app.used_at(&life.name, &late).await;
                assert_eq!(app.delete(&life.name).await, "done");
                life.is_gone = true;
            }
        }
        let next = if month == 12 { "2028-01".to_owned() } else { format!("2027-{:02}", month + 1) };
        app.go_to(&format!("{next}-01T06:30:00Z"));
        app.close(None).await;
        some_pay(&app, &mut dice).await;
        assert_eq!(app.problems().await, [""; 0], "after month {month}");
    }
    // What was late in December comes with January.
    app.go_to("2028-02-01T06:30:00Z");
    for life in &mut lives {
        let late = std::mem::take(&mut life.untold);
        if !late.is_empty() {
            app.used_at(&life.name, &late).await;
        }
    }
    app.close(None).await;
    everything_adds_up(&app, &lives).await;
    assert!(lives.iter().any(|life| life.is_gone) && lives.iter().any(|life| !life.waived.is_empty()));
}
