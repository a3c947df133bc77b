use domain::{CustomerId, InstanceId, Micros, ModelCallId, Month, UsageHour};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _};
use store::{Db, Migration, Tx, millis};

use super::meter::Ended;
use crate::text::Stored as _;

/// `model_calls` and `model_settlements` are the ledger, to which rows are only added. `model_months` is their sum: what
/// was spent, with the most for questions that are under way or whose end nobody knows.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120300,
    name: "model calls",
    sql: "
        create table model_calls (
            id text not null primary key,
            instance_id text not null,
            month text not null,
            hour bigint not null,
            model text not null,
            most bigint not null,
            begun_at bigint not null
        );
        create index model_calls_month on model_calls (month, instance_id);
        create table model_settlements (
            call_id text not null primary key references model_calls (id),
            outcome text not null,
            input bigint,
            output bigint,
            cost bigint not null,
            ended_at bigint not null
        );
        create table model_months (
            month text not null,
            scope text not null,
            used bigint not null,
            primary key (month, scope)
        );",
}];

/// Whose spending it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Instance(InstanceId),
    All,
}

/// A question that is about to be asked.
pub(super) struct Call<'a> {
    pub id: ModelCallId,
    pub instance: InstanceId,
    pub month: Month,
    pub hour: UsageHour,
    pub model: &'a str,
    /// What it can cost.
    pub most: Micros,
    pub at: Timestamp,
}

/// What an instance used of a model in a month.
#[derive(Debug, Clone)]
pub(crate) struct Used {
    pub instance: InstanceId,
    pub model: String,
    pub calls: u64,
    /// Of these calls, those that count with the most they can have cost.
    pub uncounted: u64,
    pub input: u64,
    pub output: u64,
    pub cost: Micros,
}

/// What was spent, and keeps it so until the transaction ends.
pub(super) async fn hold(tx: &mut Tx, month: Month, scope: Scope) -> Result<Micros, Error> {
    sqlx::query(
        "insert into model_months (month, scope, used) values ($1, $2, 0) on conflict (month, scope) do nothing",
    )
    .bind(month.to_string())
    .bind(scope.to_string())
    .execute(&mut **tx)
    .await?;
    let used = "update model_months set used = used where month = $1 and scope = $2 returning used";
    let used = sqlx::query_scalar(used).bind(month.to_string()).bind(scope.to_string()).fetch_one(&mut **tx).await?;
    Ok(Micros::new(used))
}

/// Writes down that a question is about to be asked, with the most it can cost.
pub(super) async fn begin(tx: &mut Tx, call: &Call<'_>) -> Result<(), Error> {
    sqlx::query(
        "insert into model_calls (id, instance_id, month, hour, model, most, begun_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(call.id.to_string())
    .bind(call.instance.to_string())
    .bind(call.month.to_string())
    .bind(call.hour.get())
    .bind(call.model)
    .bind(call.most.get())
    .bind(millis(call.at))
    .execute(&mut **tx)
    .await?;
    add(tx, call.month, Scope::Instance(call.instance), call.most.get()).await?;
    add(tx, call.month, Scope::All, call.most.get()).await
}

/// Writes down how it ended: once, whoever says so first.
pub(super) async fn end(db: &Db, id: ModelCallId, ended: Ended, cost: Micros, at: Timestamp) -> Result<(), Error> {
    let (outcome, tokens) = match ended {
        Ended::Counted(tokens) => ("counted", Some(tokens)),
        Ended::Uncounted => ("uncounted", None),
        Ended::NotDone => ("not_done", None),
    };
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut tx = db.begin().await?;
    let call = sqlx::query("select instance_id, month, most from model_calls where id = $1")
        .bind(id.to_string())
        .fetch_one(&mut *tx)
        .await?;
    let added = sqlx::query(
        "insert into model_settlements (call_id, outcome, input, output, cost, ended_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (call_id) do nothing",
    )
    .bind(id.to_string())
    .bind(outcome)
    .bind(tokens.map(|tokens| number(tokens.input)))
    .bind(tokens.map(|tokens| number(tokens.output)))
    .bind(cost.get())
    .bind(millis(at))
    .execute(&mut *tx)
    .await?;
    if added.rows_affected() == 1 {
        let month = Month::from_stored(call.try_get("month")?)?;
        let instance = InstanceId::from_stored(call.try_get("instance_id")?)?;
        let less = cost.get().saturating_sub(call.try_get("most")?);
        add(&mut tx, month, Scope::Instance(instance), less).await?;
        add(&mut tx, month, Scope::All, less).await?;
    }
    tx.commit().await
}

async fn add(tx: &mut Tx, month: Month, scope: Scope, amount: i64) -> Result<(), Error> {
    sqlx::query("update model_months set used = used + $3 where month = $1 and scope = $2")
        .bind(month.to_string())
        .bind(scope.to_string())
        .bind(amount)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What was spent in a month.
pub(super) async fn used(db: &Db, month: Month, scope: Scope) -> Result<Micros, Error> {
    let used: Option<i64> = sqlx::query_scalar("select used from model_months where month = $1 and scope = $2")
        .bind(month.to_string())
        .bind(scope.to_string())
        .fetch_optional(db.read())
        .await?;
    Ok(Micros::new(used.unwrap_or(0)))
}

/// Who used what in a month, the most expensive first.
pub(super) async fn of_month(db: &Db, month: Month) -> Result<Vec<Used>, Error> {
    let rows = sqlx::query(
        "select c.instance_id, c.model, count(*) as calls,
                cast(sum(case when s.outcome in ('counted', 'not_done') then 0 else 1 end) as bigint) as uncounted,
                cast(sum(coalesce(s.input, 0)) as bigint) as input, cast(sum(coalesce(s.output, 0)) as bigint) as output,
                cast(sum(coalesce(s.cost, c.most)) as bigint) as cost
         from model_calls c left join model_settlements s on s.call_id = c.id
         where c.month = $1 group by c.instance_id, c.model order by cost desc, c.instance_id, c.model",
    )
    .bind(month.to_string())
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let number = |name: &str| row.try_get::<i64, _>(name).map(i64::unsigned_abs);
            Ok(Used {
                instance: InstanceId::from_stored(row.try_get("instance_id")?)?,
                model: row.try_get("model")?,
                calls: number("calls")?,
                uncounted: number("uncounted")?,
                input: number("input")?,
                output: number("output")?,
                cost: Micros::new(row.try_get("cost")?),
            })
        })
        .collect()
}

/// What customers' instances spent in a month; of what is nobody's, without a customer.
pub(crate) async fn by_customer(db: &Db, month: Month) -> Result<Vec<(Option<CustomerId>, Micros)>, Error> {
    let rows = sqlx::query(
        "select i.customer_id, cast(sum(m.used) as bigint) as used
         from model_months m left join instances i on i.id = m.scope
         where m.month = $1 and m.scope <> 'all' group by i.customer_id",
    )
    .bind(month.to_string())
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let customer: Option<&str> = row.try_get("customer_id")?;
            let customer = customer.map(CustomerId::from_stored).transpose()?;
            Ok((customer, Micros::new(row.try_get("used")?)))
        })
        .collect()
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Instance(id) => std::fmt::Display::fmt(id, f),
            Self::All => f.write_str("all"),
        }
    }
}
