//! A guard's reports through HTTP into the store, and the same events as rows.

mod store;

use std::path::Path;
use std::time::Instant;

use ::store::Engine;
use ::store::testing::{fresh, on_disk};
use domain::{Evidence, Month, Signal, UsageHour, UsageHours};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::support::TestApp;
use super::{AT_ONCE, Figures, called, provision, server};

const INSTANCES: usize = 96;
const HOURS: u32 = 30;
/// So many hours of one instance are enough to tell how fast rows are.
const HOURS_IN_ROWS: u32 = 240;
/// So many events that come one by one are.
const SINGLE_EVENTS: u32 = 2_000;

pub async fn measure(figures: &mut Figures, engine: Engine, folder: &Path, events: u32) {
    let app = server(engine, &folder.join("reports"), "2026-11-01T00:00:00Z").await;
    let names: Vec<String> = (0..INSTANCES).map(|number| format!("used{number}x")).collect();
    provision(&app, &names).await;
    app.go_to("2026-11-30T23:59:00Z");
    let began = Instant::now();
    let guards = names.chunks(INSTANCES.div_ceil(AT_ONCE)).map(|names| work(&app, names, events));
    futures_util::future::join_all(guards).await;
    let took = began.elapsed().as_secs_f64();
    let reports = f64::from(HOURS) * INSTANCES as f64;
    figures.set(format!("{}_reports_per_second", called(engine)), reports / took);
    figures.set(format!("{}_events_per_second", called(engine)), reports * f64::from(events) / took);
    rows(figures, engine, folder, events).await;
}

/// Guards of some instances, through the same hours: events are merged where they are seen, and each new hour is told
/// with all of its month.
async fn work(app: &TestApp, names: &[String], events: u32) {
    let month = Month::parse("2026-11").unwrap();
    let mut guards: Vec<_> = names
        .iter()
        .map(|name| (app.host.token_of(&format!("ai-diy-{name}")), UsageHours::none(month), Vec::<Evidence>::new()))
        .collect();
    for number in 0..HOURS {
        let first = month.first_hour().start() + SignedDuration::from_hours(i64::from(number) * 7);
        for (token, hours, evidence) in &mut guards {
            for moment in moments(first, events) {
                see(hours, evidence, moment);
            }
            // What was explained before need not be again, but for the hour that may have grown since.
            let latest = &evidence[evidence.len().saturating_sub(2)..];
            let report = json!({"month": month, "hours": hours.encode(), "source": "guard", "evidence": latest});
            let (status, answer) = app.api_as(Some(token), Method::POST, "/activity", Some(report)).await;
            assert_eq!(status, StatusCode::OK, "{answer}");
        }
    }
}

/// What a guard does about each event.
fn see(hours: &mut UsageHours, evidence: &mut Vec<Evidence>, at: Timestamp) {
    let hour = UsageHour::of(at);
    hours.insert(hour).unwrap();
    match evidence.iter_mut().rev().find(|known| known.hour == hour && known.signal == Signal::Member) {
        Some(known) => {
            known.count += 1;
            known.last = known.last.max(at);
        }
        None => evidence.push(Evidence::seen(Signal::Member, at)),
    }
}

fn moments(first: Timestamp, events: u32) -> impl Iterator<Item = Timestamp> {
    let apart = SignedDuration::from_secs(3599) / i32::try_from(events).unwrap();
    (0..i32::try_from(events).unwrap()).map(move |number| first + apart * number)
}

/// The same without sets: a row for each event, written straight into the store, with neither HTTP nor anybody's rights
/// to see to. Once with a transaction for each hour, and once as events come, with one for each of them.
async fn rows(figures: &mut Figures, engine: Engine, folder: &Path, events: u32) {
    let db = match engine {
        Engine::Sqlite => on_disk(&folder.join("rows"), store::MIGRATIONS).await,
        Engine::Postgres => fresh(engine, store::MIGRATIONS).await,
    };
    for (kind, hours, events) in [("hour", HOURS_IN_ROWS, events), ("event", SINGLE_EVENTS, 1)] {
        let began = Instant::now();
        let writers = (0..AT_ONCE as u32).map(|writer| {
            let db = &db.db;
            async move {
                for number in (writer..hours).step_by(AT_ONCE) {
                    let first = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(i64::from(number));
                    let moments: Vec<Timestamp> = moments(first, events).collect();
                    store::insert(db, &format!("ins_{}", number % 96), &moments).await.unwrap();
                }
            }
        });
        futures_util::future::join_all(writers).await;
        let rate = f64::from(hours) * f64::from(events) / began.elapsed().as_secs_f64();
        figures.set(format!("{}_rows_per_second_by_{kind}", called(engine)), rate);
    }
}
