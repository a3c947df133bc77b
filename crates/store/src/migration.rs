use std::borrow::Cow;

use sqlx::AnyPool;
use sqlx::migrate::{MigrateError, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

use crate::Engine;

/// One change of the tables, applied once and never edited afterwards.
///
/// The text is portable; `{bytes}` stands for the engine's type of binary columns.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Orders all migrations of all crates: `YYYYMMDDNN`.
    pub version: i64,
    /// What it is about, for the record.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

pub(crate) async fn run(pool: &AnyPool, engine: Engine, migrations: &[Migration]) -> Result<(), MigrateError> {
    let bytes = match engine {
        Engine::Sqlite => "blob",
        Engine::Postgres => "bytea",
    };
    let resolved = migrations.iter().map(|migration| {
        let sql = AssertSqlSafe(migration.sql.replace("{bytes}", bytes)).into_sql_str();
        sqlx::migrate::Migration::new(
            migration.version,
            Cow::Borrowed(migration.name),
            MigrationType::Simple,
            sql,
            false,
        )
    });
    Migrator::with_migrations(resolved.collect()).run(pool).await
}
