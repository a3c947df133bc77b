//! The whole store, moved, backed up and put back: what was lived in it goes on elsewhere.

use std::io::Cursor;
use std::sync::Arc;

use control_plane::{
    BackupSettings, PutBackError, TableTally, kept_store_backups, migrations, put_back_store, take_due_store_backup,
    take_store_backup,
};
use jiff::SignedDuration;
use providers::storage::{ObjectName, Storage as _};
use reqwest::{Method, StatusCode};
use store::sqlx;
use store::testing::{TestDb, fresh};
use store::{Db, Engine, FillError, copy};
use workflow::Faults;
use world::Sealer;

use crate::support::{TestApp, Vault};

const START: &str = "2026-11-16T00:00:00Z";
const LATER: &str = "2026-12-01T08:00:00Z";

/// An instance, its hours, an invoice, and what the guard and the edge keep of it.
async fn lived_in(engine: Engine) -> TestApp {
    let app = TestApp::start_at(START, engine, Faults::none()).await;
    for name in ["acme", "zoo"] {
        assert_eq!(app.provision(&format!("{name}@example.com"), name).await, "done");
    }
    app.go_to("2026-11-20T12:00:00Z");
    app.used("acme", &["2026-11-17T09:10:00Z", "2026-11-20T11:00:00Z"]).await;
    app.go_to(LATER);
    app.close(Some("2026-11")).await;
    assert_eq!(app.invoices().await.len(), 2);
    app
}

/// What is there works on: pages, books, sign-in, and new customers.
async fn serves_on(db: TestDb) {
    let app = TestApp::start_on(db, LATER, Faults::none()).await;
    assert_eq!(app.instance("acme").await["state"], "active");
    assert_eq!(app.invoices().await.len(), 2);
    assert_eq!(app.problems().await, [""; 0]);
    assert_eq!(app.get("/admin", Some("operator@localhost")).await.status, StatusCode::OK);
    assert_eq!(app.get("/portal/instances/acme", Some("acme@example.com")).await.status, StatusCode::OK);
    assert_eq!(app.provision("new@example.com", "newcomer").await, "done");
    app.close(Some("2026-11")).await;
    assert_eq!(app.invoices().await.len(), 2, "nothing is issued twice");
}

fn key() -> Arc<Sealer> {
    Arc::new(Sealer::new([9; 32]))
}

async fn bytes_of(db: &Db) -> (Vec<u8>, Vec<TableTally>) {
    let mut taken = take_store_backup(db, &key(), LATER.parse().unwrap()).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = taken.content.next().await {
        bytes.extend_from_slice(&piece.unwrap());
    }
    (bytes, taken.tables.await.unwrap().unwrap())
}

async fn put_back(bytes: &[u8], key: Arc<Sealer>, into: &Db) -> Result<Vec<TableTally>, PutBackError> {
    let now = LATER.parse().unwrap();
    Ok(put_back_store(Cursor::new(bytes.to_vec()), key, (into, &migrations()), now).await?.tables)
}

async fn count(db: &Db, select: &'static str) -> i64 {
    sqlx::query_scalar(select).fetch_one(db.read()).await.unwrap()
}

#[tokio::test]
async fn a_store_that_was_lived_in_moves_to_postgres_and_serves_there() {
    let from = lived_in(Engine::Sqlite).await.ended().await;
    let before: Vec<i64> = {
        let contents = from.db.contents().await.unwrap();
        assert!(contents.tables().len() > 60 && contents.versions().len() > 60, "{:?}", contents.tables());
        contents.versions().to_vec()
    };
    let to = fresh(Engine::Postgres, &[]).await;
    let copied = copy(&from.db, &to.db, &migrations()).await.unwrap();
    assert_eq!(to.db.contents().await.unwrap().versions(), before);
    let filled = copied.iter().filter(|(_, tally)| tally.rows() > 0).count();
    assert!(filled > 25, "only {filled} tables hold anything: {copied:?}");

    let again = copy(&from.db, &to.db, &migrations()).await.unwrap_err();
    assert!(matches!(again, FillError::NotEmpty(_)), "{again}");
    assert_eq!(count(&from.db, "select count(*) from instances").await, 2, "the source is as it was");
    serves_on(to).await;
}

#[tokio::test]
async fn a_move_is_refused_where_anything_is_and_goes_on_where_one_broke_off() {
    let from = lived_in(Engine::Sqlite).await.ended().await;
    let strange = fresh(Engine::Postgres, &[]).await;
    sqlx::query("create table somebody_elses (id text)").execute(strange.db.write()).await.unwrap();
    let refused = copy(&from.db, &strange.db, &migrations()).await.unwrap_err();
    assert!(refused.to_string().contains("somebody_elses"), "{refused}");
    assert_eq!(strange.db.contents().await.unwrap().tables().len(), 1, "nothing was made in it");

    // One that was killed leaves tables without rows, or some of the tables.
    let mut all = migrations();
    all.sort_by_key(|migration| migration.version);
    for made in [&all[..], &all[..20]] {
        let broken_off = fresh(Engine::Postgres, made).await;
        copy(&from.db, &broken_off.db, &all).await.unwrap();
        assert_eq!(count(&broken_off.db, "select count(*) from instances").await, 2);
    }
    // A store that a newer program has used is for that program.
    let (newest, known) = all.split_last().unwrap();
    let refused = copy(&from.db, &fresh(Engine::Postgres, &[]).await.db, known).await.unwrap_err();
    assert!(matches!(refused, FillError::Newer(version) if version == newest.version), "{refused}");
}

async fn a_backup_taken_while_it_is_used_serves_on_elsewhere(engine: Engine, into: Engine) {
    let app = lived_in(engine).await;
    let (backup, tables) = bytes_of(&app.db.db).await;
    // What comes after it is not in it.
    assert_eq!(app.provision("late@example.com", "late").await, "done");
    let serial = count(&app.db.db, "select max(members_serial) from instances").await;
    let words = String::from_utf8_lossy(&backup);
    assert!(words.contains(&key().id()) && !words.contains("acme"), "it is named by its key, and read by nobody");
    app.ended().await;

    let to = fresh(into, &[]).await;
    let put = put_back(&backup, key(), &to.db).await.unwrap();
    assert_eq!(put, tables);
    assert_eq!(count(&to.db, "select count(*) from instances").await, 2);
    assert!(
        count(&to.db, "select min(members_serial) from instances").await > serial,
        "guards take lists that are newer"
    );
    let again = put_back(&backup, key(), &to.db).await.unwrap_err();
    assert!(matches!(again, PutBackError::Filling(FillError::NotEmpty(_))), "{again}");
    serves_on(to).await;
}

#[tokio::test]
async fn a_backup_of_sqlite_serves_on_in_postgres() {
    a_backup_taken_while_it_is_used_serves_on_elsewhere(Engine::Sqlite, Engine::Postgres).await;
}

#[tokio::test]
async fn a_backup_of_postgres_serves_on_in_sqlite() {
    a_backup_taken_while_it_is_used_serves_on_elsewhere(Engine::Postgres, Engine::Sqlite).await;
}

#[tokio::test]
async fn what_is_no_whole_backup_of_this_key_leaves_the_store_empty() {
    let app = lived_in(Engine::Sqlite).await;
    let (backup, _) = bytes_of(&app.db.db).await;
    let to = fresh(Engine::Sqlite, &[]).await;
    let other = put_back(&backup, Arc::new(Sealer::new([8; 32])), &to.db).await.unwrap_err();
    assert!(matches!(other, PutBackError::OtherKey { .. }), "{other}");
    let unknown = put_back(b"PK a picture\n", key(), &to.db).await.unwrap_err();
    assert!(matches!(unknown, PutBackError::Unknown(_)), "{unknown}");
    let head = backup.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for length in [head, head + 200, backup.len() / 2, backup.len() - 1] {
        let cut = put_back(&backup[..length], key(), &to.db).await.unwrap_err();
        assert!(matches!(cut, PutBackError::Damaged(_)), "{length}: {cut}");
    }
    for place in [head + 300, backup.len() / 2, backup.len() - 5] {
        let mut changed = backup.clone();
        changed[place] ^= 1;
        let changed = put_back(&changed, key(), &to.db).await.unwrap_err();
        assert!(matches!(changed, PutBackError::Damaged(_)), "{place}: {changed}");
    }
    put_back(&backup, key(), &to.db).await.unwrap();
}

#[tokio::test]
async fn the_server_backs_its_store_up_each_day_and_says_when_it_can_not() {
    let vault = Vault::default();
    let settings = BackupSettings { every_hours: 0, proofs_a_night: 0, store_kept: 2, ..BackupSettings::default() };
    let app = TestApp::start_backing_up(START, Engine::Sqlite, Faults::none(), (vault.clone(), settings)).await;
    let look = async || take_due_store_backup(app.app()).await.unwrap();
    let kept = async || kept_store_backups(&vault, &key()).await.unwrap();
    look().await;
    look().await;
    assert_eq!(kept().await.len(), 1, "one a day");

    app.clock.advance(SignedDuration::from_hours(24));
    vault.be_unavailable(1);
    look().await;
    look().await;
    assert_eq!(kept().await.len(), 1);
    let (_, alerts) = app.api(Method::GET, "/alerts", None).await;
    assert_eq!(alerts["data"][0]["what"], "The store was not backed up", "{alerts}");
    app.clock.advance(SignedDuration::from_mins(61));
    look().await;
    assert_eq!(kept().await.len(), 2, "it is tried again within the day");
    let (_, alerts) = app.api(Method::GET, "/alerts", None).await;
    assert_eq!(alerts["data"].as_array().map(Vec::len), Some(0), "{alerts}");

    app.clock.advance(SignedDuration::from_hours(24));
    look().await;
    let kept = kept().await;
    assert_eq!(kept.len(), 2, "the oldest one goes");
    assert!(kept[0].taken_at > kept[1].taken_at);
    let newest = vault.get(&ObjectName::parse(&kept[0].name).unwrap()).await.unwrap();
    let to = fresh(Engine::Sqlite, &[]).await;
    put_back_store(newest.into_reader(), key(), (&to.db, &migrations()), app.clock.now()).await.unwrap();
    assert_eq!(count(&to.db, "select count(*) from operators").await, 1);
}
