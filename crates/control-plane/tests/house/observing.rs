//! Looks at all instances: what they find, and how little of it is written.

use std::collections::BTreeMap;

use control_plane::BackupSettings;
use domain::{InstanceId, ProjectName};
use jiff::SignedDuration;
use store::Engine;
use store::testing::fresh;

use crate::support::{TestApp, Vault};

const WRITTEN: &str = "select id, cast(observed_at as text) from instances order by id";

impl TestApp {
    async fn look_a_minute_later(&self) -> String {
        self.clock.advance(SignedDuration::from_mins(1));
        control_plane::observe_instances(self.app()).await.unwrap();
        self.clock.now().to_string()
    }

    async fn seen(&self, subdomain: &str) -> String {
        self.instance(subdomain).await["observed_at"].as_str().unwrap().to_owned()
    }
}

async fn what_looks_as_before_is_seen_and_not_written(engine: Engine) {
    let none = BackupSettings { every_hours: 0, proofs_a_night: 0, ..BackupSettings::default() };
    let db = fresh(engine, &control_plane::migrations()).await;
    let app = TestApp::start_backing_up_on(db, "2026-11-25T10:00:00Z", (Vault::default(), none)).await;
    for name in ["acme", "zoo"] {
        assert_eq!(app.provision(&format!("{name}@example.com"), name).await, "done");
    }
    let zoo = InstanceId::parse(app.instance("zoo").await["id"].as_str().unwrap()).unwrap();
    let app = TestApp::start_asleep_on(app.ended().await, "2026-11-25T10:10:00Z").await;
    let first = app.look_a_minute_later().await;
    assert_eq!(app.instance("acme").await["health"], "asleep");
    let written = app.rows(WRITTEN).await;
    let second = app.look_a_minute_later().await;
    assert_eq!(app.rows(WRITTEN).await, written, "nothing changed");
    assert!(second > first);
    assert_eq!((app.seen("acme").await, app.seen("zoo").await), (second.clone(), second.clone()));

    // Its provider does not show one any more: it was seen when it was seen last.
    app.host.let_sleep(BTreeMap::from([(ProjectName::parse("ai-diy-zoo").unwrap(), zoo)]));
    let third = app.look_a_minute_later().await;
    let fourth = app.look_a_minute_later().await;
    assert!(fourth > third);
    assert_eq!((app.seen("acme").await, app.seen("zoo").await), (second, fourth));
}

#[tokio::test]
async fn what_looks_as_before_is_seen_and_not_written_on_sqlite() {
    what_looks_as_before_is_seen_and_not_written(Engine::Sqlite).await;
}

#[tokio::test]
async fn what_looks_as_before_is_seen_and_not_written_on_postgres() {
    what_looks_as_before_is_seen_and_not_written(Engine::Postgres).await;
}
