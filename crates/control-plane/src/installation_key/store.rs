use jiff::Timestamp;
use store::sqlx::{self, Error};
use store::{Db, Migration, millis};

/// What the key is called. The key itself is never in the store.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120330,
    name: "installation key",
    sql: "
        create table installation_key (
            only_one bigint not null primary key,
            key_id text not null,
            noted_at bigint not null
        );",
}];

/// What the store's key is called, if that was noted.
pub(super) async fn noted(db: &Db) -> Result<Option<String>, Error> {
    sqlx::query_scalar("select key_id from installation_key").fetch_optional(db.read()).await
}

/// Notes a key unless there is one, and gives the one that is noted: of two servers that begin at the same moment, one is
/// first.
pub(super) async fn note_first(db: &Db, key_id: &str, now: Timestamp) -> Result<String, Error> {
    sqlx::query(
        "insert into installation_key (only_one, key_id, noted_at) values (1, $1, $2) on conflict (only_one) do nothing",
    )
    .bind(key_id)
    .bind(millis(now))
    .execute(db.write())
    .await?;
    sqlx::query_scalar("select key_id from installation_key").fetch_one(db.write()).await
}

/// Whether a server or a setup has sealed anything here, also before keys were noted.
pub(super) async fn is_anything_sealed(db: &Db) -> Result<bool, Error> {
    let count = "select (select count(*) from edge_keys) + (select count(*) from provider_setup)";
    let sealed: i64 = sqlx::query_scalar(count).fetch_one(db.read()).await?;
    Ok(sealed > 0)
}
