use domain::{Email, MessageId};
use jiff::Timestamp;
use providers::mail::Message;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::Letter;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112444,
    name: "messages",
    sql: "
        create table messages (
            id text not null primary key,
            message_key text not null unique,
            recipient text not null,
            subject text not null,
            text_body text not null,
            html_body text not null,
            created_at bigint not null,
            due_at bigint not null,
            attempts bigint not null,
            delivered_at bigint,
            failed_at bigint,
            error text
        );
        create index messages_due on messages (due_at) where delivered_at is null and failed_at is null;",
}];

/// A mail in the outbox.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub message: Message,
    pub at: Timestamp,
    pub attempts: u32,
}

/// Stores a mail to be delivered; one with the same key is there already and stays.
pub(crate) async fn insert(tx: &mut Tx, id: MessageId, letter: &Letter<'_>, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into messages (id, message_key, recipient, subject, text_body, html_body, created_at, due_at, attempts)
         values ($1, $2, $3, $4, $5, $6, $7, $7, 0) on conflict (message_key) do nothing",
    )
    .bind(id.to_string())
    .bind(letter.key)
    .bind(letter.to.as_str())
    .bind(&letter.subject)
    .bind(&letter.text)
    .bind(&letter.html)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(crate) async fn due(db: &Db, now: Timestamp, limit: u32) -> Result<Vec<Stored>, Error> {
    let rows = sqlx::query(
        "select * from messages where delivered_at is null and failed_at is null and due_at <= $1
         order by due_at limit $2",
    )
    .bind(millis(now))
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(stored).collect()
}

pub(crate) async fn delivered(db: &Db, id: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update messages set delivered_at = $2, attempts = attempts + 1, error = null where id = $1")
        .bind(id)
        .bind(millis(now))
        .execute(db.write())
        .await?;
    Ok(())
}

/// Notes a failed delivery: to be tried again at `retry`, or never.
pub(crate) async fn not_delivered(
    db: &Db,
    id: &str,
    error: &str,
    retry: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("update messages set attempts = attempts + 1, error = $2, due_at = $3, failed_at = $4 where id = $1")
        .bind(id)
        .bind(error)
        .bind(millis(retry.unwrap_or(now)))
        .bind(retry.is_none().then_some(millis(now)))
        .execute(db.write())
        .await?;
    Ok(())
}

/// Newest first.
pub(crate) async fn list(db: &Db, before: Option<&str>, limit: u32) -> Result<Vec<Stored>, Error> {
    let rows = sqlx::query("select * from messages where ($1 = '' or id < $1) order by id desc limit $2")
        .bind(before.unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(stored).collect()
}

pub(crate) async fn find(db: &Db, id: &str) -> Result<Option<Stored>, Error> {
    let row = sqlx::query("select * from messages where id = $1").bind(id).fetch_optional(db.read()).await?;
    row.as_ref().map(stored).transpose()
}

fn stored(row: &AnyRow) -> Result<Stored, Error> {
    Ok(Stored {
        message: Message {
            id: row.try_get("id")?,
            to: Email::from_stored(row.try_get("recipient")?)?,
            subject: row.try_get("subject")?,
            text: row.try_get("text_body")?,
            html: row.try_get("html_body")?,
        },
        at: from_millis(row.try_get("created_at")?),
        attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(0),
    })
}
