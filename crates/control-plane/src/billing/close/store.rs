use domain::{CustomerId, InstanceId, UsageHour};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, from_millis, millis};

use super::Service;
use crate::text::Stored as _;

/// Services that may have a period to be closed, by customer, after one. Those whose last invoice is made are left out.
pub(crate) async fn services(
    db: &Db,
    after: Option<(CustomerId, InstanceId)>,
    limit: u32,
) -> Result<Vec<Service>, Error> {
    let (customer, instance) = after.map(|(customer, id)| (customer.to_string(), id.to_string())).unwrap_or_default();
    let rows = sqlx::query(
        "select * from (
             select i.id, i.customer_id, i.active_since, i.service_ended_at, i.uncharged_from, i.uncharged_until,
                    (select min(o.active_since) from instances o where o.customer_id = i.customer_id) as customer_since,
                    (select max(v.period_end) from invoices v where v.instance_id = i.id) as billed_until
             from instances i
             where i.active_since is not null and (i.customer_id > $1 or (i.customer_id = $1 and i.id > $2))) as services
         where service_ended_at is null or billed_until is null or billed_until <= service_ended_at / 3600000
         order by customer_id, id limit $3",
    )
    .bind(customer)
    .bind(instance)
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(service).collect()
}

/// Services that are over for ever since a moment or later and whose last invoice is made, by customer, after one.
pub(crate) async fn over_since(
    db: &Db,
    since: Timestamp,
    after: Option<(CustomerId, InstanceId)>,
    limit: u32,
) -> Result<Vec<Service>, Error> {
    let (customer, instance) = after.map(|(customer, id)| (customer.to_string(), id.to_string())).unwrap_or_default();
    let rows = sqlx::query(
        "select * from (
             select i.id, i.customer_id, i.active_since, i.service_ended_at, i.uncharged_from, i.uncharged_until,
                    (select min(o.active_since) from instances o where o.customer_id = i.customer_id) as customer_since,
                    (select max(v.period_end) from invoices v where v.instance_id = i.id) as billed_until
             from instances i
             where i.active_since is not null and i.service_ended_at is not null
                 and i.state in ('deleting', 'deleted') and i.changed_at >= $3
                 and (i.customer_id > $1 or (i.customer_id = $1 and i.id > $2))) as services
         where billed_until > service_ended_at / 3600000
         order by customer_id, id limit $4",
    )
    .bind(customer)
    .bind(instance)
    .bind(millis(since))
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(service).collect()
}

/// One instance's service; none if it was never in use.
pub(crate) async fn find(db: &Db, instance: InstanceId) -> Result<Option<Service>, Error> {
    let row = sqlx::query(
        "select i.id, i.customer_id, i.active_since, i.service_ended_at, i.uncharged_from, i.uncharged_until,
                (select min(o.active_since) from instances o where o.customer_id = i.customer_id) as customer_since,
                (select max(v.period_end) from invoices v where v.instance_id = i.id) as billed_until
         from instances i where i.id = $1 and i.active_since is not null",
    )
    .bind(instance.to_string())
    .fetch_optional(db.read())
    .await?;
    row.as_ref().map(service).transpose()
}

fn service(row: &AnyRow) -> Result<Service, Error> {
    let hour = |millis: Option<i64>| millis.map(|millis| UsageHour::of(from_millis(millis)));
    let began = UsageHour::of(from_millis(row.try_get("active_since")?));
    let billed_until: Option<i64> = row.try_get("billed_until")?;
    Ok(Service {
        instance: InstanceId::from_stored(row.try_get("id")?)?,
        customer: CustomerId::from_stored(row.try_get("customer_id")?)?,
        began,
        customer_since: UsageHour::of(from_millis(row.try_get("customer_since")?)),
        ended: hour(row.try_get("service_ended_at")?),
        billed_until: billed_until.and_then(UsageHour::from_number),
        uncharged: hour(row.try_get("uncharged_from")?).zip(hour(row.try_get("uncharged_until")?)),
    })
}
