use ::store::sqlx::{self, Error, Row as _, any::AnyRow};
use ::store::{Db, Migration, millis};
use jiff::Timestamp;

/// The table of what setups found out.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112821,
    name: "provider setup",
    sql: "
        create table provider_setup (
            provider text not null,
            name text not null,
            sealed {bytes} not null,
            kept_at bigint not null,
            primary key (provider, name)
        );",
}];

pub(super) async fn all(db: &Db, provider: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let rows = sqlx::query("select name, sealed from provider_setup where provider = $1")
        .bind(provider)
        .fetch_all(db.read())
        .await?;
    let pair = |row: &AnyRow| Ok((row.try_get("name")?, row.try_get("sealed")?));
    rows.iter().map(pair).collect()
}

/// All of them or none.
pub(super) async fn keep(db: &Db, provider: &str, pairs: &[(String, Vec<u8>)], now: Timestamp) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    for (name, sealed) in pairs {
        sqlx::query(
            "insert into provider_setup (provider, name, sealed, kept_at) values ($1, $2, $3, $4)
             on conflict (provider, name) do update set sealed = $3, kept_at = $4",
        )
        .bind(provider)
        .bind(name)
        .bind(sealed.clone())
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await
}
