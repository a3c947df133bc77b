use domain::CustomerId;
use providers::payments::Repayment;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Migration, Tx, from_millis, millis};

use super::Kept;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112983,
    name: "what went back at the payment provider",
    sql: "
        create table repayments (
            id text not null primary key,
            invoice text references invoices (number),
            customer_id text references customers (id),
            state text not null,
            document text not null,
            problem text,
            looked_at bigint not null
        );
        create index repayments_invoice on repayments (invoice);",
}];

/// Keeps how a repayment stands.
pub(crate) async fn keep(tx: &mut Tx, kept: &Kept) -> Result<(), Error> {
    let document = serde_json::to_string(&kept.repayment).map_err(|error| Error::Encode(error.into()))?;
    sqlx::query(
        "insert into repayments (id, invoice, customer_id, state, document, problem, looked_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (id) do update set invoice = excluded.invoice, customer_id = excluded.customer_id,
             state = excluded.state, document = excluded.document, problem = excluded.problem,
             looked_at = excluded.looked_at",
    )
    .bind(&kept.repayment.id)
    .bind(kept.invoice.as_deref())
    .bind(kept.customer.map(|id| id.to_string()))
    .bind(kept.repayment.state.as_str())
    .bind(document)
    .bind(kept.problem.as_deref())
    .bind(millis(kept.looked_at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(crate) async fn find(tx: &mut Tx, id: &str) -> Result<Option<Kept>, Error> {
    let row = sqlx::query("select * from repayments where id = $1").bind(id).fetch_optional(&mut **tx).await?;
    row.as_ref().map(kept).transpose()
}

/// Those that could not be booked.
pub(crate) async fn problems(tx: &mut Tx) -> Result<Vec<Kept>, Error> {
    let rows =
        sqlx::query("select * from repayments where problem is not null order by id").fetch_all(&mut **tx).await?;
    rows.iter().map(kept).collect()
}

fn kept(row: &AnyRow) -> Result<Kept, Error> {
    let repayment: Repayment =
        serde_json::from_str(row.try_get("document")?).map_err(|error| Error::Decode(error.into()))?;
    let customer: Option<String> = row.try_get("customer_id")?;
    Ok(Kept {
        repayment,
        invoice: row.try_get("invoice")?,
        customer: customer.as_deref().map(CustomerId::from_stored).transpose()?,
        problem: row.try_get("problem")?,
        looked_at: from_millis(row.try_get("looked_at")?),
    })
}
