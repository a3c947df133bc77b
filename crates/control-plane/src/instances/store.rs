use domain::{CustomerId, Email, Event, InstanceId, InstanceState, ProjectName, Subdomain};
use jiff::Timestamp;
use providers::Removed;
use providers::compute::Observation;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use super::copy::CopyOf;
use super::observe::seen_at;
use super::{Instance, Observed, Place, deletion, holds, names};
use crate::signup::checkout;
use crate::text::{Stored as _, from_json};

pub(crate) const MIGRATIONS: &[Migration] = &[INSTANCES, TIMES_OF_SERVICE];

/// What was active before is taken to have been so since it was ordered. What was over by then is never billed.
const TIMES_OF_SERVICE: Migration = Migration {
    version: 2026112941,
    name: "times of service",
    sql: "
        alter table instances add column active_since bigint;
        alter table instances add column service_ended_at bigint;
        update instances set active_since = created_at where state in ('active', 'suspended', 'deleting');
        update instances set service_ended_at = changed_at where state = 'deleting';",
};

const INSTANCES: Migration = Migration {
    version: 2026112441,
    name: "instances",
    sql: "
        create table instances (
            id text not null primary key,
            customer_id text not null references customers (id),
            subdomain text not null,
            skeleton text not null,
            project text not null,
            state text not null,
            signup_key text unique,
            members_serial bigint not null,
            created_at bigint not null,
            changed_at bigint not null,
            deletion_requested_by text,
            health text,
            observation text,
            observed_at bigint,
            observed_by text
        );
        create unique index instances_skeleton on instances (skeleton) where state not in ('deleted', 'failed');
        create unique index instances_project on instances (project) where state not in ('deleted', 'failed');
        create index instances_customer on instances (customer_id);
        create table removals (
            instance_id text not null references instances (id),
            seq bigint not null,
            kind text not null,
            name text not null,
            removed_at bigint not null,
            primary key (instance_id, kind, name)
        );",
};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select i.*, c.email as customer_email, c.name as customer_name, ",
            seen_at!(),
            " as seen_at from instances i join customers c on c.id = i.customer_id left join looks l on l.id = 1 ",
            $rest
        )
    };
}

/// What a new instance starts with.
pub(crate) struct NewInstance<'a> {
    pub id: InstanceId,
    pub customer: CustomerId,
    /// The name that its customer chose.
    pub subdomain: &'a Subdomain,
    /// Where it is already, under a name of its own, if it was made ahead. The id is that place's then.
    pub ahead: Option<&'a Place>,
    pub signup_key: Option<&'a str>,
    /// What it begins with, if it does not begin empty.
    pub copy_of: Option<CopyOf>,
    pub now: Timestamp,
}

/// Stores a new instance; a unique violation means that its name, or one that looks like it, is taken.
pub(crate) async fn insert(tx: &mut Tx, new: &NewInstance<'_>) -> Result<(), Error> {
    names::store::take(tx, new.id, new.subdomain, new.now).await?;
    let called = new.ahead.map_or(new.subdomain, |place| &place.subdomain);
    let project = new.ahead.map_or_else(|| ProjectName::of(new.subdomain), |place| place.project.clone());
    sqlx::query(
        "insert into instances (id, customer_id, subdomain, skeleton, project, state, signup_key, members_serial,
                                created_at, changed_at, next_subdomain, copied_from, copied_backup)
         values ($1, $2, $3, $4, $5, 'requested', $6, 1, $7, $7, $8, $9, $10)",
    )
    .bind(new.id.to_string())
    .bind(new.customer.to_string())
    .bind(called.as_str())
    .bind(called.skeleton())
    .bind(project.as_str())
    .bind(new.signup_key)
    .bind(millis(new.now))
    .bind(new.ahead.map(|_| new.subdomain.as_str()))
    .bind(new.copy_of.map(|copy| copy.source.to_string()))
    .bind(new.copy_of.and_then(|copy| copy.backup).map(|backup| backup.to_string()))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The instance that an earlier submission of the same form made.
pub(crate) async fn of_signup(db: &Db, key: &str) -> Result<Option<InstanceId>, Error> {
    let id: Option<String> = sqlx::query_scalar("select id from instances where signup_key = $1")
        .bind(key)
        .fetch_optional(db.read())
        .await?;
    id.as_deref().map(InstanceId::from_stored).transpose()
}

pub(crate) async fn find(db: &Db, id: InstanceId) -> Result<Option<Instance>, Error> {
    let row = sqlx::query(select!("where i.id = $1")).bind(id.to_string()).fetch_optional(db.read()).await?;
    row.as_ref().map(instance).transpose()
}

/// By id, project name or subdomain, also the one that it moves to; of several lives of one name the one that lasts, else the latest.
pub(crate) async fn find_by_reference(db: &Db, reference: &str) -> Result<Option<Instance>, Error> {
    let row = sqlx::query(select!(
        "where i.id = $1 or i.project = $1 or i.subdomain = $1 or i.next_subdomain = $1
         order by case when i.state in ('deleted', 'failed') then 1 else 0 end, i.id desc limit 1"
    ))
    .bind(reference)
    .fetch_optional(db.read())
    .await?;
    row.as_ref().map(instance).transpose()
}

/// Newest first; `state` empty means all that are not deleted.
pub(crate) async fn list(
    db: &Db,
    state: Option<InstanceState>,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<Instance>, Error> {
    let select = match state {
        None => {
            select!("where $1 = '' and i.state <> 'deleted' and ($2 = '' or i.id < $2) order by i.id desc limit $3")
        }
        // Few of many: found by the index.
        Some(_) => select!("where i.state = $1 and ($2 = '' or i.id < $2) order by i.id desc limit $3"),
    };
    let rows = sqlx::query(select)
        .bind(state.map_or("", InstanceState::as_str))
        .bind(before.unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(instance).collect()
}

/// The instances of a person who pays: those to be seen in the portal, newest first. Of orders that
/// came to nothing, those that did so after `failed_since`.
pub(crate) async fn owned_by(db: &Db, owner: &Email, failed_since: Timestamp) -> Result<Vec<Instance>, Error> {
    let rows = sqlx::query(select!(
        "where (i.id in (select instance_id from members where email = $1 and role = 'owner') and i.state <> 'deleted')
         or (c.email = $1 and i.state = 'failed' and i.changed_at > $2) order by i.id desc"
    ))
    .bind(owner.as_str())
    .bind(millis(failed_since))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(instance).collect()
}

/// One of a person's instances, by its subdomain, a former one or the next; anybody else's is as if it were not there.
pub(crate) async fn find_owned(db: &Db, owner: &Email, subdomain: &str) -> Result<Option<Instance>, Error> {
    let row = sqlx::query(select!(
        "where (i.subdomain = $2 or i.next_subdomain = $2 or i.id in (select instance_id from former_names where subdomain = $2))
             and (c.email = $1 or i.id in (select instance_id from members where email = $1 and role = 'owner'))
         order by case when i.subdomain = $2 then 0 else 1 end, i.id desc limit 1"
    ))
    .bind(owner.as_str())
    .bind(subdomain)
    .fetch_optional(db.read())
    .await?;
    row.as_ref().map(instance).transpose()
}

pub(crate) async fn of_customer(db: &Db, customer: CustomerId) -> Result<Vec<Instance>, Error> {
    let rows = sqlx::query(select!("where i.customer_id = $1 order by i.id desc"))
        .bind(customer.to_string())
        .fetch_all(db.read())
        .await?;
    rows.iter().map(instance).collect()
}

/// How many instances are being made. Not those that were asked for and wait for a means of payment:
/// that keeps nobody busy.
pub(crate) async fn number_being_made(db: &Db) -> Result<u32, Error> {
    let number: i64 = sqlx::query_scalar(
        "select count(*) from instances i where i.state = 'provisioning' or (i.state = 'requested'
             and not exists (select w.id from workflows w where w.subject = i.id and w.kind = $1))",
    )
    .bind(checkout::KIND)
    .fetch_one(db.read())
    .await?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// How many instances are in each state.
pub(crate) async fn counts(db: &Db) -> Result<Vec<(InstanceState, u32)>, Error> {
    let rows =
        sqlx::query("select state, count(*) as number from instances group by state").fetch_all(db.read()).await?;
    rows.iter()
        .map(|row| {
            let number = u32::try_from(row.try_get::<i64, _>("number")?).unwrap_or(0);
            Ok((InstanceState::from_stored(row.try_get("state")?)?, number))
        })
        .collect()
}

/// Why an instance did not change its state.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransitionError {
    #[error("there is no instance {0}")]
    NotFound(InstanceId),
    #[error(transparent)]
    Invalid(#[from] domain::InvalidTransition),
    #[error("the instance was changed by somebody else at the same moment; look again")]
    Raced,
    #[error(transparent)]
    Store(#[from] Error),
}

/// Where an instance stands, as seen within a transaction.
pub(crate) async fn state(tx: &mut Tx, id: InstanceId) -> Result<Option<InstanceState>, Error> {
    let word: Option<String> = sqlx::query_scalar("select state from instances where id = $1")
        .bind(id.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    word.as_deref().map(InstanceState::from_stored).transpose()
}

/// Lets an event happen to an instance; one that happened already changes nothing. Its names are its own
/// until it is over.
pub(crate) async fn transition(
    tx: &mut Tx,
    id: InstanceId,
    event: Event,
    now: Timestamp,
) -> Result<InstanceState, TransitionError> {
    let from = state(tx, id).await?.ok_or(TransitionError::NotFound(id))?;
    let to = from.after(event)?;
    if to == from {
        return Ok(to);
    }
    let done = sqlx::query("update instances set state = $3, changed_at = $4 where id = $1 and state = $2")
        .bind(id.to_string())
        .bind(from.as_str())
        .bind(to.as_str())
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    if done.rows_affected() != 1 {
        return Err(TransitionError::Raced);
    }
    note_service(tx, id, to, now).await?;
    if to == InstanceState::Deleting {
        holds::store::delete_all(tx, id).await?;
        deletion::store::forget(tx, id).await?;
    }
    if to.is_over() {
        names::store::release_all(tx, id).await?;
    } else if from.is_over()
        && let Some(called) = names::store::called(tx, id).await?
    {
        names::store::reserve(tx, id, &called.subdomain, now).await?;
    }
    Ok(to)
}

/// Notes when the service began and when its end was asked for, for whoever bills it. What fails was never a service.
async fn note_service(tx: &mut Tx, id: InstanceId, to: InstanceState, now: Timestamp) -> Result<(), Error> {
    let change = match to {
        InstanceState::Active => "update instances set active_since = coalesce(active_since, $2) where id = $1",
        InstanceState::Deleting => {
            "update instances set service_ended_at = coalesce(service_ended_at, $2) where id = $1"
        }
        InstanceState::Failed => "update instances set active_since = null, changed_at = $2 where id = $1",
        InstanceState::Requested | InstanceState::Provisioning | InstanceState::Suspended | InstanceState::Deleted => {
            return Ok(());
        }
    };
    sqlx::query(change).bind(id.to_string()).bind(millis(now)).execute(&mut **tx).await?;
    Ok(())
}

/// Notes who asked for the deletion.
pub(crate) async fn note_deletion_request(tx: &mut Tx, id: InstanceId, by: &str) -> Result<(), Error> {
    sqlx::query("update instances set deletion_requested_by = $2 where id = $1")
        .bind(id.to_string())
        .bind(by)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Adds to the record of what was removed; what is recorded already stays as it is.
pub(crate) async fn record_removed(
    tx: &mut Tx,
    id: InstanceId,
    removed: &[Removed],
    now: Timestamp,
) -> Result<(), Error> {
    for entry in removed {
        sqlx::query(
            "insert into removals (instance_id, seq, kind, name, removed_at)
             values ($1, (select count(*) from removals where instance_id = $1), $2, $3, $4)
             on conflict (instance_id, kind, name) do nothing",
        )
        .bind(id.to_string())
        .bind(&entry.kind)
        .bind(&entry.name)
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// The record of what was removed, in order.
pub(crate) async fn removals(db: &Db, id: InstanceId) -> Result<Vec<(Removed, Timestamp)>, Error> {
    let rows = sqlx::query("select * from removals where instance_id = $1 order by seq")
        .bind(id.to_string())
        .fetch_all(db.read())
        .await?;
    rows.iter()
        .map(|row| {
            let removed = Removed { kind: row.try_get("kind")?, name: row.try_get("name")? };
            Ok((removed, from_millis(row.try_get("removed_at")?)))
        })
        .collect()
}

fn instance(row: &AnyRow) -> Result<Instance, Error> {
    let observation: Option<String> = row.try_get("observation")?;
    let observed = match observation {
        Some(text) => {
            let mut observation: Observation = from_json(&text)?;
            observation.at = optional_from_millis(row.try_get("seen_at")?).unwrap_or(observation.at);
            Some(Observed { by: row.try_get("observed_by")?, observation })
        }
        None => None,
    };
    Ok(Instance {
        id: InstanceId::from_stored(row.try_get("id")?)?,
        customer: CustomerId::from_stored(row.try_get("customer_id")?)?,
        customer_name: row.try_get("customer_name")?,
        customer_email: Email::from_stored(row.try_get("customer_email")?)?,
        subdomain: Subdomain::from_stored(row.try_get("subdomain")?)?,
        next_subdomain: row.try_get::<Option<&str>, _>("next_subdomain")?.map(Subdomain::from_stored).transpose()?,
        copied_from: row.try_get::<Option<&str>, _>("copied_from")?.map(InstanceId::from_stored).transpose()?,
        project: ProjectName::from_stored(row.try_get("project")?)?,
        state: InstanceState::from_stored(row.try_get("state")?)?,
        created_at: from_millis(row.try_get("created_at")?),
        changed_at: from_millis(row.try_get("changed_at")?),
        members_serial: u64::try_from(row.try_get::<i64, _>("members_serial")?).unwrap_or(0),
        deletion_requested_by: row.try_get("deletion_requested_by")?,
        suspended_because: row.try_get("suspended_because")?,
        observed,
    })
}
