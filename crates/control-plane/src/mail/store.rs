use domain::{Email, MessageId};
use jiff::{SignedDuration, Timestamp};
use pages::mail::Written;
use providers::mail::{Message, Thread};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Engine, Migration, Tx, from_millis, millis};
use world::Sealer;

use super::Letter;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[MESSAGES, WAYS_OUT];

const WAYS_OUT: Migration = Migration {
    version: 2026120326,
    name: "where mails let their readers leave",
    sql: "alter table messages add column unsubscribe_url text;",
};

const MESSAGES: Migration = Migration {
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
};

/// How long whoever took a mail for delivery has for it, before another may take it.
const DELIVERY_TIME: SignedDuration = SignedDuration::from_mins(5);

/// What the record calls mails whose own subject holds a sign-in code.
const PERISHABLE: &str = "(a sign-in code)";

/// A mail in the outbox.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub message: Message,
    pub at: Timestamp,
    pub attempts: u32,
    /// After that it is of no use to anybody: a sign-in code. Such a mail is in a hurry.
    pub useless_at: Option<Timestamp>,
}

/// What keeps a mail here that is not simply tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// Its address bounces.
    Address,
    /// The server takes nothing of ours.
    Server,
}

impl Obstacle {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Server => "server",
        }
    }
}

/// What a mail says. Some hold sign-in codes, so it rests sealed.
#[derive(Serialize, Deserialize)]
struct Bodies {
    text: String,
    html: String,
    /// Where it may not rest open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// The conversation that it belongs to.
    #[serde(default)]
    thread: Thread,
}

/// Beside what a mail says: how it is to be treated.
#[derive(Debug, Default)]
pub(crate) struct Treatment {
    /// After that it is of no use to anybody, and is not sent any more.
    pub useless_at: Option<Timestamp>,
    /// The conversation that it belongs to.
    pub thread: Thread,
}

/// Stores a mail to be delivered; one with the same key is there already and stays.
pub(crate) async fn insert(
    tx: &mut Tx,
    sealer: &Sealer,
    id: MessageId,
    letter: &Letter<'_>,
    now: Timestamp,
    treatment: Treatment,
) -> Result<(), Error> {
    let Treatment { useless_at, thread } = treatment;
    let id = id.to_string();
    let sealed_subject = useless_at.map(|_| letter.written.subject.clone());
    let open_subject = if useless_at.is_some() { PERISHABLE } else { &letter.written.subject };
    let Written { text, html, .. } = letter.written.clone();
    let bodies = Bodies { text, html, subject: sealed_subject, thread };
    let bodies = serde_json::to_vec(&bodies).map_err(|error| Error::Encode(Box::new(error)))?;
    sqlx::query(
        "insert into messages (id, message_key, recipient, subject, bodies, created_at, due_at, attempts, useless_at)
         values ($1, $2, $3, $4, $5, $6, $6, 0, $7) on conflict (message_key) do nothing",
    )
    .bind(&id)
    .bind(letter.key)
    .bind(letter.to.as_str())
    .bind(open_subject)
    .bind(sealer.seal(&purpose(&id), &bodies).map_err(|error| Error::Encode(Box::new(error)))?)
    .bind(millis(now))
    .bind(useless_at.map(millis))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives a mail that was just stored the address at which its reader asks for no more of them.
pub(super) async fn let_leave(tx: &mut Tx, key: &str, url: &str) -> Result<(), Error> {
    sqlx::query("update messages set unsubscribe_url = $2 where message_key = $1")
        .bind(key)
        .bind(url)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes mails that are due; for a while nobody else does.
pub(crate) async fn take_due(db: &Db, sealer: &Sealer, now: Timestamp, limit: u32) -> Result<Vec<Entry>, Error> {
    // SQLite has one writer, so nothing needs to be locked or skipped there.
    let statement = match db.engine() {
        Engine::Sqlite => {
            "update messages set due_at = $2, obstacle = null where id in (
                 select id from messages where delivered_at is null and failed_at is null and due_at <= $1
                 order by due_at limit $3)
             returning *"
        }
        Engine::Postgres => {
            "update messages set due_at = $2, obstacle = null where id in (
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

/// What becomes of a mail that could not be handed on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Next {
    /// It is tried again then.
    Again(Timestamp, Option<Obstacle>),
    /// It stays here until somebody asks for another try.
    Never,
}

/// Notes a failed delivery.
pub(crate) async fn not_delivered(tx: &mut Tx, id: &str, error: &str, next: Next, now: Timestamp) -> Result<(), Error> {
    let (due, obstacle, failed) = match next {
        Next::Again(due, obstacle) => (due, obstacle, None),
        Next::Never => (now, None, Some(now)),
    };
    sqlx::query(
        "update messages set attempts = attempts + 1, error = $2, due_at = $3, obstacle = $4, failed_at = $5
         where id = $1",
    )
    .bind(id)
    .bind(error)
    .bind(millis(due))
    .bind(obstacle.map(Obstacle::as_str))
    .bind(failed.map(millis))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Lets a mail wait for a time without a try, since its address bounces.
pub(crate) async fn postpone(db: &Db, id: &str, answer: &str, until: Timestamp) -> Result<(), Error> {
    sqlx::query("update messages set error = $2, due_at = $3, obstacle = 'address' where id = $1")
        .bind(id)
        .bind(answer)
        .bind(millis(until))
        .execute(db.write())
        .await?;
    Ok(())
}

/// Lets everything that is due wait, since the server takes nothing of ours.
pub(crate) async fn hold_all(tx: &mut Tx, error: &str, now: Timestamp, until: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "update messages set error = $1, due_at = $3, obstacle = 'server'
         where delivered_at is null and failed_at is null and due_at <= $2",
    )
    .bind(error)
    .bind(millis(now))
    .bind(millis(until))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Lets go of what waited for the server.
pub(crate) async fn release_all(db: &Db, now: Timestamp) -> Result<u64, Error> {
    let released = sqlx::query(
        "update messages set due_at = $1, obstacle = null
         where obstacle = 'server' and delivered_at is null and failed_at is null",
    )
    .bind(millis(now))
    .execute(db.write())
    .await?;
    Ok(released.rows_affected())
}

/// Lets go of what waited for an address.
pub(crate) async fn release_to(tx: &mut Tx, address: &Email, now: Timestamp) -> Result<u64, Error> {
    let released = sqlx::query(
        "update messages set due_at = $2, obstacle = null
         where recipient = $1 and obstacle = 'address' and delivered_at is null and failed_at is null",
    )
    .bind(address.as_str())
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(released.rows_affected())
}

/// Since when, why and how much mail waits for a server that takes nothing of ours; `None` when it
/// takes it.
pub(crate) async fn refused_server(db: &Db) -> Result<Option<(Timestamp, String, u32)>, Error> {
    let row = sqlx::query(
        "select min(created_at) as since, max(error) as why, count(*) as waiting from messages
         where obstacle = 'server' and delivered_at is null and failed_at is null",
    )
    .fetch_one(db.read())
    .await?;
    let Some(since) = row.try_get::<Option<i64>, _>("since")? else { return Ok(None) };
    let why = row.try_get::<Option<String>, _>("why")?.unwrap_or_default();
    let waiting = u32::try_from(row.try_get::<i64, _>("waiting")?).unwrap_or(u32::MAX);
    Ok(Some((from_millis(since), why, waiting)))
}

/// How a mail fares, without what it says.
#[derive(Debug, Clone)]
pub(crate) struct Fate {
    pub id: String,
    pub to: Email,
    pub subject: String,
    pub at: Timestamp,
    pub due_at: Timestamp,
    pub attempts: u32,
    pub delivered_at: Option<Timestamp>,
    pub failed_at: Option<Timestamp>,
    pub useless_at: Option<Timestamp>,
    pub error: Option<String>,
}

/// How mails fare, newest first; `state` is empty, `waiting`, `delivered` or `failed`.
pub(crate) async fn fates(db: &Db, state: &str, before: Option<&str>, limit: u32) -> Result<Vec<Fate>, Error> {
    let rows = sqlx::query(
        "select * from messages where ($1 = '' or id < $1)
           and ($2 = '' or $2 = case when delivered_at is not null then 'delivered'
                                     when failed_at is not null then 'failed' else 'waiting' end)
         order by id desc limit $3",
    )
    .bind(before.unwrap_or_default())
    .bind(state)
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(fate).collect()
}

/// How one mail fares.
pub(crate) async fn fate_of(db: &Db, id: &str) -> Result<Option<Fate>, Error> {
    let row = sqlx::query("select * from messages where id = $1").bind(id).fetch_optional(db.read()).await?;
    row.as_ref().map(fate).transpose()
}

/// Makes a mail that was not delivered due now, as if it were new. Whether there was one.
pub(crate) async fn renew(tx: &mut Tx, id: &str, now: Timestamp) -> Result<bool, Error> {
    let renewed = sqlx::query(
        "update messages set due_at = $2, attempts = 0, failed_at = null, obstacle = null
         where id = $1 and delivered_at is null and (failed_at is not null or error is not null)",
    )
    .bind(id)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(renewed.rows_affected() > 0)
}

fn fate(row: &AnyRow) -> Result<Fate, Error> {
    let moment = |column: &str| Ok::<_, Error>(row.try_get::<Option<i64>, _>(column)?.map(from_millis));
    Ok(Fate {
        id: row.try_get("id")?,
        to: Email::from_stored(row.try_get("recipient")?)?,
        subject: row.try_get("subject")?,
        at: from_millis(row.try_get("created_at")?),
        due_at: from_millis(row.try_get("due_at")?),
        attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(0),
        delivered_at: moment("delivered_at")?,
        failed_at: moment("failed_at")?,
        useless_at: moment("useless_at")?,
        error: row.try_get("error")?,
    })
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
            subject: match bodies.subject {
                Some(subject) => subject,
                None => row.try_get("subject")?,
            },
            text: bodies.text,
            html: bodies.html,
            thread: bodies.thread,
            unsubscribe_url: row.try_get("unsubscribe_url")?,
        },
        at: from_millis(row.try_get("created_at")?),
        attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(0),
        useless_at: row.try_get::<Option<i64>, _>("useless_at")?.map(from_millis),
    })
}

fn purpose(id: &str) -> String {
    format!("mail {id}")
}
