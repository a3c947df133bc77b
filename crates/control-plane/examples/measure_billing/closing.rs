//! The close of a month into the store, what many instances weigh, and how soon a report is seen.

use std::path::Path;
use std::time::{Duration, Instant};

use domain::UsageHour;
use futures_util::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::json;
use store::Engine;

use super::support::TestApp;
use super::{AT_ONCE, Figures, called, provision, server};

/// So many hours are used of each month.
const HOURS: i64 = 40;
const LOOKS: i64 = 100;

pub async fn measure(figures: &mut Figures, engine: Engine, folder: &Path, customers: u32) {
    let app = server(engine, &folder.join("close"), "2026-10-01T00:00:00Z").await;
    let names: Vec<String> = (0..customers).map(|number| format!("paid{number}x")).collect();
    let before = resident();
    provision(&app, &names).await;
    app.go_to("2026-11-01T08:00:00Z");
    everybody_used(&app, &names, "2026-10-01T00:00:00Z").await;
    close(&app, "2026-10", customers).await;
    app.go_to("2026-12-01T08:00:00Z");
    everybody_used(&app, &names, "2026-11-01T00:00:00Z").await;
    let thousands = f64::from(customers) / 1e3;
    let mut set = |what: &str, value: f64| figures.set(format!("{}_{what}", called(engine)), value);
    set("resident_mb_per_1000", (resident() - before) / thousands);
    let began = Instant::now();
    let wanted = json!({"month": "2026-11", "dry_run": true});
    let (status, shown) = app.api(Method::POST, "/billing/close", Some(wanted)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(shown["invoices"].as_array().unwrap().len(), names.len());
    set("dry_run_seconds_per_1000", began.elapsed().as_secs_f64() / thousands);
    let (issued, checked) = close(&app, "2026-11", 2 * customers).await;
    set("issue_seconds_per_1000", issued.as_secs_f64() / thousands);
    set("close_seconds_per_1000", checked.as_secs_f64() / thousands);
    let seen = looks(&app, &names[0]).await;
    set("visible_ms_median", seen[seen.len() / 2].as_secs_f64() * 1e3);
    set("visible_ms_worst", seen[seen.len() - 1].as_secs_f64() * 1e3);
}

async fn everybody_used(app: &TestApp, names: &[String], first: &str) {
    let first: Timestamp = first.parse().unwrap();
    let moments: Vec<_> = (0..HOURS).map(|number| first + SignedDuration::from_hours(number * 17)).collect();
    stream::iter(names).for_each_concurrent(AT_ONCE, |name| app.used_at(name, &moments)).await;
}

/// How long it took until all invoices were there, and until the books were checked too.
async fn close(app: &TestApp, month: &str, invoices: u32) -> (Duration, Duration) {
    let began = Instant::now();
    let id = app.ask_to_close(Some(month)).await;
    while app.count("select count(*) from invoices").await < i64::from(invoices) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let issued = began.elapsed();
    while !workflow::find(&app.db.db, &id).await.unwrap().unwrap().state.is_over() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (issued, began.elapsed())
}

/// From a report to the page that shows its hour, the shortest first.
async fn looks(app: &TestApp, name: &str) -> Vec<Duration> {
    app.go_to("2026-12-20T00:30:00Z");
    let first: Timestamp = "2026-12-02T00:00:00Z".parse().unwrap();
    let mut seen = Vec::new();
    for number in 0..LOOKS {
        let moment = first + SignedDuration::from_hours(number * 3);
        let began = Instant::now();
        app.used_at(name, &[moment]).await;
        let page = app.get(&format!("/portal/instances/{name}/bills"), Some(&format!("{name}@example.com"))).await;
        seen.push(began.elapsed());
        assert!(page.body.contains(&format!("/bills/hours/{}", UsageHour::of(moment).get())), "{}", page.body);
    }
    seen.sort_unstable();
    seen
}

/// What this process holds, in MB of 10^6 bytes.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0 / 1e6
}
