use ::billing::dunning::{Dunning, Stage};
use domain::{CustomerId, InstanceId, InstanceState};
use jiff::Timestamp;
use jiff::civil::Date;
use store::sqlx::{self, AnyConnection, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::Kept;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[DUNNINGS, UNCHARGED];

const DUNNINGS: Migration = Migration {
    version: 2026112952,
    name: "dunnings",
    sql: "
        create table dunnings (
            customer_id text not null primary key references customers (id),
            state text not null,
            stage text not null,
            next_at bigint,
            since bigint not null
        );
        create index dunnings_next on dunnings (next_at) where next_at is not null;",
};

/// Between the end of a contract and its restoration nothing is charged.
const UNCHARGED: Migration = Migration {
    version: 2026112953,
    name: "times that are not charged",
    sql: "
        alter table instances add column uncharged_from bigint;
        alter table instances add column uncharged_until bigint;",
};

/// The word for a stage, by which it is found.
pub(crate) const fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Current => "current",
        Stage::Retrying { .. } => "retrying",
        Stage::Charging { .. } => "charging",
        Stage::Reminded { .. } => "reminded",
        Stage::Grace => "grace",
        Stage::Suspended => "suspended",
        Stage::Cancelled { .. } => "cancelled",
        Stage::DeletionAnnounced { .. } => "deletion_announced",
        Stage::Deleted => "deleted",
    }
}

pub(crate) async fn find(connection: &mut AnyConnection, customer: CustomerId) -> Result<Option<Kept>, Error> {
    let row = sqlx::query("select state, since from dunnings where customer_id = $1")
        .bind(customer.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        let state: Dunning =
            serde_json::from_str(row.try_get("state")?).map_err(|error| Error::Decode(error.into()))?;
        Ok(Kept { state, since: from_millis(row.try_get("since")?) })
    })
    .transpose()
}

/// Keeps where a customer stands. For whoever holds the customer's book.
pub(crate) async fn keep(tx: &mut Tx, customer: CustomerId, kept: &Kept) -> Result<(), Error> {
    sqlx::query(
        "insert into dunnings (customer_id, state, stage, next_at, since) values ($1, $2, $3, $4, $5)
         on conflict (customer_id) do update set state = excluded.state, stage = excluded.stage,
             next_at = excluded.next_at, since = excluded.since",
    )
    .bind(customer.to_string())
    .bind(serde_json::to_string(&kept.state).map_err(|error| Error::Encode(error.into()))?)
    .bind(word(kept.state.stage()))
    .bind(kept.state.due().map(millis))
    .bind(millis(kept.since))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A customer's instances that are not over and not on their way out.
pub(crate) async fn living(tx: &mut Tx, customer: CustomerId) -> Result<Vec<(InstanceId, InstanceState)>, Error> {
    let rows = sqlx::query(
        "select id, state from instances
         where customer_id = $1 and state not in ('deleting', 'deleted', 'failed') order by id",
    )
    .bind(customer.to_string())
    .fetch_all(&mut **tx)
    .await?;
    let read = |row: &AnyRow| {
        Ok((InstanceId::from_stored(row.try_get("id")?)?, InstanceState::from_stored(row.try_get("state")?)?))
    };
    rows.iter().map(read).collect()
}

/// Customers with an instance that lives and an invoice whose due date has passed, of whom nobody has told it; as below,
/// by id, after one.
pub(crate) async fn overdue(db: &Db, today: Date, after: &str, limit: u32) -> Result<Vec<CustomerId>, Error> {
    let rows = sqlx::query(
        "select distinct v.customer_id as id from invoices v left join dunnings d on d.customer_id = v.customer_id
         where v.outstanding > 0 and v.due_on < $1 and (d.stage is null or d.stage in ('current', 'deleted'))
             and exists (select 1 from instances i where i.customer_id = v.customer_id
                             and i.state not in ('deleting', 'deleted', 'failed'))
             and v.customer_id > $2
         order by id limit $3",
    )
    .bind(today.to_string())
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(customer).collect()
}

/// Customers whose wait is over.
pub(crate) async fn due(db: &Db, now: Timestamp, after: &str, limit: u32) -> Result<Vec<CustomerId>, Error> {
    let rows = sqlx::query(
        "select customer_id as id from dunnings where next_at <= $1 and customer_id > $2 order by id limit $3",
    )
    .bind(millis(now))
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(customer).collect()
}

/// Customers who are waited for, though no invoice of theirs is overdue, could not be charged, or lost its payment to a
/// bank, any more.
pub(crate) async fn settled(db: &Db, today: Date, after: &str, limit: u32) -> Result<Vec<CustomerId>, Error> {
    let rows = sqlx::query(
        "select d.customer_id as id from dunnings d
         where d.stage not in ('current', 'deleted')
             and not exists (select 1 from invoices v where v.customer_id = d.customer_id and v.outstanding > 0
                                 and (v.due_on < $1 or exists (select 1 from charge_attempts a where a.invoice = v.number)
                                     or exists (select 1 from disputes p where p.invoice = v.number and p.state = 'lost')))
             and d.customer_id > $2
         order by id limit $3",
    )
    .bind(today.to_string())
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(customer).collect()
}

/// Customers with an instance that is open and should be closed for not being paid, or the other way round.
pub(crate) async fn at_wrong_doors(db: &Db, after: &str, limit: u32) -> Result<Vec<CustomerId>, Error> {
    let rows = sqlx::query(
        "select customer_id as id from (
             select i.customer_id,
                    case when exists (select 1 from instance_holds h where h.instance_id = i.id and h.reason = 'unpaid')
                         then 1 else 0 end as is_held,
                    case when d.stage in ('suspended', 'cancelled', 'deletion_announced') then 1 else 0 end as is_closed
             from instances i left join dunnings d on d.customer_id = i.customer_id
             where i.state in ('active', 'suspended')) as doors
         where is_held <> is_closed and customer_id > $1 group by customer_id order by id limit $2",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(customer).collect()
}

/// A customer's instances that can be entered or closed, each with whether it is closed for not being paid.
pub(crate) async fn doors(tx: &mut Tx, customer: CustomerId) -> Result<Vec<(InstanceId, bool)>, Error> {
    let rows = sqlx::query(
        "select i.id, (select count(*) from instance_holds h where h.instance_id = i.id and h.reason = 'unpaid') as holds
         from instances i where i.customer_id = $1 and i.state in ('active', 'suspended') order by i.id",
    )
    .bind(customer.to_string())
    .fetch_all(&mut **tx)
    .await?;
    rows.iter()
        .map(|row| Ok((InstanceId::from_stored(row.try_get("id")?)?, row.try_get::<i64, _>("holds")? > 0)))
        .collect()
}

/// Ends what a customer is charged for. The period in which that happens counts whole.
pub(crate) async fn end_services(tx: &mut Tx, customer: CustomerId, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "update instances set service_ended_at = coalesce(service_ended_at, $2)
         where customer_id = $1 and state in ('active', 'suspended')",
    )
    .bind(customer.to_string())
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The same for one instance, which became ready after the end of the contract.
pub(crate) async fn end_service(tx: &mut Tx, instance: InstanceId, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update instances set service_ended_at = coalesce(service_ended_at, $2) where id = $1")
        .bind(instance.to_string())
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes the end back; what lies between is not charged. Not of what the customer gave up, or wants deleted.
pub(crate) async fn restore_services(tx: &mut Tx, customer: CustomerId, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "update instances set uncharged_from = service_ended_at, uncharged_until = $2, service_ended_at = null
         where customer_id = $1 and service_ended_at is not null and state in ('active', 'suspended')
             and not exists (select 1 from cancellations c where c.instance_id = instances.id)
             and not exists (select 1 from asked_deletions d where d.instance_id = instances.id)",
    )
    .bind(customer.to_string())
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The same for one instance, whose customer gave it up and is back.
pub(crate) async fn restore_service(tx: &mut Tx, instance: InstanceId, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "update instances set uncharged_from = service_ended_at, uncharged_until = $2, service_ended_at = null
         where id = $1 and service_ended_at is not null",
    )
    .bind(instance.to_string())
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn customer(row: &AnyRow) -> Result<CustomerId, Error> {
    CustomerId::from_stored(row.try_get("id")?)
}
