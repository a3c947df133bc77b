//! How the nouns of the business start workflows, and how people follow them.

use std::time::Duration;

use domain::WorkflowId;
use jiff::SignedDuration;
use providers::ProviderError;
use serde::Serialize;
use store::Tx;
use store::sqlx::Error;
use workflow::{NewWorkflow, StepError, WorkflowState};

use crate::app::{App, Core};

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

/// What a provider's error means for a step.
pub(crate) fn step_error(error: ProviderError) -> StepError {
    if error.is_temporary() { StepError::temporary(error) } else { StepError::permanent(error) }
}
