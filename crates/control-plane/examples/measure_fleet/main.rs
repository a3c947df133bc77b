//! What a main instance takes that has many instances in its store: to start, to look after them while nothing happens,
//! to show its console. `cargo xtask bench fleet` builds this as it is released, starts it, and judges the figures that it
//! prints.
//!
//! One instance is ordered, used and billed; the others are copies of all its rows, each with ids and a name of its own. The
//! compute provider is one in memory, which says of all of them that they sleep. Whoever is measured is a process of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod copies;
mod served;
#[path = "../../tests/house/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use control_plane::BackupSettings;
use providers::compute::Health;
use reqwest::Method;
use serde_json::json;
use store::Engine;
use store::testing::{TestDb, fresh, on_disk};
use support::{TestApp, Vault};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// When the server that is measured looks at its clock.
const NOW: &str = "2026-12-01T10:00:00Z";

/// What was measured, by name.
type Figures = BTreeMap<String, f64>;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, url] = &arguments[..]
        && command == "serve"
    {
        return served::measure(url).await;
    }
    let sizes: Option<Vec<u32>> = arguments.iter().map(|word| word.parse().ok()).collect();
    let Some(sizes) = sizes.filter(|sizes| !sizes.is_empty()) else {
        eprintln!("measure_fleet INSTANCES...");
        std::process::exit(2);
    };
    let mut figures = Figures::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        // The base, above which the others stand.
        for size in [1].iter().chain(&sizes) {
            let folder = tempfile::tempdir().unwrap();
            for (name, value) in measure(engine, folder.path(), *size).await {
                figures.insert(format!("{}_{size}_{name}", called(engine)), value);
            }
        }
    }
    println!("{}", serde_json::to_string(&figures).unwrap());
}

async fn measure(engine: Engine, folder: &Path, size: u32) -> Figures {
    let migrations = control_plane::migrations();
    let db = match engine {
        // On a disk, and not where tests keep theirs: a store waits for it at each commit.
        Engine::Sqlite => on_disk(folder, &migrations).await,
        Engine::Postgres => fresh(engine, &migrations).await,
    };
    let url = populated(db, size).await;
    let began = Instant::now();
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["serve", &url])
        // As the files in `deploy` set it.
        .env("MALLOC_ARENA_MAX", "1")
        .env("MALLOC_TRIM_THRESHOLD_", "65536")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stdout.take().unwrap()).lines();
    assert_eq!(said.next_line().await.unwrap().as_deref(), Some("ready"));
    let start = began.elapsed().as_secs_f64();
    eprintln!("{} with {size} instances: ready after {start:.3} s", called(engine));
    let mut figures: Figures = serde_json::from_str(&said.next_line().await.unwrap().unwrap()).unwrap();
    assert!(server.wait().await.unwrap().success());
    figures.insert("start_seconds".to_owned(), start);
    figures
}

/// A store with so many instances, that nobody has open.
async fn populated(db: TestDb, size: u32) -> String {
    let empty = copies::Rows::of(&db.db).await;
    let url = db.url.clone();
    let began = "2026-10-05T09:00:00Z";
    let daily = (Vault::default(), BackupSettings { proofs_a_night: 0, ..BackupSettings::default() });
    let app = TestApp::start_backing_up_on(db, began, daily).await;
    lives(&app).await;
    let db = app.ended().await;
    copies::make(&db.db, &empty, size - 1).await;
    db.db.close().await;
    url
}

/// The life of the one instance: ordered, used in two months, billed for the first.
async fn lives(app: &TestApp) {
    let name = copies::NAME;
    assert_eq!(app.provision(&format!("{name}@example.com"), name).await, "done");
    app.used(name, &["2026-10-07T09:10:00Z", "2026-10-08T09:10:00Z", "2026-10-09T10:10:00Z"]).await;
    app.go_to("2026-11-01T08:00:00Z");
    app.close(Some("2026-10")).await;
    app.go_to("2026-11-20T10:00:00Z");
    app.used(name, &["2026-11-07T09:10:00Z", "2026-11-19T10:10:00Z"]).await;
    app.go_to(NOW);
    app.close(Some("2026-11")).await;
    // Nothing is owed, and the backup of the day was taken.
    for invoice in app.invoices().await {
        let number = invoice["number"].as_str().unwrap();
        let paid = json!({"amount": invoice["outstanding"], "reference": number});
        let (status, answer) = app.api(Method::POST, &format!("/invoices/{number}/payments"), Some(paid)).await;
        assert!(status.is_success(), "{status} {answer}");
    }
    control_plane::take_due_backups(app.app()).await.unwrap();
    app.until(async || app.count("select count(*) from backups where state = 'kept'").await == 1).await;
    app.host.see(Health::Asleep, app.clock.now());
    control_plane::observe_instances(app.app()).await.unwrap();
    control_plane::judge_instances(app.app()).await.unwrap();
}

const fn called(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    }
}
