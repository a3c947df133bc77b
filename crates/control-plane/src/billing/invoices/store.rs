use billing::{Invoice, InvoiceInputs, Period};
use domain::{Cents, CustomerId, InstanceId, UsageHour};
use jiff::Timestamp;
use jiff::civil::Date;
use store::sqlx::{self, AnyConnection, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::{InvoiceState, Issued};
use crate::billing::settlement::Settlement;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112944,
    name: "invoices",
    sql: "
        create table invoice_numbers (
            series text not null primary key,
            last bigint not null
        );
        insert into invoice_numbers (series, last) values ('invoices', 0);
        create table invoices (
            number text not null primary key,
            seq bigint not null unique,
            customer_id text not null references customers (id),
            instance_id text not null references instances (id),
            period_start bigint not null,
            period_end bigint not null,
            issued_at bigint not null,
            issued_on text not null,
            due_on text not null,
            currency text not null,
            total bigint not null,
            amount_due bigint not null,
            outstanding bigint not null,
            written_off bigint not null,
            inputs text not null,
            document {bytes} not null,
            unique (instance_id, period_start)
        );
        create index invoices_customer on invoices (customer_id, seq);
        create index invoices_outstanding on invoices (due_on) where outstanding > 0;",
}];

/// Gives the next number. It is lost with the transaction, so that none is missing in the end.
pub(crate) async fn next_seq(tx: &mut Tx) -> Result<i64, Error> {
    sqlx::query_scalar("update invoice_numbers set last = last + 1 where series = 'invoices' returning last")
        .fetch_one(&mut **tx)
        .await
}

/// The number given last.
pub(crate) async fn last_seq(db: &Db) -> Result<i64, Error> {
    sqlx::query_scalar("select last from invoice_numbers where series = 'invoices'").fetch_one(db.read()).await
}

/// Whether a period, or one that begins with it, has its invoice.
pub(crate) async fn exists(
    connection: &mut AnyConnection,
    instance: InstanceId,
    start: UsageHour,
) -> Result<bool, Error> {
    let found: Option<i64> =
        sqlx::query_scalar("select seq from invoices where instance_id = $1 and period_start = $2")
            .bind(instance.to_string())
            .bind(start.get())
            .fetch_optional(connection)
            .await?;
    Ok(found.is_some())
}

/// Stores an invoice that was just computed.
pub(crate) async fn insert(
    tx: &mut Tx,
    seq: i64,
    inputs: &InvoiceInputs,
    invoice: &Invoice,
    now: Timestamp,
) -> Result<(), Error> {
    let encode = |error: serde_json::Error| Error::Encode(error.into());
    sqlx::query(
        "insert into invoices (number, seq, customer_id, instance_id, period_start, period_end, issued_at, issued_on,
             due_on, currency, net, total, amount_due, outstanding, written_off, inputs, document)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $15, $11, $12, $12, 0, $13, $14)",
    )
    .bind(&invoice.number)
    .bind(seq)
    .bind(invoice.customer.to_string())
    .bind(invoice.instance.to_string())
    .bind(invoice.period.start().get())
    .bind(invoice.period.end().get())
    .bind(millis(now))
    .bind(invoice.issued.to_string())
    .bind(invoice.due.to_string())
    .bind(invoice.currency.to_string())
    .bind(invoice.total.get())
    .bind(invoice.amount_due.get())
    .bind(serde_json::to_string(inputs).map_err(encode)?)
    .bind(invoice.to_bytes().map_err(encode)?)
    .bind(invoice.net.get())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps what the customer's book says about an invoice.
pub(crate) async fn settle(tx: &mut Tx, left: &Settlement) -> Result<(), Error> {
    sqlx::query(
        "update invoices set outstanding = $2, written_off = $3
         where number = $1 and (outstanding <> $2 or written_off <> $3)",
    )
    .bind(&left.number)
    .bind(left.outstanding.get())
    .bind(left.written_off.get())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Numbers and totals of a customer's invoices, oldest first.
pub(crate) async fn charged(
    connection: &mut AnyConnection,
    customer: CustomerId,
) -> Result<Vec<(String, Cents)>, Error> {
    let rows = sqlx::query("select number, total from invoices where customer_id = $1 order by seq")
        .bind(customer.to_string())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.try_get("number")?, Cents::new(row.try_get("total")?)))).collect()
}

/// A customer's invoices of which something is to be paid, oldest first.
pub(crate) async fn outstanding(connection: &mut AnyConnection, customer: CustomerId) -> Result<Vec<Issued>, Error> {
    let rows = sqlx::query("select * from invoices where customer_id = $1 and outstanding > 0 order by seq")
        .bind(customer.to_string())
        .fetch_all(connection)
        .await?;
    rows.iter().map(issued).collect()
}

/// Whether an invoice is a customer's.
pub(crate) async fn is_of(db: &Db, number: &str, customer: CustomerId) -> Result<bool, Error> {
    let found: Option<i64> = sqlx::query_scalar("select 1 from invoices where number = $1 and customer_id = $2")
        .bind(number)
        .bind(customer.to_string())
        .fetch_optional(db.read())
        .await?;
    Ok(found.is_some())
}

/// An instance's latest invoices, newest first.
pub(crate) async fn latest(
    connection: &mut AnyConnection,
    instance: InstanceId,
    limit: u32,
) -> Result<Vec<Invoice>, Error> {
    let documents: Vec<Vec<u8>> =
        sqlx::query_scalar("select document from invoices where instance_id = $1 order by period_start desc limit $2")
            .bind(instance.to_string())
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await?;
    let parsed = documents.iter().map(|bytes| serde_json::from_slice(bytes));
    parsed.collect::<Result<_, _>>().map_err(|error| Error::Decode(error.into()))
}

/// Which invoices to list.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub instance: Option<InstanceId>,
    pub customer: Option<CustomerId>,
    pub state: Option<InvoiceState>,
    /// Only those issued before this one.
    pub before: Option<String>,
}

/// Invoices, newest first.
pub(crate) async fn list(db: &Db, filter: &Filter, today: Date, limit: u32) -> Result<Vec<Issued>, Error> {
    let rows = sqlx::query(
        "select * from invoices
         where ($1 = '' or instance_id = $1) and ($2 = '' or customer_id = $2)
             and ($3 = '' or ($3 = 'open' and outstanding > 0 and due_on >= $4)
                 or ($3 = 'overdue' and outstanding > 0 and due_on < $4)
                 or ($3 = 'paid' and outstanding = 0 and written_off = 0)
                 or ($3 = 'written_off' and outstanding = 0 and written_off > 0))
             and ($5 = '' or seq < (select seq from invoices where number = $5))
         order by seq desc limit $6",
    )
    .bind(filter.instance.map(|id| id.to_string()).unwrap_or_default())
    .bind(filter.customer.map(|id| id.to_string()).unwrap_or_default())
    .bind(filter.state.map_or("", InvoiceState::as_str))
    .bind(today.to_string())
    .bind(filter.before.as_deref().unwrap_or_default())
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(issued).collect()
}

/// One invoice with its document.
pub(crate) async fn find(connection: &mut AnyConnection, number: &str) -> Result<Option<(Issued, Invoice)>, Error> {
    let row = sqlx::query("select * from invoices where number = $1").bind(number).fetch_optional(connection).await?;
    row.map(|row| {
        let document: Vec<u8> = row.try_get("document")?;
        let invoice = serde_json::from_slice(&document).map_err(|error| Error::Decode(error.into()))?;
        Ok((issued(&row)?, invoice))
    })
    .transpose()
}

/// An invoice as it lies in the store, whether it can be read or not.
#[derive(Debug)]
pub(crate) struct Raw {
    pub number: String,
    pub seq: i64,
    pub issued_at: Timestamp,
    pub total: i64,
    pub amount_due: i64,
    pub outstanding: i64,
    pub written_off: i64,
    pub instance: String,
    pub period_start: i64,
    pub inputs: String,
    pub document: Vec<u8>,
}

/// A customer's invoices, unread, oldest first.
pub(crate) async fn raw(connection: &mut AnyConnection, customer: CustomerId) -> Result<Vec<Raw>, Error> {
    let rows = sqlx::query("select * from invoices where customer_id = $1 order by seq")
        .bind(customer.to_string())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Raw {
                number: row.try_get("number")?,
                seq: row.try_get("seq")?,
                issued_at: from_millis(row.try_get("issued_at")?),
                total: row.try_get("total")?,
                amount_due: row.try_get("amount_due")?,
                outstanding: row.try_get("outstanding")?,
                written_off: row.try_get("written_off")?,
                instance: row.try_get("instance_id")?,
                period_start: row.try_get("period_start")?,
                inputs: row.try_get("inputs")?,
                document: row.try_get("document")?,
            })
        })
        .collect()
}

fn issued(row: &AnyRow) -> Result<Issued, Error> {
    let cents = |column: &str| Ok::<_, Error>(Cents::new(row.try_get(column)?));
    let hour = |column: &str| {
        let number: i64 = row.try_get(column)?;
        UsageHour::from_number(number).ok_or_else(|| Error::Decode(format!("{number} is not an hour").into()))
    };
    let date =
        |column: &str| row.try_get::<&str, _>(column)?.parse::<Date>().map_err(|error| Error::Decode(error.into()));
    Ok(Issued {
        number: row.try_get("number")?,
        customer: CustomerId::from_stored(row.try_get("customer_id")?)?,
        instance: InstanceId::from_stored(row.try_get("instance_id")?)?,
        period: Period::new(hour("period_start")?, hour("period_end")?).map_err(|error| Error::Decode(error.into()))?,
        issued: date("issued_on")?,
        due: date("due_on")?,
        currency: row.try_get("currency")?,
        total: cents("total")?,
        amount_due: cents("amount_due")?,
        outstanding: cents("outstanding")?,
        written_off: cents("written_off")?,
    })
}
