use domain::{AlertId, AlertState, Severity};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Engine, Migration, Tx, from_millis, millis, optional_from_millis};

use super::{Alert, Kind};
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026113041,
    name: "alerts",
    sql: "
        create table alerts (
            id text not null primary key,
            alert_key text not null unique,
            kind text not null,
            severity text not null,
            what text not null,
            why text not null,
            path text not null,
            state text not null,
            until_at bigint,
            first_seen_at bigint not null,
            last_seen_at bigint not null,
            seen bigint not null,
            told_at bigint,
            handled_by text,
            note text,
            escalated_at bigint,
            resolved_at bigint
        );
        create index alerts_open on alerts (state) where state <> 'resolved';
        create index alerts_told on alerts (told_at);
        create table alert_messages (
            id text not null primary key,
            alert_id text not null references alerts (id),
            body text not null,
            due_at bigint not null,
            attempts bigint not null,
            delivered_at bigint,
            failed_at bigint,
            error text
        );
        create index alert_messages_due on alert_messages (due_at) where delivered_at is null and failed_at is null;",
}];

/// Stores a new one; whether there was none with this key.
pub(super) async fn insert(tx: &mut Tx, alert: &Alert) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into alerts (id, alert_key, kind, severity, what, why, path, state, first_seen_at, last_seen_at, seen)
         values ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $8, 1) on conflict (alert_key) do nothing",
    )
    .bind(alert.id.to_string())
    .bind(&alert.key)
    .bind(alert.kind.as_str())
    .bind(alert.severity.as_str())
    .bind(&alert.what)
    .bind(&alert.why)
    .bind(&alert.path)
    .bind(millis(alert.first_seen_at))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The one with this key, held until the transaction ends.
pub(super) async fn hold(tx: &mut Tx, key: &str) -> Result<Option<Alert>, Error> {
    let row = sqlx::query("update alerts set alert_key = alert_key where alert_key = $1 returning *")
        .bind(key)
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(alert).transpose()
}

pub(super) async fn hold_by_id(tx: &mut Tx, id: AlertId) -> Result<Option<Alert>, Error> {
    let row = sqlx::query("update alerts set alert_key = alert_key where id = $1 returning *")
        .bind(id.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(alert).transpose()
}

/// What is known after it was seen again.
pub(super) async fn seen(tx: &mut Tx, alert: &Alert) -> Result<(), Error> {
    sqlx::query(
        "update alerts set state = $2, until_at = $3, what = $4, why = $5, path = $6, first_seen_at = $7,
             last_seen_at = $8, seen = $9, told_at = $10, handled_by = $11, note = $12, escalated_at = $13,
             resolved_at = null
         where id = $1",
    )
    .bind(alert.id.to_string())
    .bind(alert.state.as_str())
    .bind(alert.state.until().map(millis))
    .bind(&alert.what)
    .bind(&alert.why)
    .bind(&alert.path)
    .bind(millis(alert.first_seen_at))
    .bind(millis(alert.last_seen_at))
    .bind(i64::from(alert.seen))
    .bind(alert.told_at.map(millis))
    .bind(&alert.handled_by)
    .bind(&alert.note)
    .bind(alert.escalated_at.map(millis))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn set_state(tx: &mut Tx, id: AlertId, state: AlertState, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update alerts set state = $2, until_at = $3, resolved_at = $4 where id = $1")
        .bind(id.to_string())
        .bind(state.as_str())
        .bind(state.until().map(millis))
        .bind(state.is_over().then(|| millis(now)))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn set_handled(tx: &mut Tx, id: AlertId, by: &str, note: Option<&str>) -> Result<(), Error> {
    sqlx::query("update alerts set handled_by = $2, note = coalesce($3, note) where id = $1")
        .bind(id.to_string())
        .bind(by)
        .bind(note)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A mail about it was written.
pub(super) async fn told(tx: &mut Tx, id: AlertId, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update alerts set told_at = $2 where id = $1")
        .bind(id.to_string())
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Of how many was told since then.
pub(super) async fn told_since(tx: &mut Tx, since: Timestamp) -> Result<u32, Error> {
    let number: i64 = sqlx::query_scalar("select count(*) from alerts where told_at >= $1")
        .bind(millis(since))
        .fetch_one(&mut **tx)
        .await?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Those that are open and of which nobody was told, oldest first; held, so that one replica tells of them.
pub(super) async fn untold(tx: &mut Tx, most: u32) -> Result<Vec<Alert>, Error> {
    let rows = sqlx::query(
        "update alerts set alert_key = alert_key where id in (
             select id from alerts where state = 'open' and told_at is null order by id limit $1)
         returning *",
    )
    .bind(i64::from(most))
    .fetch_all(&mut **tx)
    .await?;
    let mut alerts = rows.iter().map(alert).collect::<Result<Vec<_>, Error>>()?;
    alerts.sort_by_key(|alert| alert.id);
    Ok(alerts)
}

/// Those whose silence is over, held.
pub(super) async fn silences_over(tx: &mut Tx, now: Timestamp) -> Result<Vec<Alert>, Error> {
    let rows =
        sqlx::query("update alerts set alert_key = alert_key where state = 'silenced' and until_at <= $1 returning *")
            .bind(millis(now))
            .fetch_all(&mut **tx)
            .await?;
    rows.iter().map(alert).collect()
}

/// Those that are open since before then and were told to nobody else yet, held.
pub(super) async fn unheeded(tx: &mut Tx, since: Timestamp) -> Result<Vec<Alert>, Error> {
    let rows = sqlx::query(
        "update alerts set alert_key = alert_key
         where state = 'open' and escalated_at is null and first_seen_at <= $1 and severity <> 'notice' returning *",
    )
    .bind(millis(since))
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(alert).collect()
}

pub(super) async fn escalated(tx: &mut Tx, id: AlertId, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update alerts set escalated_at = $2 where id = $1")
        .bind(id.to_string())
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The keys of those that are not over and begin with a word.
pub(crate) async fn open_keys(tx: &mut Tx, word: &str) -> Result<Vec<String>, Error> {
    sqlx::query_scalar("select alert_key from alerts where state <> 'resolved' and alert_key like $1")
        .bind(format!("{word} %"))
        .fetch_all(&mut **tx)
        .await
}

/// Newest first; without a state, all that are not over.
pub(crate) async fn list(db: &Db, state: &str, before: Option<&str>, limit: u32) -> Result<Vec<Alert>, Error> {
    let rows = sqlx::query(
        "select * from alerts where (state = $1 or ($1 = '' and state <> 'resolved')) and ($2 = '' or id < $2)
         order by id desc limit $3",
    )
    .bind(state)
    .bind(before.unwrap_or_default())
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(alert).collect()
}

/// A message to the webhook that is to be sent.
pub(super) struct Message {
    pub id: String,
    pub body: String,
    pub attempts: u32,
}

pub(super) async fn post(tx: &mut Tx, id: &str, alert: AlertId, body: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into alert_messages (id, alert_id, body, due_at, attempts) values ($1, $2, $3, $4, 0)
         on conflict (id) do nothing",
    )
    .bind(id)
    .bind(alert.to_string())
    .bind(body)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes messages that are due; until then nobody else does.
pub(super) async fn take_due(db: &Db, now: Timestamp, until: Timestamp, most: u32) -> Result<Vec<Message>, Error> {
    let lock = match db.engine() {
        Engine::Sqlite => "",
        Engine::Postgres => " for update skip locked",
    };
    let statement = format!(
        "update alert_messages set due_at = $2 where id in (
             select id from alert_messages where delivered_at is null and failed_at is null and due_at <= $1
             order by due_at limit $3{lock})
         returning id, body, attempts"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(millis(now))
        .bind(millis(until))
        .bind(i64::from(most))
        .fetch_all(db.write())
        .await?;
    rows.iter()
        .map(|row| {
            let attempts: i64 = row.try_get("attempts")?;
            let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
            Ok(Message { id: row.try_get("id")?, body: row.try_get("body")?, attempts })
        })
        .collect()
}

pub(super) async fn delivered(db: &Db, id: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update alert_messages set delivered_at = $2, attempts = attempts + 1, error = null where id = $1")
        .bind(id)
        .bind(millis(now))
        .execute(db.write())
        .await?;
    Ok(())
}

/// It is tried again then, or never.
pub(super) async fn not_delivered(
    db: &Db,
    id: &str,
    error: &str,
    again: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "update alert_messages set attempts = attempts + 1, error = $2, due_at = $3, failed_at = $4 where id = $1",
    )
    .bind(id)
    .bind(error)
    .bind(millis(again.unwrap_or(now)))
    .bind(again.is_none().then(|| millis(now)))
    .execute(db.write())
    .await?;
    Ok(())
}

fn alert(row: &AnyRow) -> Result<Alert, Error> {
    let unreadable = |what: &str| Error::Decode(format!("{what:?} says nothing of an alert").into());
    let kind: &str = row.try_get("kind")?;
    let state: &str = row.try_get("state")?;
    let seen: i64 = row.try_get("seen")?;
    Ok(Alert {
        id: AlertId::from_stored(row.try_get("id")?)?,
        key: row.try_get("alert_key")?,
        kind: Kind::parse(kind).ok_or_else(|| unreadable(kind))?,
        severity: Severity::from_stored(row.try_get("severity")?)?,
        what: row.try_get("what")?,
        why: row.try_get("why")?,
        path: row.try_get("path")?,
        state: AlertState::parse(state, optional_from_millis(row.try_get("until_at")?))
            .map_err(|error| Error::Decode(Box::new(error)))?,
        first_seen_at: from_millis(row.try_get("first_seen_at")?),
        last_seen_at: from_millis(row.try_get("last_seen_at")?),
        seen: u32::try_from(seen).unwrap_or(u32::MAX),
        told_at: optional_from_millis(row.try_get("told_at")?),
        handled_by: row.try_get("handled_by")?,
        note: row.try_get("note")?,
        escalated_at: optional_from_millis(row.try_get("escalated_at")?),
    })
}
