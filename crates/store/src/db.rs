use std::path::Path;
use std::str::FromStr as _;
use std::sync::Once;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyPool, ConnectOptions as _, Executor as _, Transaction};

use crate::migration::{self, Migration};

/// How long to wait for a connection: a damaged file or a database that is away is an error then.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// A transaction; rolled back when dropped without [`Transaction::commit`].
pub type Tx = Transaction<'static, Any>;

/// Which database holds the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file; one process, one writer.
    Sqlite,
    /// A server; several replicas.
    Postgres,
}

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is of no known kind.
    #[error("{0:?} is not a store: use postgres://user@host/database, or sqlite:PATH")]
    UnknownUrl(String),
    /// It can't be reached or opened. The address is left out, since it may hold a password.
    #[error("can't open the store: {0}; check that the database is running and that the address is right")]
    Open(#[source] sqlx::Error),
    /// A migration failed; the store is as it was before that migration.
    #[error(
        "can't bring the store up to date: {0}; it is as it was before that step; if a newer version of this program \
         has used this store, start that version"
    )]
    Migrate(#[source] sqlx::migrate::MigrateError),
}

/// The store: readers that never wait for the writer, and a way to change things in transactions.
#[derive(Debug, Clone)]
pub struct Db {
    engine: Engine,
    read: AnyPool,
    write: AnyPool,
}

impl Db {
    /// Opens a database file, which is made when there is none.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the file can't be used.
    pub async fn open_file(path: &Path) -> Result<Self, StoreError> {
        Self::open(&format!("sqlite:{}?mode=rwc", path.display())).await
    }

    /// Opens the store at an address: `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    /// [`StoreError`] when the address is of no known kind or doesn't answer.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let engine = match url.split(':').next() {
            Some("sqlite") => Engine::Sqlite,
            Some("postgres" | "postgresql") => Engine::Postgres,
            _ => return Err(StoreError::UnknownUrl(url.split('@').next_back().unwrap_or_default().to_owned())),
        };
        let options = AnyConnectOptions::from_str(url).map_err(StoreError::Open)?.disable_statement_logging();
        match engine {
            Engine::Sqlite => {
                // The writer first: it makes the file and switches it to write-ahead logging.
                let write = sqlite_pool(1).connect_with(options.clone()).await.map_err(StoreError::Open)?;
                let read = sqlite_pool(4).connect_with(options).await.map_err(StoreError::Open)?;
                Ok(Self { engine, read, write })
            }
            Engine::Postgres => {
                let pool = AnyPoolOptions::new()
                    .max_connections(16)
                    .acquire_timeout(PATIENCE)
                    .connect_with(options)
                    .await
                    .map_err(StoreError::Open)?;
                Ok(Self { engine, read: pool.clone(), write: pool })
            }
        }
    }

    /// Brings the tables up to date, under a lock, each migration once.
    ///
    /// # Errors
    /// [`StoreError::Migrate`] when one fails, or when the store was made by a newer version.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<(), StoreError> {
        migration::run(&self.write, self.engine, migrations).await.map_err(StoreError::Migrate)
    }

    /// Which engine it is, for the few statements that differ.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// For reading outside a transaction.
    pub fn read(&self) -> &AnyPool {
        &self.read
    }

    /// For a single statement that changes something.
    pub fn write(&self) -> &AnyPool {
        &self.write
    }

    /// Begins a transaction that may change things. On SQLite it holds the one writer, so keep it
    /// short and never wait for the outside world within it.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn begin(&self) -> Result<Tx, sqlx::Error> {
        match self.engine {
            Engine::Sqlite => self.write.begin_with("begin immediate").await,
            Engine::Postgres => self.write.begin().await,
        }
    }

    /// Asks the store for a sign of life.
    ///
    /// # Errors
    /// When it gives none.
    pub async fn ping(&self) -> Result<(), sqlx::Error> {
        sqlx::query("select 1").execute(&self.read).await.map(drop)
    }

    /// Closes all connections; on SQLite this folds the log into the file.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

fn sqlite_pool(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection
                    .execute(
                        "pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000; \
                         pragma foreign_keys = on; pragma cache_size = -2000; pragma temp_store = memory;",
                    )
                    .await?;
                Ok(())
            })
        })
}
