//! What billing takes: the rules alone, a guard's reports into the store, the close of a month, and the page that shows
//! it. `cargo xtask bench billing` builds this as it is released, starts it, and judges the figures that it prints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod closing;
mod computing;
mod reporting;
#[path = "../../tests/house/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
mod support;

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};
use store::Engine;
use store::testing::{fresh, on_disk};
use support::TestApp;
use workflow::Faults;

/// So many requests are under way at once.
const AT_ONCE: usize = 8;

/// What was measured, by name.
#[derive(Default)]
pub struct Figures(BTreeMap<String, f64>);

impl Figures {
    fn set(&mut self, name: impl Into<String>, value: f64) {
        self.0.insert(name.into(), value);
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize| arguments.get(place).and_then(|word| word.parse::<u32>().ok());
    let (Some(customers), Some(events)) = (number(0), number(1)) else {
        eprintln!("measure_billing CUSTOMERS EVENTS-IN-AN-HOUR");
        std::process::exit(2);
    };
    let mut figures = Figures::default();
    computing::measure(&mut figures).unwrap();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        // On a disk, and not where tests keep theirs: a store waits for it at each commit.
        let folder = tempfile::tempdir().unwrap();
        reporting::measure(&mut figures, engine, folder.path(), events).await;
        closing::measure(&mut figures, engine, folder.path(), customers).await;
    }
    println!("{}", serde_json::to_string(&figures.0).unwrap());
}

/// A server on a store of its own, whose instances are made in a moment.
async fn server(engine: Engine, folder: &std::path::Path, moment: &str) -> TestApp {
    let migrations = control_plane::migrations();
    let db = match engine {
        Engine::Sqlite => on_disk(folder, &migrations).await,
        Engine::Postgres => fresh(engine, &migrations).await,
    };
    TestApp::start_on(db, moment, Faults::none()).await
}

async fn provision(app: &TestApp, names: &[String]) {
    let made = stream::iter(names).for_each_concurrent(AT_ONCE, async |name| {
        assert_eq!(app.provision(&format!("{name}@example.com"), name).await, "done");
    });
    made.await;
}

const fn called(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    }
}
