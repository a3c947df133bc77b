use domain::{CustomerId, InstanceId};
use jiff::Timestamp;
use jiff::civil::Date;
use store::sqlx::{self, Error, Row as _};
use store::{Db, Migration, Tx, millis};

use crate::text::Stored as _;

/// Who was written to. Nobody is twice.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120324,
    name: "mails that ask customers back",
    sql: "
        create table win_backs (
            customer_id text not null primary key references customers (id),
            written_at bigint not null
        );",
}];

/// Whoever asked for the end of an instance that came in a time, has nothing else here, owes nothing, wants such mail, and
/// was not written to; with the instance.
pub(super) async fn due(
    db: &Db,
    (from, until): (Timestamp, Timestamp),
    today: Date,
    limit: u32,
) -> Result<Vec<(CustomerId, InstanceId)>, Error> {
    let rows = sqlx::query(
        "select c.id as customer_id, max(i.id) as instance_id from instances i join customers c on c.id = i.customer_id
         where i.service_ended_at > $1 and i.service_ended_at <= $2 and i.active_since is not null
           and i.state in ('suspended', 'deleted')
           and exists (select 1 from leavings l where l.instance_id = i.id and l.asked_by = c.email)
           and not exists (select 1 from instances o where o.customer_id = c.id and o.state <> 'failed'
               and (o.service_ended_at > $2 or (o.service_ended_at is null and o.state <> 'deleted')))
           and not exists (select 1 from invoices v where v.customer_id = c.id and v.outstanding > 0 and v.due_on < $3)
           and not exists (select 1 from mail_suppressions s where s.email = c.email)
           and not exists (select 1 from win_backs w where w.customer_id = c.id)
         group by c.id order by c.id limit $4",
    )
    .bind(millis(from))
    .bind(millis(until))
    .bind(today.to_string())
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let customer = CustomerId::from_stored(row.try_get("customer_id")?)?;
            Ok((customer, InstanceId::from_stored(row.try_get("instance_id")?)?))
        })
        .collect()
}

/// Whether nobody has written to the customer before.
pub(super) async fn note(tx: &mut Tx, customer: CustomerId, at: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into win_backs (customer_id, written_at) values ($1, $2) on conflict (customer_id) do nothing",
    )
    .bind(customer.to_string())
    .bind(millis(at))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}
