//! The main instance is lost with its store. From a backup of that and from what the providers have, the business goes on;
//! what came after the backup is found, and nothing of it is removed.

use control_plane::{migrations, put_back_store, take_store_backup};
use providers::storage::{FolderStorage, ObjectName, Storage as _};
use serde_json::{Value, json};
use simulators::railway::{Fate, Route};
use std::sync::Arc;
use store::Engine;
use store::testing::fresh;
use world::Sealer;

use crate::support::{Town, Wishes};

fn key() -> Arc<Sealer> {
    Arc::new(Sealer::new([9; 32]))
}

/// Everything that runs by itself and removes something, when it is its time.
async fn whatever_removes_looks(town: &Town) {
    let core = town.app.core();
    control_plane::delete_if_due(&core).await.unwrap();
    control_plane::cancel_if_due(&core).await.unwrap();
    control_plane::keep_pool(&core).await.unwrap();
    control_plane::prune_backups(&core).await.unwrap();
    control_plane::remove_leftover_backups(&core).await.unwrap();
    town.settle().await;
}

async fn the_business_goes_on_from_a_backup_and_the_providers(engine: Engine, after: Engine) {
    let wishes = || Wishes { store: engine, ..Wishes::unhurried() };
    let town = Town::open(wishes()).await;
    town.order("acme").await;
    town.settle().await;
    let (elsewhere, name) = (tempfile::tempdir().unwrap(), ObjectName::parse("store/newest").unwrap());
    let safe = FolderStorage::new(elsewhere.path());
    let taken = take_store_backup(&town.db.db, &key(), town.clock.now()).await.unwrap();
    safe.put(&name, taken.content).await.unwrap();
    // Sold after the backup.
    town.order("zoo").await;
    town.settle().await;
    assert_eq!(town.count("select count(*) from instances where state = 'active'").await, 2);

    let rebuilt = fresh(after, &[]).await;
    let backup = safe.get(&name).await.unwrap().into_reader();
    put_back_store(backup, key(), (&rebuilt.db, &migrations()), town.clock.now()).await.unwrap();
    let town = town.rebuilt_on(rebuilt, Wishes { store: after, ..wishes() }).await;
    town.settle().await;
    assert_eq!(town.count("select count(*) from instances where state = 'active'").await, 1);

    for _ in 0..2 {
        let found = town.look_later().await;
        let mut kinds: Vec<_> = found.iter().map(|one| one["kind"].as_str().unwrap()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["hostname", "project", "subscription"], "what acme has is as it should be: {found:#?}");
        assert!(found.iter().all(|one| one["class"] == "orphan"), "{found:#?}");
        let project: &Value = found.iter().find(|one| one["kind"] == "project").unwrap();
        assert_eq!(project["name"], json!("ai-diy-zoo"));
        assert!(project["words"].as_str().unwrap().contains("restored from an older backup"), "{project}");
        whatever_removes_looks(&town).await;
    }
    let projects = town.companies.railway.projects();
    assert_eq!(projects.len(), 2);
    assert!(projects.iter().all(|held| held.fate != Fate::Deleted), "nothing is removed by itself");
    for host in ["acme.ai-diy.ai", "zoo.ai-diy.ai"] {
        assert!(matches!(town.companies.railway.route(host), Route::Up(_)), "{host}");
    }
    // Business as usual.
    town.order("late").await;
    town.settle().await;
    assert_eq!(town.count("select count(*) from instances where state = 'active'").await, 2);
}

#[tokio::test]
async fn the_business_goes_on_from_a_backup_and_the_providers_on_sqlite() {
    the_business_goes_on_from_a_backup_and_the_providers(Engine::Sqlite, Engine::Sqlite).await;
}

#[tokio::test]
async fn the_business_goes_on_from_a_backup_and_the_providers_on_postgres() {
    the_business_goes_on_from_a_backup_and_the_providers(Engine::Sqlite, Engine::Postgres).await;
}
