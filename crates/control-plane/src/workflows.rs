//! How the nouns of the business start workflows, and how people follow them.

use std::time::Duration;

use domain::{InstanceId, WorkflowId};
use jiff::SignedDuration;
use providers::ProviderError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::Tx;
use store::sqlx::Error;
use workflow::{Direction, NewWorkflow, StepError, WorkflowState};

use crate::app::{App, Core};
use crate::billing::refunds;
use crate::error::AppError;
use crate::text::capital;
use crate::{audit, instances};

/// What starting a workflow takes, beside its input.
pub(crate) struct Plan<'a> {
    pub kind: &'static str,
    pub time_limit: SignedDuration,
    pub subject: &'a str,
}

/// Starts a workflow in the transaction that makes it necessary. Wake the engine after the commit,
/// or wait with [`settled`].
pub(crate) async fn begin(
    tx: &mut Tx,
    core: &Core,
    plan: &Plan<'_>,
    input: &impl Serialize,
) -> Result<WorkflowId, Error> {
    let now = core.clock.now();
    let id = WorkflowId::new(now, core.entropy.bytes());
    let new = NewWorkflow {
        id: id.to_string(),
        kind: plan.kind,
        subject: plan.subject.to_owned(),
        input: serde_json::to_string(input).map_err(|error| Error::Encode(Box::new(error)))?,
        now,
        deadline: now + plan.time_limit,
    };
    workflow::start(tx, &new).await?;
    Ok(id)
}

/// Wakes the engine and waits until the workflow is over, but not longer than `limit`. The state
/// it is in then.
pub(crate) async fn settled(app: &App, id: WorkflowId, limit: Duration) -> Result<Option<WorkflowState>, Error> {
    let mut changes = app.engine.changes();
    app.engine.wake();
    let id = id.to_string();
    let over = async {
        loop {
            let state = workflow::find(&app.db, &id).await?.map(|record| record.state);
            if state.is_none_or(WorkflowState::is_over) || changes.changed().await.is_err() {
                return Ok::<_, Error>(state);
            }
        }
    };
    match tokio::time::timeout(limit, over).await {
        Ok(state) => state,
        Err(_) => Ok(workflow::find(&app.db, &id).await?.map(|record| record.state)),
    }
}

/// Wakes the engine and waits for what a step gives, but not longer than `limit`. `None` when it has
/// not come by then, or will not come any more.
pub(crate) async fn given<T: DeserializeOwned>(
    app: &App,
    id: &str,
    step: &str,
    limit: Duration,
) -> Result<Option<T>, Error> {
    let mut changes = app.engine.changes();
    app.engine.wake();
    let look = async || {
        let Some(record) = workflow::find(&app.db, id).await? else { return Ok((None, true)) };
        let output = record.steps.iter().find(|found| found.name == step && found.direction == Direction::Do);
        let output = output.and_then(|step| step.output.clone());
        Ok::<_, Error>((output, record.state != WorkflowState::Running))
    };
    let come = async {
        loop {
            let (output, over) = look().await?;
            if output.is_some() || over || changes.changed().await.is_err() {
                return Ok::<_, Error>(output);
            }
        }
    };
    let output = match tokio::time::timeout(limit, come).await {
        Ok(output) => output?,
        // Another replica, whose changes are not announced here, may have done it.
        Err(_) => look().await?.0,
    };
    output.map(|text| serde_json::from_str(&text).map_err(|error| Error::Decode(Box::new(error)))).transpose()
}

/// What a provider's error means for a step.
pub(crate) fn step_error(error: ProviderError) -> StepError {
    match error {
        ProviderError::NotYet { why, after } => StepError::NotYet { why, after },
        ProviderError::InLine { why, until } => StepError::InLine { why, until },
        ProviderError::Unavailable { .. } | ProviderError::Lost { .. } => StepError::temporary(error),
        ProviderError::Refused { .. } | ProviderError::NotFound { .. } | ProviderError::Declined(_) => {
            StepError::permanent(error)
        }
    }
}

/// Makes a workflow that waits, or is stuck, go on at once.
pub(crate) async fn retry(app: &App, id: &str, by: &str) -> Result<(), AppError> {
    app.engine.retry(id).await?;
    note(app, id, "workflow.retried", by).await
}

/// Gives a workflow up.
pub(crate) async fn abandon(app: &App, id: &str, by: &str) -> Result<(), AppError> {
    app.engine.abandon(id, by).await?;
    note(app, id, "workflow.abandoned", by).await?;
    refunds::settle_abandoned(app).await?;
    app.engine.wake();
    Ok(())
}

async fn note(app: &App, id: &str, action: &str, by: &str) -> Result<(), AppError> {
    let mut tx = app.db.begin().await?;
    audit::record(&mut tx, app, by, action, id, "").await?;
    Ok(tx.commit().await?)
}

/// What a workflow works on, as people know it: an instance's hostname, else its id.
pub(crate) async fn subject_in_words(app: &App, subject: &str) -> Result<String, Error> {
    let Ok(id) = InstanceId::parse(subject) else { return Ok(subject.to_owned()) };
    let instance = instances::store::find(&app.db, id).await?;
    Ok(instance.map_or_else(|| subject.to_owned(), |instance| app.hostname(&instance.subdomain)))
}

/// The kind of a workflow in words: `provision.v1` is `Provision`.
pub(crate) fn kind_in_words(kind: &str) -> String {
    capital(&kind.split_once(".v").map_or(kind, |(name, _)| name).replace('-', " "))
}
