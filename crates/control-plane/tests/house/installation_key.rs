//! A store and the key that it was sealed with belong together.

use std::path::Path;

use control_plane::{KeyTrouble, migrations, open_key};
use jiff::Timestamp;
use store::testing::{TestDb, fresh};
use store::{Db, Engine};
use world::{Entropy, Sealer};

async fn open(db: &Db, path: &Path, seed: u64) -> Result<Sealer, KeyTrouble> {
    open_key(db, path, &Entropy::seeded(seed), Timestamp::UNIX_EPOCH).await
}

async fn change(db: &TestDb, statement: &'static str) {
    store::sqlx::query(statement).execute(db.db.write()).await.unwrap();
}

async fn a_store_is_used_with_its_own_key_alone(engine: Engine) {
    let (test, folder) = (fresh(engine, &migrations()).await, tempfile::tempdir().unwrap());
    let (db, key) = (&test.db, folder.path().join("secret.key"));
    let made = open(db, &key, 1).await.unwrap();
    assert_eq!(open(db, &key, 2).await.unwrap().id(), made.id(), "a later start finds it");

    // A replica without it makes none, and one with another says whose is missing.
    let elsewhere = folder.path().join("replica.key");
    for _ in 0..2 {
        let refused = open(db, &elsewhere, 3).await.unwrap_err();
        assert!(matches!(refused, KeyTrouble::Missing(_)), "{refused}");
        assert!(refused.to_string().contains("put the secret.key there that belongs to this store"), "{refused}");
        assert!(!elsewhere.exists(), "a new one would open nothing");
    }
    std::fs::write(&elsewhere, [7; 32]).unwrap();
    let refused = open(db, &elsewhere, 3).await.unwrap_err();
    assert!(matches!(refused, KeyTrouble::Another { .. }), "{refused}");
    assert!(refused.to_string().contains(&made.id()), "{refused}");
    std::fs::copy(&key, &elsewhere).unwrap();
    assert_eq!(open(db, &elsewhere, 3).await.unwrap().id(), made.id());
}

async fn a_store_from_before_keys_were_noted_is_known_by_what_it_sealed(engine: Engine) {
    let (test, folder) = (fresh(engine, &migrations()).await, tempfile::tempdir().unwrap());
    let (right, wrong) = (folder.path().join("right.key"), folder.path().join("wrong.key"));
    let sealer = Sealer::open(&right, &Entropy::seeded(1)).unwrap();
    std::fs::write(&wrong, [7; 32]).unwrap();
    let sealed = sealer.seal("edge signing key", b"a key").unwrap();
    store::sqlx::query("insert into edge_keys (id, sealed, made_at) values ('signing', $1, 0)")
        .bind(sealed)
        .execute(test.db.write())
        .await
        .unwrap();
    let refused = open(&test.db, &wrong, 2).await.unwrap_err();
    assert!(matches!(refused, KeyTrouble::Another { .. }), "{refused}");
    let missing = folder.path().join("missing.key");
    assert!(matches!(open(&test.db, &missing, 2).await, Err(KeyTrouble::Missing(_))));
    assert_eq!(open(&test.db, &right, 2).await.unwrap().id(), sealer.id());
    // From now on it is noted, whatever becomes of what was sealed.
    change(&test, "delete from edge_keys").await;
    assert!(matches!(open(&test.db, &wrong, 2).await, Err(KeyTrouble::Another { .. })));
}

#[tokio::test]
async fn a_store_is_used_with_its_own_key_alone_on_sqlite() {
    a_store_is_used_with_its_own_key_alone(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_store_is_used_with_its_own_key_alone_on_postgres() {
    a_store_is_used_with_its_own_key_alone(Engine::Postgres).await;
}

#[tokio::test]
async fn a_store_from_before_keys_were_noted_is_known_by_what_it_sealed_on_sqlite() {
    a_store_from_before_keys_were_noted_is_known_by_what_it_sealed(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_store_from_before_keys_were_noted_is_known_by_what_it_sealed_on_postgres() {
    a_store_from_before_keys_were_noted_is_known_by_what_it_sealed(Engine::Postgres).await;
}

#[tokio::test]
async fn of_two_servers_that_begin_a_store_at_once_one_has_its_key() {
    let (test, folder) = (fresh(Engine::Postgres, &migrations()).await, tempfile::tempdir().unwrap());
    let paths: Vec<_> = (0..8).map(|number| folder.path().join(format!("{number}.key"))).collect();
    let starts = paths.iter().zip(0_u64..).map(|(path, seed)| open(&test.db, path, seed));
    let opened = futures_util::future::join_all(starts).await;
    assert_eq!(opened.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{opened:?}");
    assert_eq!(paths.iter().filter(|path| path.exists()).count(), 1, "whoever was late leaves no key behind");
}
