use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _};
use store::{Db, millis, optional_from_millis};

/// How many wait for us, how many we wait for, and since when who has waited longest waits.
pub(super) async fn at_present(db: &Db) -> Result<(u64, u64, Option<Timestamp>), Error> {
    let row = sqlx::query(
        "select count(case when state = 'open' then 1 end) as open, count(case when state = 'waiting' then 1 end) as waiting,
                min(waiting_since) as oldest
         from tickets where state in ('open', 'waiting')",
    )
    .fetch_one(db.read())
    .await?;
    let number = |column: &str| Ok::<_, Error>(positive(row.try_get(column)?));
    Ok((number("open")?, number("waiting")?, optional_from_millis(row.try_get("oldest")?)))
}

/// How many were opened since then.
pub(super) async fn opened_since(db: &Db, since: Timestamp) -> Result<u64, Error> {
    let number = sqlx::query_scalar("select count(*) from tickets where opened_at >= $1")
        .bind(millis(since))
        .fetch_one(db.read())
        .await?;
    Ok(positive(number))
}

/// How many of them were answered.
pub(super) async fn answered_since(db: &Db, since: Timestamp) -> Result<i64, Error> {
    sqlx::query_scalar("select count(*) from tickets where opened_at >= $1 and first_answer_at is not null")
        .bind(millis(since))
        .fetch_one(db.read())
        .await
}

/// How long the one waited for its first answer, in milliseconds, that so many were quicker than.
pub(super) async fn first_answer_at_rank(db: &Db, since: Timestamp, rank: i64) -> Result<Option<i64>, Error> {
    sqlx::query_scalar(
        "select first_answer_at - opened_at as took from tickets
         where opened_at >= $1 and first_answer_at is not null order by took limit 1 offset $2",
    )
    .bind(millis(since))
    .bind(rank)
    .fetch_optional(db.read())
    .await
}

/// How many said how content they are, and the sum of what they said.
pub(super) async fn ratings_since(db: &Db, since: Timestamp) -> Result<(u64, u64), Error> {
    let row = sqlx::query(
        "select count(*) as ratings, cast(coalesce(sum(rating), 0) as bigint) as total
         from tickets where rated_at >= $1 and rating is not null",
    )
    .bind(millis(since))
    .fetch_one(db.read())
    .await?;
    Ok((positive(row.try_get("ratings")?), positive(row.try_get("total")?)))
}

fn positive(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
