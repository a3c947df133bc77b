use ::store::sqlx::{self, Error, Row as _, any::AnyRow};
use ::store::{Db, Migration, from_millis, millis, optional_from_millis};
use domain::InstanceId;
use jiff::Timestamp;

use super::{Key, Made, Resource};

/// The table of things at providers.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 2026112532,
        name: "provider resources",
        sql: "
        create table provider_resources (
            provider text not null,
            kind text not null,
            name text not null,
            instance_id text not null,
            external_id text,
            detail text,
            intended_at bigint not null,
            asked_at bigint,
            primary key (provider, instance_id, kind, name)
        );",
    },
    Migration {
        version: 2026112861,
        name: "provider resources by name",
        sql: "create index provider_resources_by_name on provider_resources (provider, kind, name);",
    },
];

/// Stores the intent, unless it is stored; what is known by now.
pub(super) async fn intend(db: &Db, provider: &str, key: &Key, now: Timestamp) -> Result<Resource, Error> {
    let row = sqlx::query(
        "insert into provider_resources (provider, kind, name, instance_id, intended_at) values ($1, $2, $3, $4, $5)
         on conflict (provider, instance_id, kind, name) do update set kind = provider_resources.kind returning *",
    )
    .bind(provider)
    .bind(key.kind)
    .bind(&key.name)
    .bind(key.instance.to_string())
    .bind(millis(now))
    .fetch_one(db.write())
    .await?;
    resource(&row)
}

/// Notes that the provider is asked now, or that it certainly made nothing.
pub(super) async fn asking(db: &Db, provider: &str, key: &Key, at: Option<Timestamp>) -> Result<(), Error> {
    sqlx::query(
        "update provider_resources set asked_at = $5
         where provider = $1 and kind = $2 and name = $3 and instance_id = $4",
    )
    .bind(provider)
    .bind(key.kind)
    .bind(&key.name)
    .bind(key.instance.to_string())
    .bind(at.map(millis))
    .execute(db.write())
    .await?;
    Ok(())
}

pub(super) async fn keep(db: &Db, provider: &str, key: &Key, made: &Made, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into provider_resources (provider, kind, name, instance_id, external_id, detail, intended_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (provider, instance_id, kind, name) do update set external_id = $5, detail = $6, asked_at = null",
    )
    .bind(provider)
    .bind(key.kind)
    .bind(&key.name)
    .bind(key.instance.to_string())
    .bind(&made.id)
    .bind(&made.detail)
    .bind(millis(now))
    .execute(db.write())
    .await?;
    Ok(())
}

pub(super) async fn forget(db: &Db, provider: &str, key: &Key) -> Result<(), Error> {
    sqlx::query("delete from provider_resources where provider = $1 and kind = $2 and name = $3 and instance_id = $4")
        .bind(provider)
        .bind(key.kind)
        .bind(&key.name)
        .bind(key.instance.to_string())
        .execute(db.write())
        .await?;
    Ok(())
}

pub(super) async fn forget_all(db: &Db, provider: &str, instance: InstanceId) -> Result<(), Error> {
    sqlx::query("delete from provider_resources where provider = $1 and instance_id = $2")
        .bind(provider)
        .bind(instance.to_string())
        .execute(db.write())
        .await?;
    Ok(())
}

/// All of an instance.
pub(super) async fn of(db: &Db, provider: &str, instance: InstanceId) -> Result<Vec<Resource>, Error> {
    let rows = sqlx::query(
        "select * from provider_resources where provider = $1 and instance_id = $2 order by intended_at, kind, name",
    )
    .bind(provider)
    .bind(instance.to_string())
    .fetch_all(db.read())
    .await?;
    rows.iter().map(resource).collect()
}

/// All of a kind and a name, whichever instance's.
pub(super) async fn named(db: &Db, provider: &str, kind: &str, name: &str) -> Result<Vec<Resource>, Error> {
    let rows = sqlx::query(
        "select * from provider_resources where provider = $1 and kind = $2 and name = $3
         order by intended_at, instance_id",
    )
    .bind(provider)
    .bind(kind)
    .bind(name)
    .fetch_all(db.read())
    .await?;
    rows.iter().map(resource).collect()
}

/// All of a kind, of all instances.
pub(super) async fn of_kind(db: &Db, provider: &str, kind: &str) -> Result<Vec<Resource>, Error> {
    let rows = sqlx::query(
        "select * from provider_resources where provider = $1 and kind = $2 order by intended_at, name, instance_id",
    )
    .bind(provider)
    .bind(kind)
    .fetch_all(db.read())
    .await?;
    rows.iter().map(resource).collect()
}

fn resource(row: &AnyRow) -> Result<Resource, Error> {
    let id: Option<String> = row.try_get("external_id")?;
    let detail: Option<String> = row.try_get("detail")?;
    let instance: String = row.try_get("instance_id")?;
    Ok(Resource {
        kind: row.try_get("kind")?,
        name: row.try_get("name")?,
        instance: InstanceId::parse(&instance).map_err(|error| Error::Decode(Box::new(error)))?,
        made: id.map(|id| Made { id, detail }),
        intended_at: from_millis(row.try_get("intended_at")?),
        asked_at: optional_from_millis(row.try_get("asked_at")?),
    })
}
