//! How an order ends for which nothing was made.

use domain::{Event, InstanceState};
use workflow::{StepError, StepState, WorkflowRecord, WorkflowState};

use super::checkout::{STEPS, TELL, WAIT, provisioning_of, step};
use crate::alerts::{self, Kind};
use crate::app::{App, Core};
use crate::error::{AppError, refused};
use crate::instances::provision::transition_error;
use crate::instances::{self, Instance};
use crate::{audit, mail, members, pool, workflows};

/// What the step that waits says when the provider's page closed by itself.
pub(super) const LAPSED: &str = "the page closed before anything was entered";

/// Who cancels by the button on the page of an order: whoever knows its address.
const CUSTOMER: &str = "customer, by the page of the order";
/// How long an answer waits for the order to be closed. Should it take longer, the page shows it.
const TO_CLOSE: std::time::Duration = std::time::Duration::from_secs(5);

/// Why an order came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Somebody did not want it any more.
    Cancelled,
    /// Nothing was entered in time.
    Lapsed,
    /// It did not work.
    Broken,
}

impl Ending {
    /// By what is recorded of the sign-up.
    pub(crate) fn of(record: &WorkflowRecord) -> Self {
        let error = record.error.as_deref().unwrap_or_default();
        // What ends a step has the step's name before it.
        let of_step = |name: &&str| error.strip_prefix(*name)?.strip_prefix(": ");
        let reason = STEPS.iter().map(|(name, _)| name).chain([&TELL]).find_map(of_step);
        if reason.unwrap_or(error).starts_with("abandoned by ") {
            return Self::Cancelled;
        }
        // What ends a wait between two looks is the workflow's deadline.
        let waited = step(record, WAIT).is_some_and(|step| step.state == StepState::Waiting);
        if reason == Some(LAPSED) || (reason.is_none() && waited) { Self::Lapsed } else { Self::Broken }
    }

    /// In words for the customer.
    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::Cancelled => "It was cancelled.",
            Self::Lapsed => "No payment details were entered in time.",
            Self::Broken => "The page for your payment details did not work. We have been told.",
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Cancelled => "order.cancelled",
            Self::Lapsed => "order.lapsed",
            Self::Broken => "order.failed",
        }
    }
}

/// Closes an order at its customer's wish, while nothing is made for it yet.
pub(crate) async fn cancel(app: &App, record: &WorkflowRecord, instance: &Instance) -> Result<(), AppError> {
    if provisioning_of(app, instance.id).await?.is_some() {
        let next = "Your payment details were entered. Once the workspace is ready you can delete it in the portal.";
        return Err(refused(409, "The workspace is being made already", next));
    }
    if record.state == WorkflowState::Running {
        workflows::abandon(app, &record.id, CUSTOMER).await?;
    }
    let id = domain::WorkflowId::parse(&record.id).map_err(AppError::internal)?;
    workflows::settled(app, id, TO_CLOSE).await?;
    Ok(())
}

/// Frees the name, and tells whoever has to know: the operator only when something is broken.
pub(super) async fn close(
    core: &Core,
    instance: &Instance,
    workflow: &str,
    for_another: bool,
) -> Result<(), StepError> {
    let Some(record) = workflow::find(&core.db, workflow).await? else { return Ok(()) };
    let ending = Ending::of(&record);
    let mut tx = core.db.begin().await?;
    // Locks the instance's row; nothing else begins with it meanwhile.
    members::store::next_serial(&mut tx, instance.id).await?;
    if instances::store::state(&mut tx, instance.id).await? != Some(InstanceState::Requested) {
        return Ok(());
    }
    let now = core.clock.now();
    instances::store::transition(&mut tx, instance.id, Event::GiveUp, now).await.map_err(transition_error)?;
    members::store::delete_all(&mut tx, instance.id).await?;
    pool::discard::start_if_claimed(&mut tx, core, instance.id).await?;
    let (subject, name) = (instance.id.to_string(), instance.chosen().as_str());
    audit::record(&mut tx, core, "sign-up", ending.action(), &subject, name).await?;
    // Who never heard of an order somebody else made need not hear of its end.
    let heard = !for_another || step(&record, TELL).is_some();
    if heard {
        mail::order_closed(&mut tx, core, instance, ending.in_words()).await?;
    }
    if ending == Ending::Broken {
        let what = format!("The order of {} failed and was undone", core.hostname(instance.chosen()));
        let why = record.error.as_deref().unwrap_or("no reason was recorded");
        let key = format!("order failed {}", instance.id);
        alerts::raise(&mut tx, core, Kind::WorkUndone, &key, &what, why, &format!("/admin/workflows/{workflow}"))
            .await?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}
