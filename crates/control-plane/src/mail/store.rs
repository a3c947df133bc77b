use domain::{Email, MessageId};
use jiff::{SignedDuration, Timestamp};
use providers::mail::Message;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Engine, Migration, Tx, from_millis, millis};
use world::Sealer;

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
            bodies {bytes} not null,
            created_at bigint not null,
            due_at bigint not null,
            attempts bigint not null,
            delivered_at bigint,
            failed_at bigint,
            error text
        );
        create index messages_due on messages (due_at) where delivered_at is null and failed_at is null;",
}];

/// How long whoever took a mail for delivery has for it, before another may take it.
const DELIVERY_TIME: SignedDuration = SignedDuration::from_mins(5);

/// A mail in the outbox.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub message: Message,
    pub at: Timestamp,
    pub attempts: u32,
}

/// Text and HTML of a mail. Some hold sign-in codes, so they rest sealed.
#[derive(Serialize, Deserialize)]
struct Bodies {
    text: String,
    html: String,
}

/// Stores a mail to be delivered; one with the same key is there already and stays.
pub(crate) async fn insert(
    tx: &mut Tx,
    sealer: &Sealer,
    id: MessageId,
    letter: &Letter<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    let id = id.to_string();
    let bodies = Bodies { text: letter.text.clone(), html: letter.html.clone() };
    let bodies = serde_json::to_vec(&bodies).map_err(|error| Error::Encode(Box::new(error)))?;
    sqlx::query(
        "insert into messages (id, message_key, recipient, subject, bodies, created_at, due_at, attempts)
         values ($1, $2, $3, $4, $5, $6, $6, 0) on conflict (message_key) do nothing",
    )
    .bind(&id)
    .bind(letter.key)
    .bind(letter.to.as_str())
    .bind(&letter.subject)
    .bind(sealer.seal(&purpose(&id), &bodies).map_err(|error| Error::Encode(Box::new(error)))?)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes mails that are due; for a while nobody else does.
pub(crate) async fn take_due(db: &Db, sealer: &Sealer, now: Timestamp, limit: u32) -> Result<Vec<Entry>, Error> {
    // SQLite has one writer, so nothing needs to be locked or skipped there.
    let statement = match db.engine() {
        Engine::Sqlite => {
            "update messages set due_at = $2 where id in (
                 select id from messages where delivered_at is null and failed_at is null and due_at <= $1
                 order by due_at limit $3)
             returning *"
        }
        Engine::Postgres => {
            "update messages set due_at = $2 where id in (
                 select id from messages where delivered_at is null and failed_at is null and due_at <= $1
                 order by due_at limit $3 for update skip locked)
             returning *"
        }
    };
    let rows = sqlx::query(statement)
        .bind(millis(now))
        .bind(millis(now + DELIVERY_TIME))
        .bind(i64::from(limit))
        .fetch_all(db.write())
        .await?;
    rows.iter().map(|row| entry(row, sealer)).collect()
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
pub(crate) async fn list(db: &Db, sealer: &Sealer, before: Option<&str>, limit: u32) -> Result<Vec<Entry>, Error> {
    let rows = sqlx::query("select * from messages where ($1 = '' or id < $1) order by id desc limit $2")
        .bind(before.unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(|row| entry(row, sealer)).collect()
}

pub(crate) async fn find(db: &Db, sealer: &Sealer, id: &str) -> Result<Option<Entry>, Error> {
    let row = sqlx::query("select * from messages where id = $1").bind(id).fetch_optional(db.read()).await?;
    row.map(|row| entry(&row, sealer)).transpose()
}

fn entry(row: &AnyRow, sealer: &Sealer) -> Result<Entry, Error> {
    let id: String = row.try_get("id")?;
    let sealed: Vec<u8> = row.try_get("bodies")?;
    let opened = sealer.open_sealed(&purpose(&id), &sealed).map_err(|error| Error::Decode(Box::new(error)))?;
    let bodies: Bodies =
        serde_json::from_slice(opened.expose_secret()).map_err(|error| Error::Decode(Box::new(error)))?;
    Ok(Entry {
        message: Message {
            id,
            to: Email::from_stored(row.try_get("recipient")?)?,
            subject: row.try_get("subject")?,
            text: bodies.text,
            html: bodies.html,
        },
        at: from_millis(row.try_get("created_at")?),
        attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(0),
    })
}

fn purpose(id: &str) -> String {
    format!("mail {id}")
}
