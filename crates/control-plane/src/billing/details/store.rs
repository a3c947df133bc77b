use domain::{Country, CustomerId, Email, TaxId};
use jiff::Timestamp;
use store::sqlx::{self, AnyConnection, Error, Row as _};
use store::{Migration, Tx, from_millis, millis};

use super::BillingDetails;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112970,
    name: "billing details",
    sql: "
        create table billing_details (
            customer_id text not null primary key references customers (id),
            name text not null,
            address text not null,
            country text not null,
            tax_id text,
            mail_to text,
            author text not null,
            changed_at bigint not null
        );",
}];

/// What a customer set, and when.
pub(crate) async fn find(
    connection: &mut AnyConnection,
    customer: CustomerId,
) -> Result<Option<(BillingDetails, Timestamp)>, Error> {
    let row = sqlx::query("select * from billing_details where customer_id = $1")
        .bind(customer.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        let address: String = row.try_get("address")?;
        let tax_id: Option<String> = row.try_get("tax_id")?;
        let mail_to: Option<String> = row.try_get("mail_to")?;
        let details = BillingDetails {
            name: row.try_get("name")?,
            address: address.lines().map(str::to_owned).collect(),
            country: Country::from_stored(row.try_get("country")?)?,
            tax_id: tax_id.as_deref().map(TaxId::from_stored).transpose()?,
            mail_to: mail_to.as_deref().map(Email::from_stored).transpose()?,
        };
        Ok((details, from_millis(row.try_get("changed_at")?)))
    })
    .transpose()
}

/// Replaces what a customer set.
pub(crate) async fn set(
    tx: &mut Tx,
    customer: CustomerId,
    details: &BillingDetails,
    by: &str,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "insert into billing_details (customer_id, name, address, country, tax_id, mail_to, author, changed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (customer_id) do update set name = excluded.name, address = excluded.address,
             country = excluded.country, tax_id = excluded.tax_id, mail_to = excluded.mail_to,
             author = excluded.author, changed_at = excluded.changed_at",
    )
    .bind(customer.to_string())
    .bind(&details.name)
    .bind(details.address.join("\n"))
    .bind(details.country.code())
    .bind(details.tax_id.as_ref().map(TaxId::as_str))
    .bind(details.mail_to.as_ref().map(Email::as_str))
    .bind(by)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
