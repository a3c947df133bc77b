use ::store::{Db, Engine, Migration, Tx, from_millis, millis, optional_from_millis};
use jiff::{SignedDuration, Timestamp};
use sqlx::{Any, AnyConnection, Error, Executor, Row as _, any::AnyRow};

use crate::lease::{Claimed, Lease};
use crate::record::{Direction, Filter, StepRecord, StepState, WorkflowRecord};
use crate::state::WorkflowState;

/// The tables of workflows.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 2026112410,
        name: "workflows",
        sql: "
        create table workflows (
            id text not null primary key,
            kind text not null,
            subject text not null,
            input text not null,
            state text not null,
            error text,
            created_at bigint not null,
            due_at bigint not null,
            deadline_at bigint not null,
            finished_at bigint,
            cancel_reason text,
            lease_owner text,
            lease_until bigint not null,
            lease_number bigint not null
        );
        create index workflows_due on workflows (due_at) where state in ('running', 'undoing');
        create index workflows_subject on workflows (subject);
        create table workflow_steps (
            workflow_id text not null references workflows (id),
            direction text not null,
            name text not null,
            seq bigint not null,
            state text not null,
            attempts bigint not null,
            output text,
            error text,
            started_at bigint not null,
            finished_at bigint,
            primary key (workflow_id, direction, name)
        );",
    },
    Migration { version: 2026112511, name: "notes of steps", sql: "alter table workflow_steps add column notes text;" },
    Migration {
        version: 2026112911,
        name: "nudges",
        sql: "alter table workflows add column is_nudged bigint not null default 0;",
    },
    Migration {
        version: 2026120142,
        name: "workflows by state",
        sql: "create index workflows_state on workflows (state, id);",
    },
    Migration {
        version: 2026120361,
        name: "workflows by their end",
        sql: "create index workflows_finished on workflows (finished_at);",
    },
];

/// A workflow to be started.
#[derive(Debug, Clone)]
pub struct NewWorkflow {
    /// Its id, made by the caller.
    pub id: String,
    /// The kind, as a registered workflow gives it.
    pub kind: &'static str,
    /// The id of what it works on.
    pub subject: String,
    /// What it needs to know, as JSON; no secrets.
    pub input: String,
    /// Now.
    pub now: Timestamp,
    /// When it counts as failed.
    pub deadline: Timestamp,
}

/// Starts a workflow within the transaction that makes it necessary, so that neither exists
/// without the other. Wake the engine after the commit.
///
/// # Errors
/// When the store refuses.
pub async fn start(tx: &mut Tx, new: &NewWorkflow) -> Result<(), Error> {
    sqlx::query(
        "insert into workflows
             (id, kind, subject, input, state, created_at, due_at, deadline_at, lease_until, lease_number)
         values ($1, $2, $3, $4, 'running', $5, $5, $6, 0, 0)",
    )
    .bind(&new.id)
    .bind(new.kind)
    .bind(&new.subject)
    .bind(&new.input)
    .bind(millis(new.now))
    .bind(millis(new.deadline))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One workflow with its steps.
///
/// # Errors
/// When the store can't be read.
pub async fn find(db: &Db, id: &str) -> Result<Option<WorkflowRecord>, Error> {
    let row = sqlx::query("select * from workflows where id = $1").bind(id).fetch_optional(db.read()).await?;
    match row {
        Some(row) => {
            let mut record = record(&row)?;
            record.steps = steps(db, id).await?;
            Ok(Some(record))
        }
        None => Ok(None),
    }
}

/// Workflows without their steps, newest first.
///
/// # Errors
/// When the store can't be read.
pub async fn list(db: &Db, filter: &Filter) -> Result<Vec<WorkflowRecord>, Error> {
    let select = match filter.state {
        None => "select * from workflows where ($1 = '') and ($2 = '' or id < $2) order by id desc limit $3",
        // Few of many: found by the index.
        Some(_) => "select * from workflows where state = $1 and ($2 = '' or id < $2) order by id desc limit $3",
    };
    let rows = sqlx::query(select)
        .bind(filter.state.map_or("", WorkflowState::as_str))
        .bind(filter.before.as_deref().unwrap_or_default())
        .bind(i64::from(filter.limit))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(record).collect()
}

/// All workflows that worked on one thing, newest first, without their steps.
///
/// # Errors
/// When the store can't be read.
pub async fn of_subject(db: &Db, subject: &str) -> Result<Vec<WorkflowRecord>, Error> {
    let rows = sqlx::query("select * from workflows where subject = $1 order by id desc")
        .bind(subject)
        .fetch_all(db.read())
        .await?;
    rows.iter().map(record).collect()
}

/// What workflows work on, wait for a person to work on, or did work on after a moment: the subject of
/// each, with its kind.
///
/// # Errors
/// When the store can't be read.
pub async fn at_work_since(db: &Db, since: Timestamp) -> Result<Vec<(String, String)>, Error> {
    let rows = sqlx::query(
        "select distinct subject, kind from workflows
         where state in ('running', 'undoing', 'stuck') or finished_at >= $1",
    )
    .bind(millis(since))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(|row| Ok((row.try_get("subject")?, row.try_get("kind")?))).collect()
}

/// The workflow of a kind that works on something, or waits for a person to let it go on, as seen
/// within a transaction.
///
/// # Errors
/// When the store can't be read.
pub async fn under_way(tx: &mut Tx, kind: &str, subject: &str) -> Result<Option<(String, WorkflowState)>, Error> {
    let row = sqlx::query(
        "select id, state from workflows where subject = $1 and kind = $2
         and state in ('running', 'undoing', 'stuck') order by id desc limit 1",
    )
    .bind(subject)
    .bind(kind)
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| Ok((row.try_get("id")?, state(&row)?))).transpose()
}

/// What a workflow was started with, as JSON.
///
/// # Errors
/// When the store can't be read.
pub async fn input(tx: &mut Tx, id: &str) -> Result<Option<String>, Error> {
    sqlx::query_scalar("select input from workflows where id = $1").bind(id).fetch_optional(&mut **tx).await
}

/// Makes what works on a subject look at once instead of at its next due date: something that it
/// may wait for has happened. Wake the engine after the commit.
///
/// # Errors
/// When the store refuses.
pub async fn nudge(tx: &mut Tx, subject: &str, now: Timestamp) -> Result<(), Error> {
    // Noted too, for one that is at work just now: what it waits for may have happened after it looked.
    sqlx::query(
        "update workflows set is_nudged = 1, due_at = case when due_at > $2 then $2 else due_at end
         where subject = $1 and state in ('running', 'undoing')",
    )
    .bind(subject)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(crate) async fn steps(db: &Db, id: &str) -> Result<Vec<StepRecord>, Error> {
    let rows = sqlx::query("select * from workflow_steps where workflow_id = $1 order by direction, seq")
        .bind(id)
        .fetch_all(db.read())
        .await?;
    rows.iter().map(step_record).collect()
}

/// Takes up to `limit` workflows that are due and that nobody holds.
pub(crate) async fn claim(
    db: &Db,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Claimed>, Error> {
    // SQLite has one writer, so nothing needs to be locked or skipped there.
    let statement = match db.engine() {
        Engine::Sqlite => {
            "update workflows set lease_owner = $1, lease_until = $2, lease_number = lease_number + 1,
                 is_nudged = 0
             where id in (select id from workflows where state in ('running', 'undoing')
                          and due_at <= $3 and lease_until <= $3 order by due_at limit $4)
             returning *"
        }
        Engine::Postgres => {
            "update workflows set lease_owner = $1, lease_until = $2, lease_number = lease_number + 1,
                 is_nudged = 0
             where id in (select id from workflows where state in ('running', 'undoing')
                          and due_at <= $3 and lease_until <= $3 order by due_at limit $4 for update skip locked)
             returning *"
        }
    };
    let rows = sqlx::query(statement)
        .bind(owner)
        .bind(millis(until))
        .bind(millis(now))
        .bind(i64::from(limit))
        .fetch_all(db.write())
        .await?;
    rows.iter().map(claimed).collect()
}

/// Prolongs a lease; false when another replica holds it by now.
pub(crate) async fn renew(db: &Db, lease: &Lease, until: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query("update workflows set lease_until = $3 where id = $1 and lease_number = $2")
        .bind(&lease.id)
        .bind(lease.number)
        .bind(millis(until))
        .execute(db.write())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a lease and says when the workflow goes on; one that was nudged meanwhile goes on at once.
pub(crate) async fn release(db: &Db, lease: &Lease, due: Timestamp, error: Option<&str>) -> Result<(), Error> {
    sqlx::query(
        "update workflows set lease_until = 0, due_at = case when is_nudged = 1 then due_at else $3 end,
             error = coalesce($4, error)
         where id = $1 and lease_number = $2",
    )
    .bind(&lease.id)
    .bind(lease.number)
    .bind(millis(due))
    .bind(error)
    .execute(db.write())
    .await?;
    Ok(())
}

/// Ends a lease and moves the workflow to another state.
pub(crate) async fn turn(
    db: &Db,
    lease: &Lease,
    state: WorkflowState,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "update workflows set state = $3, error = coalesce($4, error), due_at = $5, finished_at = $6, lease_until = 0
         where id = $1 and lease_number = $2",
    )
    .bind(&lease.id)
    .bind(lease.number)
    .bind(state.as_str())
    .bind(error)
    .bind(millis(now))
    .bind(state.is_over().then_some(millis(now)))
    .execute(db.write())
    .await?;
    Ok(())
}

/// Frees all leases: for the one process of a SQLite store, whose predecessor is known to be gone.
pub(crate) async fn free_all_leases(db: &Db) -> Result<(), Error> {
    sqlx::query("update workflows set lease_until = 0 where lease_until > 0").execute(db.write()).await?;
    Ok(())
}

/// Stores the intent of a step. `None` when the lease is lost, else the attempt's number.
pub(crate) async fn begin_step(
    db: &Db,
    lease: &Lease,
    direction: Direction,
    name: &str,
    now: Timestamp,
) -> Result<Option<u32>, Error> {
    let mut tx = db.begin().await?;
    if !holds(&mut tx, lease).await? {
        return Ok(None);
    }
    let attempts: i64 = sqlx::query_scalar(
        "insert into workflow_steps (workflow_id, direction, name, seq, state, attempts, started_at)
         values ($1, $2, $3, (select count(*) from workflow_steps where workflow_id = $1), 'started', 1, $4)
         on conflict (workflow_id, direction, name) do update
             set attempts = workflow_steps.attempts + case when workflow_steps.state = 'waiting' then 0 else 1 end,
                 started_at = case when workflow_steps.state = 'waiting' then workflow_steps.started_at else $4 end,
                 state = 'started', finished_at = null
         returning attempts",
    )
    .bind(&lease.id)
    .bind(direction.as_str())
    .bind(name)
    .bind(millis(now))
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Some(u32::try_from(attempts).unwrap_or(u32::MAX)))
}

/// How a step ended.
pub(crate) struct StepEnd<'a> {
    pub direction: Direction,
    pub name: &'a str,
    pub state: StepState,
    pub output: Option<&'a str>,
    pub error: Option<&'a str>,
    pub notes: Option<&'a str>,
}

/// Stores how a step ended. False when the lease is lost.
pub(crate) async fn end_step(db: &Db, lease: &Lease, end: &StepEnd<'_>, now: Timestamp) -> Result<bool, Error> {
    let mut tx = db.begin().await?;
    if !holds(&mut tx, lease).await? {
        return Ok(false);
    }
    sqlx::query(
        "update workflow_steps set state = $4, output = $5, error = $6, finished_at = $7, notes = $8
         where workflow_id = $1 and direction = $2 and name = $3",
    )
    .bind(&lease.id)
    .bind(end.direction.as_str())
    .bind(end.name)
    .bind(end.state.as_str())
    .bind(end.output)
    .bind(end.error)
    .bind(millis(now))
    .bind(end.notes)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// Why the workflow is to stop, if somebody asked for that.
pub(crate) async fn cancel_reason(db: &Db, id: &str) -> Result<Option<String>, Error> {
    let reason: Option<Option<String>> = sqlx::query_scalar("select cancel_reason from workflows where id = $1")
        .bind(id)
        .fetch_optional(db.read())
        .await?;
    Ok(reason.flatten())
}

/// Asks a workflow that is under way to stop and take back what it did. False when it is not under way.
///
/// # Errors
/// When the store refuses.
pub async fn request_cancel<'c>(
    executor: impl Executor<'c, Database = Any>,
    id: &str,
    reason: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query("update workflows set cancel_reason = $2, due_at = $3 where id = $1 and state = 'running'")
        .bind(id)
        .bind(reason)
        .bind(millis(now))
        .execute(executor)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes a workflow that waits go on at once, with more time before it counts as failed.
pub(crate) async fn make_due(db: &Db, id: &str, now: Timestamp, deadline: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query(
        "update workflows set due_at = $2, deadline_at = $3 where id = $1 and state in ('running', 'undoing')",
    )
    .bind(id)
    .bind(millis(now))
    .bind(millis(deadline))
    .execute(db.write())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives a workflow more time before it counts as failed.
pub(crate) async fn prolong(db: &Db, lease: &Lease, by: SignedDuration) -> Result<(), Error> {
    sqlx::query("update workflows set deadline_at = deadline_at + $3 where id = $1 and lease_number = $2")
        .bind(&lease.id)
        .bind(lease.number)
        .bind(i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
        .execute(db.write())
        .await?;
    Ok(())
}

/// When the next workflow that nobody holds goes on by itself.
pub(crate) async fn next_due(db: &Db) -> Result<Option<Timestamp>, Error> {
    let next: Option<i64> =
        sqlx::query_scalar("select min(due_at) from workflows where state in ('running', 'undoing')")
            .fetch_one(db.read())
            .await?;
    Ok(optional_from_millis(next))
}

/// Takes a stuck workflow to another state. False when it is not stuck.
pub(crate) async fn leave_stuck(
    db: &Db,
    id: &str,
    to: WorkflowState,
    note: Option<&str>,
    now: Timestamp,
    deadline: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "update workflows set state = $2, due_at = $3, deadline_at = $4, finished_at = $5, error = coalesce($6, error),
             cancel_reason = null
         where id = $1 and state = 'stuck'",
    )
    .bind(id)
    .bind(to.as_str())
    .bind(millis(now))
    .bind(millis(deadline))
    .bind(to.is_over().then_some(millis(now)))
    .bind(note)
    .execute(db.write())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the lease is still ours; on PostgreSQL this also keeps others from taking it meanwhile.
async fn holds(connection: &mut AnyConnection, lease: &Lease) -> Result<bool, Error> {
    let done = sqlx::query("update workflows set lease_number = lease_number where id = $1 and lease_number = $2")
        .bind(&lease.id)
        .bind(lease.number)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn record(row: &AnyRow) -> Result<WorkflowRecord, Error> {
    Ok(WorkflowRecord {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        subject: row.try_get("subject")?,
        state: state(row)?,
        attempt: u32::try_from(row.try_get::<i64, _>("lease_number")?).unwrap_or(u32::MAX),
        error: row.try_get("error")?,
        created_at: from_millis(row.try_get("created_at")?),
        due_at: from_millis(row.try_get("due_at")?),
        deadline_at: from_millis(row.try_get("deadline_at")?),
        finished_at: optional_from_millis(row.try_get("finished_at")?),
        steps: Vec::new(),
    })
}

fn step_record(row: &AnyRow) -> Result<StepRecord, Error> {
    Ok(StepRecord {
        name: row.try_get("name")?,
        direction: if row.try_get::<String, _>("direction")? == "undo" { Direction::Undo } else { Direction::Do },
        state: StepState::parse(&row.try_get::<String, _>("state")?),
        attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX),
        output: row.try_get("output")?,
        error: row.try_get("error")?,
        notes: row.try_get("notes")?,
        started_at: from_millis(row.try_get("started_at")?),
        finished_at: optional_from_millis(row.try_get("finished_at")?),
    })
}

fn claimed(row: &AnyRow) -> Result<Claimed, Error> {
    Ok(Claimed {
        lease: Lease { id: row.try_get("id")?, number: row.try_get("lease_number")? },
        kind: row.try_get("kind")?,
        subject: row.try_get("subject")?,
        input: row.try_get("input")?,
        undoing: state(row)? == WorkflowState::Undoing,
        deadline: from_millis(row.try_get("deadline_at")?),
    })
}

fn state(row: &AnyRow) -> Result<WorkflowState, Error> {
    let word: String = row.try_get("state")?;
    WorkflowState::parse(&word).ok_or_else(|| Error::Decode(format!("{word:?} is not the state of a workflow").into()))
}
