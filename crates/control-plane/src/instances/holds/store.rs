use domain::{InstanceId, InstanceState};
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Migration, Tx, from_millis, millis};

use super::{Hold, Standing};
use crate::text::Stored as _;

/// Until then only the operator suspended.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112951,
    name: "reasons that keep instances closed",
    sql: "
        create table instance_holds (
            instance_id text not null references instances (id),
            reason text not null,
            why text not null,
            since bigint not null,
            primary key (instance_id, reason)
        );
        insert into instance_holds (instance_id, reason, why, since)
            select id, 'operator', coalesce(suspended_because, 'It was suspended.'), changed_at
            from instances where state = 'suspended';",
}];

/// Keeps everybody else from changing an instance until the transaction ends. Where it stands.
pub(crate) async fn lock(tx: &mut Tx, instance: InstanceId) -> Result<Option<InstanceState>, Error> {
    let word: Option<String> = sqlx::query_scalar("update instances set state = state where id = $1 returning state")
        .bind(instance.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    word.as_deref().map(InstanceState::from_stored).transpose()
}

/// Adds a reason, or gives one that stands other words. Whether it is new.
pub(crate) async fn insert(tx: &mut Tx, instance: InstanceId, reason: &Standing) -> Result<bool, Error> {
    let said = sqlx::query("update instance_holds set why = $3 where instance_id = $1 and reason = $2")
        .bind(instance.to_string())
        .bind(reason.hold.as_str())
        .bind(&reason.why)
        .execute(&mut **tx)
        .await?;
    if said.rows_affected() > 0 {
        return Ok(false);
    }
    sqlx::query("insert into instance_holds (instance_id, reason, why, since) values ($1, $2, $3, $4)")
        .bind(instance.to_string())
        .bind(reason.hold.as_str())
        .bind(&reason.why)
        .bind(millis(reason.since))
        .execute(&mut **tx)
        .await?;
    Ok(true)
}

/// Takes a reason away. Whether it stood.
pub(crate) async fn delete(tx: &mut Tx, instance: InstanceId, hold: Hold) -> Result<bool, Error> {
    let done = sqlx::query("delete from instance_holds where instance_id = $1 and reason = $2")
        .bind(instance.to_string())
        .bind(hold.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Takes all of them away: the instance is on its way out.
pub(crate) async fn delete_all(tx: &mut Tx, instance: InstanceId) -> Result<(), Error> {
    sqlx::query("delete from instance_holds where instance_id = $1")
        .bind(instance.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The reasons that stand, in the order in which they are told.
pub(crate) async fn of(tx: &mut Tx, instance: InstanceId) -> Result<Vec<Standing>, Error> {
    let rows = sqlx::query("select * from instance_holds where instance_id = $1")
        .bind(instance.to_string())
        .fetch_all(&mut **tx)
        .await?;
    let mut reasons: Vec<Standing> = rows.iter().map(standing).collect::<Result<_, _>>()?;
    reasons.sort_by_key(|reason| reason.hold);
    Ok(reasons)
}

fn standing(row: &AnyRow) -> Result<Standing, Error> {
    let word: &str = row.try_get("reason")?;
    let hold = Hold::parse(word)
        .ok_or_else(|| Error::Decode(format!("{word} is no reason that keeps an instance closed").into()))?;
    Ok(Standing { hold, why: row.try_get("why")?, since: from_millis(row.try_get("since")?) })
}
