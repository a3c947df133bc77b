use domain::{InstanceId, InstanceState, Subdomain};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _};
use store::{Db, Migration, Tx, millis};

use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112851,
    name: "names of instances",
    sql: "
        create table reserved_names (
            skeleton text not null primary key,
            instance_id text not null,
            reserved_at bigint not null
        );
        create index reserved_names_instance on reserved_names (instance_id);
        insert into reserved_names (skeleton, instance_id, reserved_at)
            select skeleton, id, created_at from instances where state not in ('deleted', 'failed');
        create table former_names (
            instance_id text not null references instances (id),
            subdomain text not null,
            since bigint not null,
            primary key (instance_id, subdomain)
        );
        create index former_names_subdomain on former_names (subdomain);
        alter table instances add column next_subdomain text;",
}];

/// How an instance is called, as seen within a transaction.
pub(crate) struct Called {
    pub state: InstanceState,
    pub subdomain: Subdomain,
    pub next: Option<Subdomain>,
}

/// Whether a name, or one that looks like it, belongs to an instance other than `own`.
pub(crate) async fn is_taken(db: &Db, subdomain: &Subdomain, own: Option<InstanceId>) -> Result<bool, Error> {
    // The instances too: another replica, of a version before this table, may have made one.
    let number: i64 = sqlx::query_scalar(
        "select (select count(*) from reserved_names where skeleton = $1 and instance_id <> $2)
              + (select count(*) from instances
                 where skeleton = $1 and id <> $2 and state not in ('deleted', 'failed'))",
    )
    .bind(subdomain.skeleton())
    .bind(own.map(|id| id.to_string()).unwrap_or_default())
    .fetch_one(db.read())
    .await?;
    Ok(number > 0)
}

/// Whether an instance has this very name, had it, or is to have it.
pub(crate) async fn is_called(db: &Db, id: InstanceId, subdomain: &Subdomain) -> Result<bool, Error> {
    let number: i64 = sqlx::query_scalar(
        "select (select count(*) from instances where id = $1 and (subdomain = $2 or next_subdomain = $2))
              + (select count(*) from former_names where instance_id = $1 and subdomain = $2)",
    )
    .bind(id.to_string())
    .bind(subdomain.as_str())
    .fetch_one(db.read())
    .await?;
    Ok(number > 0)
}

/// Makes a name an instance's for as long as it lives; a unique violation means that it, or one that
/// looks like it, is somebody's.
pub(crate) async fn take(tx: &mut Tx, id: InstanceId, subdomain: &Subdomain, now: Timestamp) -> Result<(), Error> {
    sqlx::query("insert into reserved_names (skeleton, instance_id, reserved_at) values ($1, $2, $3)")
        .bind(subdomain.skeleton())
        .bind(id.to_string())
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The same for an instance that may have the name already; whether it has it now.
pub(crate) async fn reserve(tx: &mut Tx, id: InstanceId, subdomain: &Subdomain, now: Timestamp) -> Result<bool, Error> {
    sqlx::query(
        "insert into reserved_names (skeleton, instance_id, reserved_at) values ($1, $2, $3)
         on conflict (skeleton) do nothing",
    )
    .bind(subdomain.skeleton())
    .bind(id.to_string())
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    let others: i64 = sqlx::query_scalar(
        "select (select count(*) from reserved_names where skeleton = $1 and instance_id <> $2)
              + (select count(*) from instances
                 where skeleton = $1 and id <> $2 and state not in ('deleted', 'failed'))",
    )
    .bind(subdomain.skeleton())
    .bind(id.to_string())
    .fetch_one(&mut **tx)
    .await?;
    Ok(others == 0)
}

/// Gives back all names of an instance that is no more.
pub(crate) async fn release_all(tx: &mut Tx, id: InstanceId) -> Result<(), Error> {
    sqlx::query("delete from reserved_names where instance_id = $1").bind(id.to_string()).execute(&mut **tx).await?;
    Ok(())
}

/// Gives back a name that an instance had put aside, unless another name of it looks the same.
pub(crate) async fn release(tx: &mut Tx, id: InstanceId, subdomain: &Subdomain) -> Result<(), Error> {
    sqlx::query("delete from former_names where instance_id = $1 and subdomain = $2")
        .bind(id.to_string())
        .bind(subdomain.as_str())
        .execute(&mut **tx)
        .await?;
    let mut kept = former(&mut **tx, id).await?;
    kept.extend(called(tx, id).await?.into_iter().flat_map(|called| [Some(called.subdomain), called.next]).flatten());
    if kept.iter().any(|name| name.skeleton() == subdomain.skeleton()) {
        return Ok(());
    }
    sqlx::query("delete from reserved_names where skeleton = $1 and instance_id = $2")
        .bind(subdomain.skeleton())
        .bind(id.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(crate) async fn called(tx: &mut Tx, id: InstanceId) -> Result<Option<Called>, Error> {
    let row = sqlx::query("select state, subdomain, next_subdomain from instances where id = $1")
        .bind(id.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    row.map(|row| {
        Ok(Called {
            state: InstanceState::from_stored(row.try_get("state")?)?,
            subdomain: Subdomain::from_stored(row.try_get("subdomain")?)?,
            next: row.try_get::<Option<&str>, _>("next_subdomain")?.map(Subdomain::from_stored).transpose()?,
        })
    })
    .transpose()
}

/// Notes to which name an instance is to move.
pub(crate) async fn move_to(tx: &mut Tx, id: InstanceId, next: &Subdomain) -> Result<(), Error> {
    sqlx::query("update instances set next_subdomain = $2 where id = $1")
        .bind(id.to_string())
        .bind(next.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Notes that an instance stays where it is; the name that was wanted is put aside, still its own.
pub(crate) async fn stay(tx: &mut Tx, id: InstanceId, wanted: &Subdomain, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update instances set next_subdomain = null where id = $1")
        .bind(id.to_string())
        .execute(&mut **tx)
        .await?;
    put_aside(tx, id, wanted, now).await
}

/// Makes the next name the present one, and the present one a former one.
pub(crate) async fn switch(
    tx: &mut Tx,
    id: InstanceId,
    called: &Called,
    next: &Subdomain,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("update instances set subdomain = $2, skeleton = $3, next_subdomain = null where id = $1")
        .bind(id.to_string())
        .bind(next.as_str())
        .bind(next.skeleton())
        .execute(&mut **tx)
        .await?;
    sqlx::query("delete from former_names where instance_id = $1 and subdomain = $2")
        .bind(id.to_string())
        .bind(next.as_str())
        .execute(&mut **tx)
        .await?;
    put_aside(tx, id, &called.subdomain, now).await
}

async fn put_aside(tx: &mut Tx, id: InstanceId, name: &Subdomain, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into former_names (instance_id, subdomain, since) values ($1, $2, $3)
         on conflict (instance_id, subdomain) do nothing",
    )
    .bind(id.to_string())
    .bind(name.as_str())
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The names that an instance had and keeps, oldest first.
pub(crate) async fn former(
    on: impl sqlx::Executor<'_, Database = sqlx::Any>,
    id: InstanceId,
) -> Result<Vec<Subdomain>, Error> {
    let names: Vec<String> =
        sqlx::query_scalar("select subdomain from former_names where instance_id = $1 order by since, subdomain")
            .bind(id.to_string())
            .fetch_all(on)
            .await?;
    names.iter().map(|name| Subdomain::from_stored(name)).collect()
}
