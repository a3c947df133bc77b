use domain::{Cents, InstanceId, ProjectName, Subdomain};
use jiff::Timestamp;
use providers::inventory::{Check, Verdict};
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use super::remedy::Remedy;
use super::{Class, Difference, Finding, Role};
use crate::instances::Place;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 2026112841,
        name: "findings",
        sql: "
        create table findings (
            id text not null primary key,
            role text not null,
            provider text not null,
            class text not null,
            kind text not null,
            external_id text not null,
            name text not null,
            instance_id text,
            words text not null,
            remedy text not null,
            target text not null,
            created_at bigint,
            monthly_cents bigint,
            first_seen_at bigint not null,
            last_seen_at bigint not null,
            gone_at bigint,
            repaired_at bigint,
            trouble text
        );
        create index findings_open on findings (role, gone_at);",
    },
    Migration {
        version: 2026112842,
        name: "looks at providers",
        sql: "
        create table provider_looks (
            role text not null,
            what text not null,
            tried_at bigint not null,
            seen_at bigint not null,
            trouble text,
            primary key (role, what)
        );
        create table provider_checks (
            role text not null,
            seq bigint not null,
            name text not null,
            verdict text not null,
            found text not null,
            advice text not null,
            primary key (role, seq)
        );",
    },
];

/// What is looked for at a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Inventory,
    Ceilings,
    Checks,
    /// How much was used, and what it costs.
    Costs,
    /// How near the provider's own limit of spending is.
    Spend,
}

impl What {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Ceilings => "ceilings",
            Self::Checks => "checks",
            Self::Costs => "costs",
            Self::Spend => "spend",
        }
    }
}

/// When a provider was last looked at, and how that went.
#[derive(Debug, Clone, Default)]
pub(crate) struct Look {
    /// When what was last seen was seen.
    pub seen_at: Option<Timestamp>,
    /// Why the latest look came to nothing.
    pub trouble: Option<String>,
}

/// An instance as far as its things at providers go.
pub(super) struct Row {
    pub place: Place,
    pub state: domain::InstanceState,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
}

pub(super) async fn instances(db: &Db) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query("select id, state, subdomain, project, created_at, changed_at from instances")
        .fetch_all(db.read())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Row {
                place: Place {
                    id: InstanceId::from_stored(row.try_get("id")?)?,
                    subdomain: Subdomain::from_stored(row.try_get("subdomain")?)?,
                    project: ProjectName::from_stored(row.try_get("project")?)?,
                },
                state: domain::InstanceState::from_stored(row.try_get("state")?)?,
                created_at: from_millis(row.try_get("created_at")?),
                changed_at: from_millis(row.try_get("changed_at")?),
            })
        })
        .collect()
}

/// Takes it upon oneself to look, if that was not tried since `before`: of several replicas one does.
pub(crate) async fn claim(db: &Db, role: Role, what: What, now: Timestamp, before: Timestamp) -> Result<bool, Error> {
    let mut tx = db.begin().await?;
    expect_look(&mut tx, role, what).await?;
    let done = sqlx::query("update provider_looks set tried_at = $3 where role = $1 and what = $2 and tried_at <= $4")
        .bind(role.as_str())
        .bind(what.as_str())
        .bind(millis(now))
        .bind(millis(before))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

/// A look that began at this moment is about to be stored. False when a later one was stored already.
pub(crate) async fn looked(tx: &mut Tx, role: Role, what: What, began: Timestamp) -> Result<bool, Error> {
    expect_look(tx, role, what).await?;
    let done = sqlx::query(
        "update provider_looks set seen_at = $3, trouble = null,
             tried_at = case when tried_at < $3 then $3 else tried_at end
         where role = $1 and what = $2 and seen_at <= $3",
    )
    .bind(role.as_str())
    .bind(what.as_str())
    .bind(millis(began))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A look came to nothing; what was seen before stays.
pub(crate) async fn failed(db: &Db, role: Role, what: What, why: &str) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    expect_look(&mut tx, role, what).await?;
    sqlx::query("update provider_looks set trouble = $3 where role = $1 and what = $2")
        .bind(role.as_str())
        .bind(what.as_str())
        .bind(why)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

async fn expect_look(tx: &mut Tx, role: Role, what: What) -> Result<(), Error> {
    sqlx::query(
        "insert into provider_looks (role, what, tried_at, seen_at) values ($1, $2, 0, 0)
         on conflict (role, what) do nothing",
    )
    .bind(role.as_str())
    .bind(what.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(crate) async fn look(db: &Db, role: Role, what: What) -> Result<Look, Error> {
    let row = sqlx::query("select seen_at, trouble from provider_looks where role = $1 and what = $2")
        .bind(role.as_str())
        .bind(what.as_str())
        .fetch_optional(db.read())
        .await?;
    let Some(row) = row else { return Ok(Look::default()) };
    let seen_at: i64 = row.try_get("seen_at")?;
    Ok(Look { seen_at: (seen_at > 0).then(|| from_millis(seen_at)), trouble: row.try_get("trouble")? })
}

/// Stores what a look showed; what it does not show any more is closed.
pub(super) async fn replace(tx: &mut Tx, role: Role, found: &[Difference], began: Timestamp) -> Result<(), Error> {
    for difference in found {
        upsert(tx, difference, began).await?;
    }
    sqlx::query("update findings set gone_at = $2 where role = $1 and gone_at is null and last_seen_at < $2")
        .bind(role.as_str())
        .bind(millis(began))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// One that comes back after it was gone is a new one.
async fn upsert(tx: &mut Tx, found: &Difference, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into findings (id, role, provider, class, kind, external_id, name, instance_id, words, remedy, target,
                               created_at, monthly_cents, first_seen_at, last_seen_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
         on conflict (id) do update set
             role = $2, class = $4, name = $7, instance_id = $8, words = $9, remedy = $10, target = $11,
             created_at = $12, monthly_cents = $13, last_seen_at = $14,
             first_seen_at = case when findings.gone_at is null then findings.first_seen_at else $14 end,
             repaired_at = case when findings.gone_at is null then findings.repaired_at else null end,
             trouble = case when findings.gone_at is null then findings.trouble else null end,
             gone_at = null",
    )
    .bind(found.id())
    .bind(found.role.as_str())
    .bind(&found.provider)
    .bind(found.class.as_str())
    .bind(&found.kind)
    .bind(&found.external_id)
    .bind(&found.name)
    .bind(found.instance.map(|id| id.to_string()))
    .bind(&found.words)
    .bind(found.remedy.as_str())
    .bind(&found.target)
    .bind(found.created_at.map(millis))
    .bind(found.monthly_cost.map(Cents::get))
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Those that are open, oldest first, or those that are closed, latest first; at most so many of them.
pub(crate) async fn list(db: &Db, is_open: bool, limit: u32) -> Result<Vec<Finding>, Error> {
    let sql = if is_open {
        "select * from findings where gone_at is null order by first_seen_at, id limit $1"
    } else {
        "select * from findings where gone_at is not null order by gone_at desc, id limit $1"
    };
    let rows = sqlx::query(sql).bind(i64::from(limit)).fetch_all(db.read()).await?;
    rows.iter().map(finding).collect()
}

pub(crate) async fn find(db: &Db, id: &str) -> Result<Option<Finding>, Error> {
    let row = sqlx::query("select * from findings where id = $1").bind(id).fetch_optional(db.read()).await?;
    row.as_ref().map(finding).transpose()
}

/// The finding, which nobody else changes until the transaction ends.
pub(super) async fn locked(tx: &mut Tx, id: &str) -> Result<Option<Finding>, Error> {
    let row = sqlx::query("update findings set trouble = trouble where id = $1 returning *")
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(finding).transpose()
}

/// How its repair ended: `trouble` is why it came to nothing.
pub(super) async fn repaired(tx: &mut Tx, id: &str, at: Option<Timestamp>, trouble: Option<&str>) -> Result<(), Error> {
    sqlx::query("update findings set repaired_at = coalesce($2, repaired_at), trouble = $3 where id = $1")
        .bind(id)
        .bind(at.map(millis))
        .bind(trouble)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn replace_checks(tx: &mut Tx, role: Role, checks: &[Check]) -> Result<(), Error> {
    sqlx::query("delete from provider_checks where role = $1").bind(role.as_str()).execute(&mut **tx).await?;
    for (seq, check) in (0_i64..).zip(checks) {
        sqlx::query(
            "insert into provider_checks (role, seq, name, verdict, found, advice) values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(role.as_str())
        .bind(seq)
        .bind(&check.name)
        .bind(word(check.verdict))
        .bind(&check.found)
        .bind(&check.advice)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

pub(crate) async fn checks(db: &Db, role: Role) -> Result<Vec<Check>, Error> {
    let rows = sqlx::query("select * from provider_checks where role = $1 order by seq")
        .bind(role.as_str())
        .fetch_all(db.read())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Check {
                name: row.try_get("name")?,
                verdict: verdict(row.try_get("verdict")?),
                found: row.try_get("found")?,
                advice: row.try_get("advice")?,
            })
        })
        .collect()
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Warn => "warn",
        Verdict::Fail => "fail",
    }
}

fn verdict(word: &str) -> Verdict {
    match word {
        "ok" => Verdict::Ok,
        "warn" => Verdict::Warn,
        _ => Verdict::Fail,
    }
}

fn finding(row: &AnyRow) -> Result<Finding, Error> {
    let unknown = |what: &str| Error::Decode(format!("a finding has an unknown {what}").into());
    let instance: Option<String> = row.try_get("instance_id")?;
    let difference = Difference {
        role: Role::parse(row.try_get("role")?).ok_or_else(|| unknown("role"))?,
        provider: row.try_get("provider")?,
        class: Class::parse(row.try_get("class")?).ok_or_else(|| unknown("class"))?,
        kind: row.try_get("kind")?,
        external_id: row.try_get("external_id")?,
        name: row.try_get("name")?,
        instance: instance.as_deref().map(InstanceId::from_stored).transpose()?,
        words: row.try_get("words")?,
        remedy: Remedy::parse(row.try_get("remedy")?),
        target: row.try_get("target")?,
        created_at: optional_from_millis(row.try_get("created_at")?),
        monthly_cost: row.try_get::<Option<i64>, _>("monthly_cents")?.map(Cents::new),
    };
    Ok(Finding {
        id: row.try_get("id")?,
        difference,
        first_seen_at: from_millis(row.try_get("first_seen_at")?),
        last_seen_at: from_millis(row.try_get("last_seen_at")?),
        gone_at: optional_from_millis(row.try_get("gone_at")?),
        repaired_at: optional_from_millis(row.try_get("repaired_at")?),
        trouble: row.try_get("trouble")?,
    })
}
