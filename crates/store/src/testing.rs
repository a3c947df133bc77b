//! A fresh store of each engine for a test.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection as _, SqlSafeStr as _};

use crate::{Db, Engine, Migration};

/// A store of a test's own; what it holds is removed with it.
#[derive(Debug)]
pub struct TestDb {
    /// The store, migrated.
    pub db: Db,
    /// Its address, for programs that open it themselves.
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

impl TestDb {
    /// The store at an address, which outlives this.
    ///
    /// # Panics
    /// When it can't be opened.
    #[expect(clippy::expect_used, reason = "a test that can't have its store must fail at once")]
    pub async fn open(url: &str) -> Self {
        Self { db: Db::open(url).await.expect("a store"), url: url.to_owned(), _folder: None }
    }
}

/// Makes an empty, migrated store.
///
/// For PostgreSQL the server's address stands in `SPINOFF_TEST_POSTGRES`, which
/// `cargo xtask test` sets; each store is a database of its own there.
///
/// # Panics
/// When the store can't be made: the test can't run then.
#[expect(clippy::expect_used, reason = "a test that can't have its store must fail at once")]
pub async fn fresh(engine: Engine, migrations: &[Migration]) -> TestDb {
    let (url, folder) = match engine {
        Engine::Sqlite => {
            let folder = in_memory().or_else(|_| tempfile::tempdir()).expect("a temporary folder");
            (format!("sqlite:{}?mode=rwc", folder.path().join("store.db").display()), Some(folder))
        }
        Engine::Postgres => (fresh_postgres().await, None),
    };
    let db = Db::open(&url).await.expect("a store");
    db.migrate(migrations).await.expect("migrations");
    TestDb { db, url, _folder: folder }
}

/// Makes an empty, migrated store of SQLite in a folder, which outlives it: for measuring what a disk takes.
///
/// # Panics
/// When the store can't be made.
#[expect(clippy::expect_used, reason = "as above")]
pub async fn on_disk(folder: &Path, migrations: &[Migration]) -> TestDb {
    std::fs::create_dir_all(folder).expect("a folder");
    let url = format!("sqlite:{}?mode=rwc", folder.join("store.db").display());
    let db = Db::open(&url).await.expect("a store");
    db.migrate(migrations).await.expect("migrations");
    TestDb { db, url, _folder: None }
}

/// A folder that is no disk, where the system has one: a store waits for its disk at each commit.
fn in_memory() -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir_in("/dev/shm")
}

#[expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "as above; the server's address comes from the test command"
)]
async fn fresh_postgres() -> String {
    let server = std::env::var("SPINOFF_TEST_POSTGRES")
        .expect("SPINOFF_TEST_POSTGRES: run tests with `cargo xtask test`, or set it to postgres://user@host:port");
    let name = format!("spinoff_test_{}_{}", std::process::id(), next_number());
    Db::open(&format!("{server}/postgres")).await.expect("the test server");
    let mut admin = sqlx::AnyConnection::connect(&format!("{server}/postgres")).await.expect("the test server");
    sqlx::raw_sql(AssertSqlSafe(format!("drop database if exists {name}")).into_sql_str())
        .execute(&mut admin)
        .await
        .expect("an earlier run's database removed");
    sqlx::raw_sql(AssertSqlSafe(format!("create database {name}")).into_sql_str())
        .execute(&mut admin)
        .await
        .expect("a database");
    format!("{server}/{name}")
}

fn next_number() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    NUMBER.fetch_add(1, Ordering::SeqCst)
}
