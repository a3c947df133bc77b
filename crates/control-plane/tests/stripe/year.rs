//! Half a year of four customers at Stripe, whose cards fail now and then, while most of what Stripe tells comes late, twice
//! or never, and steps are taken again because their results got lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use billing::Invoice;
use domain::{Month, UsageHour};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulators::stripe::Deliveries;
use store::sqlx::{self, Row as _};
use workflow::{Fault, Faults, Moment};
use world::Entropy;

use crate::city::{City, FORM};

const CUSTOMERS: [&str; 4] = ["ada", "bob", "cleo", "dan"];

/// An invoice of which something is left.
struct Open {
    number: String,
    customer: String,
}

async fn sign_up(city: &City, name: &str) {
    let (key, email) = (format!("key of {name}"), email(name));
    let form = FORM.map(|(field, value)| match field {
        "key" => (field, key.as_str()),
        "email" => (field, email.as_str()),
        "subdomain" => (field, name),
        _ => (field, value),
    });
    let order = city.sign_up(&form).await;
    city.pay(&order).await;
    city.active().await;
    all_is_done(city).await;
}

fn email(name: &str) -> String {
    format!("{name}@example.com")
}

/// A customer's id at Stripe.
fn payer(city: &City, name: &str) -> String {
    let found = city.stripe.customers().into_iter().rev().find(|customer| customer["email"] == email(name));
    found.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn all_is_done(city: &City) {
    city.until("an end", async || city.nothing_runs().await).await;
}

/// Days come and go, each looked at by several replicas at once.
async fn days(city: &City, days: u32) {
    for _ in 0..days {
        city.pass(1);
        city.stripe.deliver_due().await;
        let looks = (0..3).map(|_| control_plane::dun_if_due(city.app()));
        futures_util::future::join_all(looks).await.into_iter().for_each(|looked| looked.unwrap());
        all_is_done(city).await;
    }
}

async fn works(city: &City, name: &str, month: Month) -> Vec<UsageHour> {
    if instance(city, name).await != "active" {
        return Vec::new();
    }
    let last = city.clock.now();
    let moments: Vec<Timestamp> = (2..5).map(|back| last - SignedDuration::from_hours(back * 7)).collect();
    for at in &moments {
        assert_eq!(Month::of(*at), month);
        // The answer gets lost, and the report comes again.
        city.used(name, *at).await;
        city.used(name, *at).await;
    }
    moments.into_iter().map(UsageHour::of).collect()
}

async fn instance(city: &City, name: &str) -> String {
    let (status, found) = city.api(Method::GET, &format!("/instances/{name}"), Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    found["state"].as_str().unwrap().to_owned()
}

async fn open(city: &City) -> Vec<Open> {
    let sql = "select v.number, c.email from invoices v join customers c on c.id = v.customer_id
               where v.outstanding > 0 order by v.seq";
    let rows = sqlx::query(sql).fetch_all(city.db.db.read()).await.unwrap();
    let name = |email: String| email.split('@').next().unwrap().to_owned();
    rows.iter().map(|row| Open { number: row.get("number"), customer: name(row.get("email")) }).collect()
}

/// The card works again, and somebody asks for what is left: the customer at Stripe, or we.
async fn pays(city: &City, name: &str, at_stripe: bool) {
    let payer = payer(city, name);
    city.stripe.set_card(&payer, true);
    for open in open(city).await.into_iter().filter(|open| open.customer == name) {
        if at_stripe {
            let mut all = city.stripe.invoices().into_iter().rev();
            let theirs = |it: &Value| it["metadata"]["spinoff_invoice"] == open.number && it["status"] == "open";
            let Some(found) = all.find(theirs) else { continue };
            let held = city.stripe.live_subscriptions().into_iter().find(|it| it["customer"] == payer).unwrap();
            let form = [("payment_method", held["default_payment_method"].as_str().unwrap())];
            city.at_stripe(&format!("/v1/invoices/{}/pay", found["id"].as_str().unwrap()), &form).await;
        } else {
            let path = format!("/invoices/{}/charge", open.number);
            let (status, answer) = city.api(Method::POST, &path, Value::Null).await;
            assert!([StatusCode::ACCEPTED, StatusCode::CONFLICT].contains(&status), "{answer}");
        }
    }
    all_is_done(city).await;
}

/// Each first time that a step comes to its end, one time in three, its result gets lost.
fn forgetful() -> Faults {
    let seen = Mutex::new((BTreeSet::new(), 0_u32));
    Faults::by(move |point| {
        let (seen, number) = &mut *seen.lock().unwrap();
        let is_new = point.moment == Moment::After && seen.insert((point.kind.clone(), point.step.clone()));
        *number += u32::from(is_new);
        (is_new && number.is_multiple_of(3)).then_some(Fault::Temporary)
    })
}

async fn close(city: &City) {
    let looks = (0..2).map(|_| city.api(Method::POST, "/billing/close", json!({})));
    for (status, answer) in futures_util::future::join_all(looks).await {
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    }
    all_is_done(city).await;
}

/// Each step of dunning may be seen a day late.
async fn is_closed_out(city: &City, name: &str) {
    for _ in 0..16 {
        if instance(city, name).await == "suspended" {
            return;
        }
        days(city, 1).await;
    }
    let (_, found) = city.api(Method::GET, &format!("/instances/{name}"), Value::Null).await;
    let path = format!("/customers/{}/dunning", found["customer_id"].as_str().unwrap());
    panic!("{name} still works: {:#}", city.api(Method::GET, &path, Value::Null).await.1);
}

/// From the first of a month to the last of it, in which Bob's card fails for some days and Dan's does until he pays on
/// Stripe's page. Cleo's fails from the second month on, until her door is closed.
async fn month(mut city: City, number: u32) -> City {
    let fails = |name: &str| match name {
        "bob" => number % 2 == 1,
        "cleo" => (2..=3).contains(&number),
        "dan" => number >= 2,
        _ => false,
    };
    for name in CUSTOMERS {
        city.stripe.set_card(&payer(&city, name), !fails(name));
    }
    close(&city).await;
    days(&city, 3).await;
    city.stripe.set_card(&payer(&city, "bob"), true);
    pays(&city, "dan", true).await;
    days(&city, 7).await;
    if number == 3 {
        is_closed_out(&city, "cleo").await;
        pays(&city, "cleo", false).await;
        assert_eq!(instance(&city, "cleo").await, "active");
    }
    if number.is_multiple_of(2) {
        // A server that starts asks what it was not told.
        city = city.restarted().await;
        all_is_done(&city).await;
    }
    city
}

async fn everything_adds_up(city: &City, used: &BTreeMap<&str, BTreeSet<UsageHour>>) {
    assert_eq!(open(city).await.len(), 0);
    let (_, books) = city.api(Method::POST, "/billing/check", Value::Null).await;
    assert_eq!((&books["problems"], &books["owed"]), (&json!([]), &0.into()));
    let rows = sqlx::query("select v.document, c.email from invoices v join customers c on c.id = v.customer_id");
    let rows = rows.fetch_all(city.db.db.read()).await.unwrap();
    for name in CUSTOMERS {
        let theirs = rows.iter().filter(|row| row.get::<String, _>("email") == email(name));
        let invoices: Vec<Invoice> =
            theirs.map(|row| serde_json::from_slice(&row.get::<Vec<u8>, _>("document")).unwrap()).collect();
        let hours: Vec<UsageHour> = invoices.iter().flat_map(|it| it.hours().iter().collect::<Vec<_>>()).collect();
        assert_eq!(hours.len(), used[name].len(), "{name} pays each hour once");
        assert_eq!(hours.into_iter().collect::<BTreeSet<_>>(), used[name], "{name}");
        let total: i64 = invoices.iter().map(|invoice| invoice.total.get()).sum();
        let payer = payer(city, name);
        assert_eq!(city.stripe.charged_cents(&payer) - city.stripe.refunded_cents(&payer), total, "{name}");
        assert_eq!(instance(city, name).await, "active");
    }
    city.pass(1);
    control_plane::close_if_due(&city.app().core()).await.unwrap();
    all_is_done(city).await;
    let (_, differences) = city.api(Method::GET, "/billing/differences?state=open", Value::Null).await;
    assert_eq!(differences["data"], json!([]));
}

async fn half_a_year_of_failing_cards_and_lost_webhooks_ends_with_every_cent_charged_once(engine: store::Engine) {
    let mut city = City::open_with(engine, forgetful()).await;
    for name in CUSTOMERS {
        sign_up(&city, name).await;
    }
    city.stripe.misdeliver(Deliveries { late: 200, twice: 200, out_of_order: 200, lost: 300 }, Entropy::seeded(5));
    let mut used: BTreeMap<&str, BTreeSet<UsageHour>> = BTreeMap::new();
    for number in 1..=6 {
        let now = Month::of(city.clock.now());
        while Month::of(city.clock.now() + SignedDuration::from_hours(24)) == now {
            days(&city, 1).await;
        }
        for name in CUSTOMERS {
            used.entry(name).or_default().extend(works(&city, name, now).await);
        }
        days(&city, 1).await;
        city = month(city, number).await;
    }
    for name in CUSTOMERS {
        pays(&city, name, false).await;
    }
    city = city.restarted().await;
    days(&city, 1).await;
    everything_adds_up(&city, &used).await;
    let failed = city.count("select count(*) from charge_attempts").await;
    let suspended = city.count("select count(*) from workflows where kind = 'suspend.v1'").await;
    assert!(failed > 5 && suspended == 1, "{failed} charges failed, {suspended} doors were closed");
    city.close().await;
}

#[tokio::test]
async fn half_a_year_of_failing_cards_and_lost_webhooks_ends_with_every_cent_charged_once_on_sqlite() {
    half_a_year_of_failing_cards_and_lost_webhooks_ends_with_every_cent_charged_once(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn half_a_year_of_failing_cards_and_lost_webhooks_ends_with_every_cent_charged_once_on_postgres() {
    half_a_year_of_failing_cards_and_lost_webhooks_ends_with_every_cent_charged_once(store::Engine::Postgres).await;
}
