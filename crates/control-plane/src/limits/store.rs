use jiff::Timestamp;
use providers::inventory;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use super::Ceiling;
use crate::inventory::Role;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112843,
    name: "ceilings of providers",
    sql: "
        create table provider_ceilings (
            role text not null,
            name text not null,
            provider text not null,
            used bigint not null,
            most bigint not null,
            per_instance bigint not null,
            advice text not null,
            renews_at bigint,
            observed_at bigint not null,
            primary key (role, name)
        );",
}];

/// What one look showed takes the place of what was known.
pub(super) async fn replace(
    tx: &mut Tx,
    role: Role,
    provider: &str,
    seen: &[inventory::Ceiling],
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("delete from provider_ceilings where role = $1").bind(role.as_str()).execute(&mut **tx).await?;
    for ceiling in seen {
        sqlx::query(
            "insert into provider_ceilings (role, name, provider, used, most, per_instance, advice, renews_at,
                                            observed_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(role.as_str())
        .bind(ceiling.name)
        .bind(provider)
        .bind(stored(ceiling.used))
        .bind(stored(ceiling.limit))
        .bind(stored(ceiling.per_instance))
        .bind(ceiling.advice)
        .bind(ceiling.renews_at.map(millis))
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

pub(crate) async fn list(db: &Db, role: Role) -> Result<Vec<Ceiling>, Error> {
    let rows = sqlx::query("select * from provider_ceilings where role = $1 order by name")
        .bind(role.as_str())
        .fetch_all(db.read())
        .await?;
    rows.iter().map(ceiling).collect()
}

/// Those that instances take from, which nobody else counts on until the transaction ends.
pub(super) async fn locked(tx: &mut Tx) -> Result<Vec<Ceiling>, Error> {
    let rows = sqlx::query(
        "update provider_ceilings set used = used where per_instance > 0 and renews_at is null returning *",
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(ceiling).collect()
}

/// How many instances were asked for since a moment, or are being made: what they take may not have
/// been counted then.
pub(super) async fn begun_since(tx: &mut Tx, since: Timestamp) -> Result<u64, Error> {
    let number: i64 = sqlx::query_scalar(
        "select (select count(*) from instances
                 where state in ('requested', 'provisioning')
                     or (created_at >= $1 and state not in ('deleted', 'failed')))
              + (select count(*) from warm_instances
                 where state = 'preparing' or (created_at >= $1 and state = 'ready'))",
    )
    .bind(millis(since))
    .fetch_one(&mut **tx)
    .await?;
    Ok(u64::try_from(number).unwrap_or(0))
}

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn ceiling(row: &AnyRow) -> Result<Ceiling, Error> {
    let number = |column: &str| Ok::<_, Error>(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0));
    let role = Role::parse(row.try_get("role")?);
    Ok(Ceiling {
        role: role.ok_or_else(|| Error::Decode("a ceiling of an unknown provider".into()))?,
        provider: row.try_get("provider")?,
        name: row.try_get("name")?,
        used: number("used")?,
        limit: number("most")?,
        per_instance: number("per_instance")?,
        advice: row.try_get("advice")?,
        renews_at: optional_from_millis(row.try_get("renews_at")?),
        observed_at: from_millis(row.try_get("observed_at")?),
    })
}
