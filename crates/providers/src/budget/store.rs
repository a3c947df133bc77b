use ::store::sqlx::{self, Error, Row as _};
use ::store::{Db, Migration, Tx, from_millis, millis};
use jiff::{SignedDuration, Timestamp};

use super::Turn;

/// The tables of budgets.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 2026112531,
        name: "provider budgets",
        sql: "
        create table provider_budgets (
            bucket text not null primary key,
            next_at bigint not null,
            blocked_until bigint not null
        );
        create table provider_lines (
            line text not null,
            who text not null,
            entered_at bigint not null,
            primary key (line, who)
        );
        create index provider_lines_order on provider_lines (line, entered_at, who);",
    },
    Migration {
        version: 2026112862,
        name: "turns of provider budgets",
        sql: "
        alter table provider_budgets add column promised_at bigint not null default 0;
        alter table provider_lines add column turn_ends_at bigint;",
    },
];

/// A bucket's row.
struct Bucket {
    next_at: Timestamp,
    blocked_until: Timestamp,
    promised_at: Timestamp,
}

/// Takes one; `Some` is the moment at which to come again. `next_at` is when the bucket would be full: each
/// taking moves it on by `between`, and it may be at most `ahead` in the future. Each who comes in vain is
/// told a moment at which there is one for them, `promised_at` being what `next_at` will be when all of them
/// came: if all came at the same moment, most would come in vain again, and again.
pub(super) async fn take(
    db: &Db,
    bucket: &str,
    now: Timestamp,
    between: SignedDuration,
    ahead: SignedDuration,
) -> Result<Option<Timestamp>, Error> {
    let mut tx = db.begin().await?;
    let held = locked(&mut tx, bucket).await?;
    let free_at = held.blocked_until.max(held.next_at - ahead);
    if free_at > now {
        let next = held.next_at.max(held.promised_at);
        let until = held.blocked_until.max(next - ahead);
        promise(&mut tx, bucket, next.max(until) + between).await?;
        tx.commit().await?;
        return Ok(Some(until));
    }
    set_next(&mut tx, bucket, held.next_at.max(now) + between).await?;
    tx.commit().await?;
    Ok(None)
}

pub(super) async fn block(db: &Db, bucket: &str, until: Timestamp) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    locked(&mut tx, bucket).await?;
    sqlx::query("update provider_budgets set blocked_until = $2 where bucket = $1 and blocked_until < $2")
        .bind(bucket)
        .bind(millis(until))
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

pub(super) async fn turn(db: &Db, line: &str, who: &str, every: SignedDuration, now: Timestamp) -> Result<Turn, Error> {
    let mut tx = db.begin().await?;
    let held = locked(&mut tx, line).await?;
    sqlx::query(
        "insert into provider_lines (line, who, entered_at) values ($1, $2, $3) on conflict (line, who) do nothing",
    )
    .bind(line)
    .bind(who)
    .bind(millis(now))
    .execute(&mut *tx)
    .await?;
    let free_at = held.next_at.max(held.blocked_until);
    let turn = if free_at <= now {
        set_next(&mut tx, line, now + every).await?;
        sqlx::query("update provider_lines set turn_ends_at = $3 where line = $1 and who = $2")
            .bind(line)
            .bind(who)
            .bind(millis(now + every))
            .execute(&mut *tx)
            .await?;
        Turn::Now
    } else {
        let before: i64 = sqlx::query_scalar(
            "select count(*) from provider_lines o join provider_lines me on me.line = o.line and me.who = $2
             where o.line = $1 and (o.entered_at < me.entered_at or (o.entered_at = me.entered_at and o.who < me.who))",
        )
        .bind(line)
        .bind(who)
        .fetch_one(&mut *tx)
        .await?;
        let before = u32::try_from(before).unwrap_or(u32::MAX);
        Turn::Wait { before, until: free_at + every * i32::try_from(before).unwrap_or(i32::MAX) }
    };
    tx.commit().await?;
    Ok(turn)
}

/// Whoever had the last turn did not use it: it is free again.
pub(super) async fn give_back(db: &Db, line: &str, who: &str, now: Timestamp) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    locked(&mut tx, line).await?;
    sqlx::query(
        "update provider_budgets set next_at = $3 where bucket = $1
         and next_at = (select turn_ends_at from provider_lines where line = $1 and who = $2)",
    )
    .bind(line)
    .bind(who)
    .bind(millis(now))
    .execute(&mut *tx)
    .await?;
    // Nobody gives back the same turn twice: the next one's may end at the same moment.
    sqlx::query("update provider_lines set turn_ends_at = null where line = $1 and who = $2")
        .bind(line)
        .bind(who)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

pub(super) async fn leave(db: &Db, line: &str, who: &str) -> Result<(), Error> {
    sqlx::query("delete from provider_lines where line = $1 and who = $2")
        .bind(line)
        .bind(who)
        .execute(db.write())
        .await?;
    Ok(())
}

pub(super) async fn length(db: &Db, line: &str) -> Result<u32, Error> {
    let number: i64 = sqlx::query_scalar("select count(*) from provider_lines where line = $1")
        .bind(line)
        .fetch_one(db.read())
        .await?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// The bucket's row, which no other replica changes until the transaction ends.
async fn locked(tx: &mut Tx, bucket: &str) -> Result<Bucket, Error> {
    let row = sqlx::query(
        "insert into provider_budgets (bucket, next_at, blocked_until) values ($1, 0, 0)
         on conflict (bucket) do update set next_at = provider_budgets.next_at
         returning next_at, blocked_until, promised_at",
    )
    .bind(bucket)
    .fetch_one(&mut **tx)
    .await?;
    let at = |name: &str| row.try_get(name).map(from_millis);
    Ok(Bucket { next_at: at("next_at")?, blocked_until: at("blocked_until")?, promised_at: at("promised_at")? })
}

async fn promise(tx: &mut Tx, bucket: &str, until: Timestamp) -> Result<(), Error> {
    sqlx::query("update provider_budgets set promised_at = $2 where bucket = $1")
        .bind(bucket)
        .bind(millis(until))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn set_next(tx: &mut Tx, bucket: &str, next: Timestamp) -> Result<(), Error> {
    sqlx::query("update provider_budgets set next_at = $2 where bucket = $1")
        .bind(bucket)
        .bind(millis(next))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
