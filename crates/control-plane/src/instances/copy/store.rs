use domain::{BackupId, CustomerId, InstanceId, Subdomain};
use store::sqlx::{self, Error, Row as _};
use store::{Db, Migration, Tx};

use super::{CopyOf, Kept};
use crate::text::Stored as _;

/// Of each copy what it was made from, for as long as there is a record of it.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120121,
    name: "copies of instances",
    sql: "
        alter table instances add column copied_from text;
        alter table instances add column copied_backup text;
        alter table instances add column copied_through text;
        create index instances_copied_from on instances (copied_from) where copied_from is not null;",
}];

/// Whose a source is, and how it is called.
pub(super) struct Source {
    pub customer: CustomerId,
    pub subdomain: Subdomain,
}

pub(super) async fn source(tx: &mut Tx, id: InstanceId) -> Result<Option<Source>, Error> {
    let row = sqlx::query("select customer_id, subdomain from instances where id = $1")
        .bind(id.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    row.map(|row| {
        Ok(Source {
            customer: CustomerId::from_stored(row.try_get("customer_id")?)?,
            subdomain: Subdomain::from_stored(row.try_get("subdomain")?)?,
        })
    })
    .transpose()
}

/// Whether a copy of an instance is ordered or being made.
pub(super) async fn is_under_way(tx: &mut Tx, source: InstanceId) -> Result<bool, Error> {
    let number: i64 = sqlx::query_scalar(
        "select count(*) from instances where copied_from = $1 and state in ('requested', 'provisioning')",
    )
    .bind(source.to_string())
    .fetch_one(&mut **tx)
    .await?;
    Ok(number > 0)
}

pub(super) async fn is_copy(tx: &mut Tx, id: InstanceId) -> Result<bool, Error> {
    let number: i64 = sqlx::query_scalar("select count(*) from instances where id = $1 and copied_from is not null")
        .bind(id.to_string())
        .fetch_one(&mut **tx)
        .await?;
    Ok(number > 0)
}

pub(super) async fn find(db: &Db, copy: InstanceId) -> Result<Option<Kept>, Error> {
    let row = sqlx::query(
        "select copied_from, copied_backup, copied_through from instances where id = $1 and copied_from is not null",
    )
    .bind(copy.to_string())
    .fetch_optional(db.read())
    .await?;
    row.map(|row| {
        let backup: Option<&str> = row.try_get("copied_backup")?;
        let source = InstanceId::from_stored(row.try_get("copied_from")?)?;
        let backup = backup.map(BackupId::from_stored).transpose()?;
        Ok(Kept { of: CopyOf { source, backup }, through: row.try_get("copied_through")? })
    })
    .transpose()
}

/// Remembers which workflow backs the source of a copy up.
pub(super) async fn note_backed_up_by(tx: &mut Tx, copy: InstanceId, workflow: &str) -> Result<(), Error> {
    sqlx::query("update instances set copied_through = $2 where id = $1")
        .bind(copy.to_string())
        .bind(workflow)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
