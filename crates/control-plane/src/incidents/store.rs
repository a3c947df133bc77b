use std::collections::BTreeMap;

use domain::{Component, Email, Impact, IncidentId, IncidentState};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use super::{Incident, Update};
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026113042,
    name: "incidents",
    sql: "
        create table incidents (
            id text not null primary key,
            title text not null,
            impact text not null,
            components text not null,
            state text not null,
            opened_at bigint not null,
            resolved_at bigint
        );
        create table incident_updates (
            incident_id text not null references incidents (id),
            seq bigint not null,
            state text not null,
            words text not null,
            at bigint not null,
            author text not null,
            told_at bigint,
            primary key (incident_id, seq)
        );
        create index incident_updates_untold on incident_updates (at) where told_at is null;
        create table status_subscribers (
            id text not null primary key,
            email text not null unique,
            asked_at bigint not null,
            confirmed_at bigint
        );
        create index status_subscribers_asked on status_subscribers (asked_at);",
}];

pub(super) async fn insert(tx: &mut Tx, incident: &Incident) -> Result<(), Error> {
    let components: Vec<&str> = incident.components.iter().map(|component| component.as_str()).collect();
    sqlx::query(
        "insert into incidents (id, title, impact, components, state, opened_at) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(incident.id.to_string())
    .bind(&incident.title)
    .bind(incident.impact.as_str())
    .bind(components.join(" "))
    .bind(incident.state.as_str())
    .bind(millis(incident.opened_at))
    .execute(&mut **tx)
    .await?;
    for (number, update) in (0_i64..).zip(&incident.updates) {
        insert_update(tx, incident.id, number, update).await?;
    }
    Ok(())
}

/// Where it stands and how many updates it has, held until the transaction ends.
pub(super) async fn hold(tx: &mut Tx, id: IncidentId) -> Result<Option<(IncidentState, i64)>, Error> {
    let state: Option<String> = sqlx::query_scalar("update incidents set state = state where id = $1 returning state")
        .bind(id.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    let Some(state) = state else { return Ok(None) };
    let number: i64 = sqlx::query_scalar("select count(*) from incident_updates where incident_id = $1")
        .bind(id.to_string())
        .fetch_one(&mut **tx)
        .await?;
    Ok(Some((IncidentState::from_stored(&state)?, number)))
}

pub(super) async fn add(tx: &mut Tx, id: IncidentId, number: i64, update: &Update) -> Result<(), Error> {
    insert_update(tx, id, number, update).await?;
    sqlx::query("update incidents set state = $2, resolved_at = $3 where id = $1")
        .bind(id.to_string())
        .bind(update.state.as_str())
        .bind(update.state.is_over().then(|| millis(update.at)))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn insert_update(tx: &mut Tx, id: IncidentId, number: i64, update: &Update) -> Result<(), Error> {
    sqlx::query(
        "insert into incident_updates (incident_id, seq, state, words, at, author) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.to_string())
    .bind(number)
    .bind(update.state.as_str())
    .bind(&update.text)
    .bind(millis(update.at))
    .bind(&update.by)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(crate) async fn find(db: &Db, id: IncidentId) -> Result<Option<Incident>, Error> {
    let rows = sqlx::query("select * from incidents where id = $1").bind(id.to_string()).fetch_all(db.read()).await?;
    Ok(with_updates(db, &rows).await?.pop())
}

/// Newest first: all of a state, or all.
pub(crate) async fn list(db: &Db, state: &str, before: Option<&str>, limit: u32) -> Result<Vec<Incident>, Error> {
    let rows = sqlx::query(
        "select * from incidents where ($1 = '' or state = $1 or ($1 = 'open' and state <> 'resolved'))
             and ($2 = '' or id < $2) order by id desc limit $3",
    )
    .bind(state)
    .bind(before.unwrap_or_default())
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    with_updates(db, &rows).await
}

/// Those that are open, and those that were opened since then, newest first.
pub(crate) async fn shown(db: &Db, since: Timestamp, most: u32) -> Result<Vec<Incident>, Error> {
    let rows =
        sqlx::query("select * from incidents where state <> 'resolved' or opened_at >= $1 order by id desc limit $2")
            .bind(millis(since))
            .bind(i64::from(most))
            .fetch_all(db.read())
            .await?;
    with_updates(db, &rows).await
}

async fn with_updates(db: &Db, rows: &[AnyRow]) -> Result<Vec<Incident>, Error> {
    let mut incidents = rows.iter().map(incident).collect::<Result<Vec<_>, Error>>()?;
    let (Some(newest), Some(oldest)) = (incidents.first(), incidents.last()) else { return Ok(incidents) };
    let all = sqlx::query(
        "select * from incident_updates where incident_id >= $1 and incident_id <= $2 order by incident_id, seq",
    )
    .bind(oldest.id.to_string())
    .bind(newest.id.to_string())
    .fetch_all(db.read())
    .await?;
    let mut updates: BTreeMap<String, Vec<Update>> = BTreeMap::new();
    for row in &all {
        updates.entry(row.try_get("incident_id")?).or_default().push(update(row)?);
    }
    for incident in &mut incidents {
        incident.updates = updates.remove(&incident.id.to_string()).unwrap_or_default();
    }
    Ok(incidents)
}

/// An update of which subscribers were not told yet.
pub(super) struct Untold {
    pub incident: IncidentId,
    pub number: i64,
    pub title: String,
    pub update: Update,
}

pub(super) async fn untold(db: &Db) -> Result<Option<Untold>, Error> {
    let row = sqlx::query(
        "select u.*, i.title from incident_updates u join incidents i on i.id = u.incident_id
         where u.told_at is null order by u.at limit 1",
    )
    .fetch_optional(db.read())
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Untold {
        incident: IncidentId::from_stored(row.try_get("incident_id")?)?,
        number: row.try_get("seq")?,
        title: row.try_get("title")?,
        update: update(&row)?,
    }))
}

pub(super) async fn told(db: &Db, id: IncidentId, number: i64, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update incident_updates set told_at = $3 where incident_id = $1 and seq = $2")
        .bind(id.to_string())
        .bind(number)
        .bind(millis(now))
        .execute(db.write())
        .await?;
    Ok(())
}

/// Somebody who is told of incidents, or wants to be.
#[derive(Debug, Clone)]
pub(crate) struct Subscriber {
    pub id: String,
    pub email: Email,
    pub asked_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
}

/// Notes that somebody asked to be told; the id that was given first stays.
pub(super) async fn ask(tx: &mut Tx, id: &str, email: &Email, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into status_subscribers (id, email, asked_at) values ($1, $2, $3)
         on conflict (email) do update set asked_at = excluded.asked_at",
    )
    .bind(id)
    .bind(email.as_str())
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn asked_since(tx: &mut Tx, since: Timestamp) -> Result<u32, Error> {
    let number: i64 = sqlx::query_scalar("select count(*) from status_subscribers where asked_at >= $1")
        .bind(millis(since))
        .fetch_one(&mut **tx)
        .await?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

pub(super) async fn by_email(tx: &mut Tx, email: &Email) -> Result<Option<Subscriber>, Error> {
    let row = sqlx::query("select * from status_subscribers where email = $1")
        .bind(email.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(subscriber).transpose()
}

pub(super) async fn subscriber_of(db: &Db, id: &str) -> Result<Option<Subscriber>, Error> {
    let row = sqlx::query("select * from status_subscribers where id = $1").bind(id).fetch_optional(db.read()).await?;
    row.as_ref().map(subscriber).transpose()
}

pub(super) async fn confirm(db: &Db, id: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update status_subscribers set confirmed_at = coalesce(confirmed_at, $2) where id = $1")
        .bind(id)
        .bind(millis(now))
        .execute(db.write())
        .await?;
    Ok(())
}

pub(super) async fn remove(db: &Db, id: &str) -> Result<(), Error> {
    sqlx::query("delete from status_subscribers where id = $1").bind(id).execute(db.write()).await?;
    Ok(())
}

/// Who never confirmed is forgotten.
pub(super) async fn forget_unconfirmed(db: &Db, before: Timestamp) -> Result<(), Error> {
    sqlx::query("delete from status_subscribers where confirmed_at is null and asked_at < $1")
        .bind(millis(before))
        .execute(db.write())
        .await?;
    Ok(())
}

/// Those who are told, in the order of their ids; the next after one.
pub(super) async fn subscribers(db: &Db, after: &str, most: u32) -> Result<Vec<Subscriber>, Error> {
    let rows =
        sqlx::query("select * from status_subscribers where confirmed_at is not null and id > $1 order by id limit $2")
            .bind(after)
            .bind(i64::from(most))
            .fetch_all(db.read())
            .await?;
    rows.iter().map(subscriber).collect()
}

fn subscriber(row: &AnyRow) -> Result<Subscriber, Error> {
    Ok(Subscriber {
        id: row.try_get("id")?,
        email: Email::from_stored(row.try_get("email")?)?,
        asked_at: from_millis(row.try_get("asked_at")?),
        confirmed_at: optional_from_millis(row.try_get("confirmed_at")?),
    })
}

fn incident(row: &AnyRow) -> Result<Incident, Error> {
    let components: &str = row.try_get("components")?;
    Ok(Incident {
        id: IncidentId::from_stored(row.try_get("id")?)?,
        title: row.try_get("title")?,
        impact: Impact::from_stored(row.try_get("impact")?)?,
        components: components.split(' ').map(Component::from_stored).collect::<Result<_, _>>()?,
        state: IncidentState::from_stored(row.try_get("state")?)?,
        opened_at: from_millis(row.try_get("opened_at")?),
        resolved_at: optional_from_millis(row.try_get("resolved_at")?),
        updates: Vec::new(),
    })
}

fn update(row: &AnyRow) -> Result<Update, Error> {
    Ok(Update {
        state: IncidentState::from_stored(row.try_get("state")?)?,
        text: row.try_get("words")?,
        at: from_millis(row.try_get("at")?),
        by: row.try_get("author")?,
    })
}
