use domain::{Cents, CustomerId, InstanceId, Month, UsageHour};
use jiff::Timestamp;
use providers::costs::{Fee, Metered, Resource};
use serde::Deserialize;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use super::Prices;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 2026112990,
        name: "costs",
        sql: "
            create table cost_readings (
                month text not null,
                project text not null,
                resource text not null,
                instance_id text,
                quantity bigint not null,
                primary key (month, project, resource)
            );
            create table cost_months (
                month text not null primary key,
                read_at bigint,
                seats bigint,
                seats_at bigint,
                prices text
            );
            create table payment_fees (
                id text not null primary key,
                kind text not null,
                customer_id text,
                amount bigint not null,
                currency text not null,
                at bigint not null
            );
            create index payment_fees_at on payment_fees (at);",
    },
    Migration {
        version: 2026112991,
        name: "invoices by period",
        sql: "create index invoices_period on invoices (period_start);",
    },
];

/// What is known of a month beside single readings.
#[derive(Debug, Clone, Default)]
pub(crate) struct MonthSeen {
    /// When use was last read: the moment at which the reading began.
    pub read_at: Option<Timestamp>,
    /// The most seats that were taken in it.
    pub seats: Option<u64>,
    pub seats_at: Option<Timestamp>,
    pub prices: Option<Prices>,
}

/// An instance in a month.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub instance: InstanceId,
    pub customer: CustomerId,
    pub since: Timestamp,
    pub ended: Option<Timestamp>,
}

/// What was read of a month. Use never becomes less, so of two readings the larger quantity is the later one, and
/// merging them in any order gives the same.
pub(crate) async fn merge(tx: &mut Tx, month: Month, metered: &[Metered], began: Timestamp) -> Result<(), Error> {
    for one in metered {
        sqlx::query(
            "insert into cost_readings (month, project, resource, instance_id, quantity) values ($1, $2, $3, $4, $5)
             on conflict (month, project, resource) do update set
                 quantity = case when excluded.quantity > cost_readings.quantity then excluded.quantity
                                 else cost_readings.quantity end,
                 instance_id = coalesce(cost_readings.instance_id, excluded.instance_id)
             where excluded.quantity > cost_readings.quantity
                 or (cost_readings.instance_id is null and excluded.instance_id is not null)",
        )
        .bind(month.to_string())
        .bind(&one.project)
        .bind(one.resource.as_str())
        .bind(one.instance.map(|id| id.to_string()))
        .bind(i64::try_from(one.quantity).unwrap_or(i64::MAX))
        .execute(&mut **tx)
        .await?;
    }
    expect_month(tx, month).await?;
    sqlx::query("update cost_months set read_at = $2 where month = $1 and (read_at is null or read_at < $2)")
        .bind(month.to_string())
        .bind(millis(began))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The most seats that were ever seen taken in a month stay.
pub(crate) async fn note_seats(tx: &mut Tx, month: Month, seats: u64, at: Timestamp) -> Result<(), Error> {
    expect_month(tx, month).await?;
    sqlx::query(
        "update cost_months set
             seats = case when seats is null or seats < $2 then $2 else seats end,
             seats_at = case when seats_at is null or seats_at < $3 then $3 else seats_at end
         where month = $1 and (seats is null or seats < $2 or seats_at < $3)",
    )
    .bind(month.to_string())
    .bind(i64::try_from(seats).unwrap_or(i64::MAX))
    .bind(millis(at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The prices of a month that is running: those that are set last stay with it.
pub(crate) async fn note_prices(tx: &mut Tx, month: Month, prices: &Prices) -> Result<(), Error> {
    let document = serde_json::to_string(prices).map_err(|error| Error::Encode(error.into()))?;
    expect_month(tx, month).await?;
    sqlx::query("update cost_months set prices = $2 where month = $1 and (prices is null or prices <> $2)")
        .bind(month.to_string())
        .bind(document)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn expect_month(tx: &mut Tx, month: Month) -> Result<(), Error> {
    sqlx::query("insert into cost_months (month) values ($1) on conflict (month) do nothing")
        .bind(month.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(crate) async fn month(db: &Db, month: Month) -> Result<MonthSeen, Error> {
    let row = sqlx::query("select * from cost_months where month = $1").bind(month.to_string());
    let Some(row) = row.fetch_optional(db.read()).await? else { return Ok(MonthSeen::default()) };
    let prices: Option<String> = row.try_get("prices")?;
    let prices = prices.map(|text| serde_json::from_str(&text)).transpose();
    Ok(MonthSeen {
        read_at: optional_from_millis(row.try_get("read_at")?),
        seats: row.try_get::<Option<i64>, _>("seats")?.map(i64::unsigned_abs),
        seats_at: optional_from_millis(row.try_get("seats_at")?),
        prices: prices.map_err(|error| Error::Decode(error.into()))?,
    })
}

/// What a project used in a month, for which instance, and whose that is or was, where that is known.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub instance: Option<InstanceId>,
    pub customer: Option<CustomerId>,
    pub resource: Resource,
    pub quantity: u64,
}

pub(crate) async fn readings(db: &Db, month: Month) -> Result<Vec<Reading>, Error> {
    let rows = sqlx::query(
        "select r.instance_id, i.customer_id, r.resource, r.quantity
         from cost_readings r left join instances i on i.id = r.instance_id where r.month = $1",
    )
    .bind(month.to_string())
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let instance: Option<&str> = row.try_get("instance_id")?;
            let customer: Option<&str> = row.try_get("customer_id")?;
            let resource = Resource::parse(row.try_get("resource")?);
            let quantity: i64 = row.try_get("quantity")?;
            Ok(Reading {
                instance: instance.map(InstanceId::from_stored).transpose()?,
                customer: customer.map(CustomerId::from_stored).transpose()?,
                resource: resource.ok_or_else(|| Error::Decode("the use of an unknown resource".into()))?,
                quantity: quantity.unsigned_abs(),
            })
        })
        .collect()
}

/// Keeps fees. One that is known already stays as it is.
pub(crate) async fn keep_fees(tx: &mut Tx, fees: &[Fee]) -> Result<(), Error> {
    for fee in fees {
        sqlx::query(
            "insert into payment_fees (id, kind, customer_id, amount, currency, at) values ($1, $2, $3, $4, $5, $6)
             on conflict (id) do nothing",
        )
        .bind(&fee.id)
        .bind(&fee.kind)
        .bind(fee.customer.map(|id| id.to_string()))
        .bind(fee.amount.get())
        .bind(&fee.currency)
        .bind(millis(fee.at))
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// The fees of a time, for whom, in which currency. What was kept for customers of others is for nobody here.
pub(crate) async fn fees(
    db: &Db,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<(Option<CustomerId>, String, Cents)>, Error> {
    let rows = sqlx::query(
        "select c.id as customer_id, f.currency, cast(sum(f.amount) as bigint) as amount
         from payment_fees f left join customers c on c.id = f.customer_id
         where f.at >= $1 and f.at < $2 group by c.id, f.currency",
    )
    .bind(millis(from))
    .bind(millis(until))
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let customer: Option<&str> = row.try_get("customer_id")?;
            let customer = customer.map(CustomerId::from_stored).transpose()?;
            Ok((customer, row.try_get("currency")?, Cents::new(row.try_get("amount")?)))
        })
        .collect()
}

/// The instances that were in service at any time between two moments.
pub(crate) async fn served(db: &Db, from: Timestamp, until: Timestamp) -> Result<Vec<Served>, Error> {
    let rows = sqlx::query(
        "select id, customer_id, active_since, service_ended_at from instances
         where active_since < $2 and (service_ended_at is null or service_ended_at > $1) order by customer_id, id",
    )
    .bind(millis(from))
    .bind(millis(until))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(one_served).collect()
}

fn one_served(row: &AnyRow) -> Result<Served, Error> {
    Ok(Served {
        instance: InstanceId::from_stored(row.try_get("id")?)?,
        customer: CustomerId::from_stored(row.try_get("customer_id")?)?,
        since: from_millis(row.try_get("active_since")?),
        ended: optional_from_millis(row.try_get("service_ended_at")?),
    })
}

/// What of an invoice counts as revenue.
#[derive(Deserialize)]
struct Sold {
    net: Cents,
}

/// Whose invoices, for which instances, have a period that begins between two hours, and what they charge without taxes.
pub(crate) async fn sold(
    db: &Db,
    from: UsageHour,
    until: UsageHour,
) -> Result<Vec<(CustomerId, InstanceId, Cents)>, Error> {
    let rows = sqlx::query(
        "select customer_id, instance_id, document from invoices where period_start >= $1 and period_start < $2",
    )
    .bind(from.get())
    .bind(until.get())
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let document: Vec<u8> = row.try_get("document")?;
            let sold: Sold = serde_json::from_slice(&document).map_err(|error| Error::Decode(error.into()))?;
            let customer = CustomerId::from_stored(row.try_get("customer_id")?)?;
            Ok((customer, InstanceId::from_stored(row.try_get("instance_id")?)?, sold.net))
        })
        .collect()
}
