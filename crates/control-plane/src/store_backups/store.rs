use jiff::{SignedDuration, Timestamp};
use store::sqlx::{self, Error};
use store::{Db, Migration, Tx, millis};

/// What was begun at which turn. That it is kept, the place where it is says itself.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120331,
    name: "backups of the store",
    sql: "
        create table store_backups (
            turn bigint not null primary key,
            name text not null,
            begun_at bigint not null,
            taken_at bigint
        );",
}];

/// Far more than any list of members changed since a backup.
const SERIALS: i64 = 1_000_000;

/// Makes this turn's backup ours, unless somebody takes it, or has. Who began so long ago has died over it.
pub(super) async fn claim(
    db: &Db,
    turn: i64,
    name: &str,
    (now, dead_for): (Timestamp, SignedDuration),
) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into store_backups (turn, name, begun_at) values ($1, $2, $3)
         on conflict (turn) do update set name = $2, begun_at = $3
         where store_backups.taken_at is null and store_backups.begun_at < $4",
    )
    .bind(turn)
    .bind(name)
    .bind(millis(now))
    .bind(millis(now - dead_for))
    .execute(db.write())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn taken(tx: &mut Tx, turn: i64, name: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update store_backups set taken_at = $3 where turn = $1 and name = $2")
        .bind(turn)
        .bind(name)
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Guards take no list of members that is older than theirs, and may have newer ones than a store that comes from a backup.
pub(super) async fn skip_serials(tx: &mut Tx) -> Result<(), Error> {
    sqlx::query("update instances set members_serial = members_serial + $1").bind(SERIALS).execute(&mut **tx).await?;
    Ok(())
}

/// Whoever took their deletion back since the backup can do so again: none begins before this moment.
pub(super) async fn put_deletions_off(tx: &mut Tx, until: Timestamp) -> Result<(), Error> {
    sqlx::query("update asked_deletions set due_at = $1 where due_at < $1")
        .bind(millis(until))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
