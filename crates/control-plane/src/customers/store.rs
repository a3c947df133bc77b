use domain::{CustomerId, Email};
use jiff::Timestamp;
use providers::payments::SavedCard;
use store::sqlx::{self, AnyConnection, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::Customer;
use crate::signup::checkout;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112440,
    name: "customers",
    sql: "
        create table customers (
            id text not null primary key,
            email text not null unique,
            name text not null,
            company text,
            created_at bigint not null
        );
        create table agreements (
            customer_id text not null references customers (id),
            document text not null,
            version text not null,
            accepted_at bigint not null,
            primary key (customer_id, document, version)
        );
        create table payment_methods (
            customer_id text not null primary key references customers (id),
            driver text not null,
            brand text not null,
            last4 text not null,
            expiry text not null,
            saved_at bigint not null
        );",
}];

/// The customer with this address, made now if there is none. A name given now replaces an empty one.
pub(crate) async fn find_or_insert(tx: &mut Tx, new: &Customer) -> Result<CustomerId, Error> {
    let id: String = sqlx::query_scalar(
        "insert into customers (id, email, name, company, created_at) values ($1, $2, $3, $4, $5)
         on conflict (email) do update set
             name = case when customers.name = '' then excluded.name else customers.name end,
             company = coalesce(customers.company, excluded.company)
         returning id",
    )
    .bind(new.id.to_string())
    .bind(new.email.as_str())
    .bind(&new.name)
    .bind(&new.company)
    .bind(millis(new.created_at))
    .fetch_one(&mut **tx)
    .await?;
    CustomerId::from_stored(&id)
}

/// Records that a customer accepted a text; the first acceptance of a version stands.
pub(crate) async fn agree(
    tx: &mut Tx,
    customer: CustomerId,
    document: &str,
    version: &str,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "insert into agreements (customer_id, document, version, accepted_at) values ($1, $2, $3, $4)
         on conflict (customer_id, document, version) do nothing",
    )
    .bind(customer.to_string())
    .bind(document)
    .bind(version)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What a customer agreed to: document, version, when.
pub(crate) async fn agreements(db: &Db, customer: CustomerId) -> Result<Vec<(String, String, Timestamp)>, Error> {
    let rows = sqlx::query("select * from agreements where customer_id = $1 order by accepted_at, document")
        .bind(customer.to_string())
        .fetch_all(db.read())
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("document")?, row.try_get("version")?, from_millis(row.try_get("accepted_at")?))))
        .collect()
}

/// Replaces a customer's way to pay.
pub(crate) async fn save_card(
    tx: &mut Tx,
    customer: CustomerId,
    driver: &str,
    card: &SavedCard,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "insert into payment_methods (customer_id, driver, brand, last4, expiry, saved_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (customer_id) do update set driver = excluded.driver, brand = excluded.brand,
             last4 = excluded.last4, expiry = excluded.expiry, saved_at = excluded.saved_at",
    )
    .bind(customer.to_string())
    .bind(driver)
    .bind(&card.brand)
    .bind(&card.last4)
    .bind(&card.expiry)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A customer's way to pay.
pub(crate) async fn card(db: &Db, customer: CustomerId) -> Result<Option<SavedCard>, Error> {
    let row = sqlx::query("select * from payment_methods where customer_id = $1")
        .bind(customer.to_string())
        .fetch_optional(db.read())
        .await?;
    row.map(|row| {
        Ok(SavedCard { brand: row.try_get("brand")?, last4: row.try_get("last4")?, expiry: row.try_get("expiry")? })
    })
    .transpose()
}

/// Whether the customer with this address has, or had, an instance that worked or is being made. Not one
/// that waits for a means of payment: whoever lost the way there may order again.
pub(crate) async fn has_instances(db: &Db, email: &Email) -> Result<bool, Error> {
    let found: Option<i64> = sqlx::query_scalar(
        "select i.members_serial from instances i join customers c on c.id = i.customer_id
         where c.email = $1 and i.state <> 'failed' and not (i.state = 'requested'
             and exists (select w.id from workflows w where w.subject = i.id and w.kind = $2)) limit 1",
    )
    .bind(email.as_str())
    .bind(checkout::KIND)
    .fetch_optional(db.read())
    .await?;
    Ok(found.is_some())
}

pub(crate) async fn find(db: &Db, id: CustomerId) -> Result<Option<Customer>, Error> {
    find_in(&mut *db.read().acquire().await?, id).await
}

/// As seen within a transaction.
pub(crate) async fn find_in(connection: &mut AnyConnection, id: CustomerId) -> Result<Option<Customer>, Error> {
    let row =
        sqlx::query("select * from customers where id = $1").bind(id.to_string()).fetch_optional(connection).await?;
    row.as_ref().map(customer).transpose()
}

pub(crate) async fn find_by_email(db: &Db, email: &Email) -> Result<Option<Customer>, Error> {
    let row =
        sqlx::query("select * from customers where email = $1").bind(email.as_str()).fetch_optional(db.read()).await?;
    row.as_ref().map(customer).transpose()
}

/// Customers with the number of their instances that are not over, newest first.
pub(crate) async fn list(db: &Db, before: Option<&str>, limit: u32) -> Result<Vec<(Customer, u32)>, Error> {
    let rows = sqlx::query(
        "select c.*, (select count(*) from instances i
                      where i.customer_id = c.id and i.state not in ('deleted', 'failed')) as instances
         from customers c where ($1 = '' or c.id < $1) order by c.id desc limit $2",
    )
    .bind(before.unwrap_or_default())
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| Ok((customer(row)?, u32::try_from(row.try_get::<i64, _>("instances")?).unwrap_or(0))))
        .collect()
}

fn customer(row: &AnyRow) -> Result<Customer, Error> {
    Ok(Customer {
        id: CustomerId::from_stored(row.try_get("id")?)?,
        name: row.try_get("name")?,
        email: Email::from_stored(row.try_get("email")?)?,
        company: row.try_get("company")?,
        created_at: from_millis(row.try_get("created_at")?),
    })
}
