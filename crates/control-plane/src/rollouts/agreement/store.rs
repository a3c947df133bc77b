use domain::InstanceId;
use fleet::Stage;
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Tx, millis};

use super::Agreement;
use crate::text::{Stored as _, from_json, to_json};

/// What was agreed; nothing is an agreement too.
pub(crate) async fn find(db: &Db, instance: InstanceId) -> Result<Agreement, Error> {
    let row = sqlx::query("select * from update_rules where instance_id = $1")
        .bind(instance.to_string())
        .fetch_optional(db.read())
        .await?;
    row.as_ref().map_or_else(|| Ok(Agreement::default()), agreement)
}

/// Holds it until the transaction ends.
pub(super) async fn hold(tx: &mut Tx, instance: InstanceId, now: Timestamp) -> Result<Agreement, Error> {
    let nothing = Agreement::default();
    sqlx::query(
        "insert into update_rules (instance_id, stage, rules, changed_at) values ($1, $2, $3, $4)
         on conflict (instance_id) do nothing",
    )
    .bind(instance.to_string())
    .bind(nothing.stage.as_str())
    .bind(to_json(&nothing.rules)?)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    let row = sqlx::query("update update_rules set stage = stage where instance_id = $1 returning *")
        .bind(instance.to_string())
        .fetch_one(&mut **tx)
        .await?;
    agreement(&row)
}

pub(super) async fn keep(tx: &mut Tx, instance: InstanceId, agreed: &Agreement, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update update_rules set stage = $2, rules = $3, changed_at = $4 where instance_id = $1")
        .bind(instance.to_string())
        .bind(agreed.stage.as_str())
        .bind(to_json(&agreed.rules)?)
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn agreement(row: &AnyRow) -> Result<Agreement, Error> {
    Ok(Agreement { stage: Stage::from_stored(row.try_get("stage")?)?, rules: from_json(row.try_get("rules")?)? })
}
