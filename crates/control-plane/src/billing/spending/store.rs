use billing::{Budget, CapChosen, CapHistory};
use domain::InstanceId;
use jiff::Timestamp;
use store::sqlx::{self, AnyConnection, Error};
use store::{Db, Migration, Tx, millis};

use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112956,
    name: "caps and budgets",
    sql: "
        create table caps (
            instance_id text not null references instances (id),
            seq bigint not null,
            document text not null,
            author text not null,
            chosen_at bigint not null,
            primary key (instance_id, seq)
        );
        create table budgets (
            instance_id text not null primary key references instances (id),
            document text not null,
            author text not null,
            chosen_at bigint not null
        );",
}];

/// All that was ever chosen as cap of an instance.
pub(crate) async fn caps(connection: &mut AnyConnection, instance: InstanceId) -> Result<CapHistory, Error> {
    let documents: Vec<String> = sqlx::query_scalar("select document from caps where instance_id = $1 order by seq")
        .bind(instance.to_string())
        .fetch_all(connection)
        .await?;
    let chosen = documents.iter().map(|text| serde_json::from_str(text));
    Ok(CapHistory::new(chosen.collect::<Result<_, _>>().map_err(|error| Error::Decode(error.into()))?))
}

/// Adds what is chosen now, while the instance is locked.
pub(crate) async fn add_cap(
    tx: &mut Tx,
    instance: InstanceId,
    chosen: &CapChosen,
    by: &str,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "insert into caps (instance_id, seq, document, author, chosen_at)
         select $1, coalesce(max(seq), 0) + 1, $2, $3, $4 from caps where instance_id = $1",
    )
    .bind(instance.to_string())
    .bind(serde_json::to_string(chosen).map_err(|error| Error::Encode(error.into()))?)
    .bind(by)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An instance's budget.
pub(crate) async fn budget(connection: &mut AnyConnection, instance: InstanceId) -> Result<Option<Budget>, Error> {
    let document: Option<String> = sqlx::query_scalar("select document from budgets where instance_id = $1")
        .bind(instance.to_string())
        .fetch_optional(connection)
        .await?;
    document.map(|text| serde_json::from_str(&text).map_err(|error| Error::Decode(error.into()))).transpose()
}

/// Sets an instance's budget, or none.
pub(crate) async fn set_budget(
    tx: &mut Tx,
    instance: InstanceId,
    budget: Option<&Budget>,
    by: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(budget) = budget else {
        sqlx::query("delete from budgets where instance_id = $1").bind(instance.to_string()).execute(&mut **tx).await?;
        return Ok(());
    };
    sqlx::query(
        "insert into budgets (instance_id, document, author, chosen_at) values ($1, $2, $3, $4)
         on conflict (instance_id)
         do update set document = excluded.document, author = excluded.author, chosen_at = excluded.chosen_at",
    )
    .bind(instance.to_string())
    .bind(serde_json::to_string(budget).map_err(|error| Error::Encode(error.into()))?)
    .bind(by)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Instances that have, or had, a cap or a budget, by id, after one.
pub(crate) async fn watched(db: &Db, after: &str, limit: u32) -> Result<Vec<InstanceId>, Error> {
    let ids: Vec<String> = sqlx::query_scalar(
        "select id from instances where id > $1 and state in ('active', 'suspended')
             and (id in (select instance_id from caps) or id in (select instance_id from budgets))
         order by id limit $2",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    ids.iter().map(|id| InstanceId::from_stored(id)).collect()
}
