use domain::InstanceId;
use store::sqlx::{self, Error};
use store::{Migration, Tx};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112873,
    name: "reasons of suspensions",
    sql: "alter table instances add column suspended_because text;",
}];

/// Keeps why an instance is suspended; `None` once it is not.
pub(crate) async fn note_reason(tx: &mut Tx, id: InstanceId, reason: Option<&str>) -> Result<(), Error> {
    sqlx::query("update instances set suspended_because = $2 where id = $1")
        .bind(id.to_string())
        .bind(reason)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
