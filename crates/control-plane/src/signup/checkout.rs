//! An order whose means of payment is given on a page of the payment provider's. Until then nothing is
//! made; until the instance works nothing is charged.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{Event, InstanceId, InstanceState, WorkflowId};
use jiff::{SignedDuration, Timestamp};
use providers::payments::{CheckoutState, Order};
use serde::{Deserialize, Serialize};
use store::Tx;
use store::sqlx::Error;
use workflow::{Direction, OnFailure, Run, StepError, StepRecord, StepState, Stop, Workflow, WorkflowRecord};

use super::closing::{self, LAPSED};
use crate::app::{App, Core};
use crate::instances::provision::transition_error;
use crate::instances::{self, Instance};
use crate::pool::claim::{self, MAKING};
use crate::workflows::{self, Plan, step_error};
use crate::{customers, mail, members};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "sign-up.v1";

pub(crate) const OPEN: &str = "open checkout";
pub(super) const TELL: &str = "write to the customer";
pub(super) const WAIT: &str = "wait for a means of payment";

/// The steps in the order in which people are shown them, in their words.
pub(crate) const STEPS: [(&str, &str); 3] = [
    (OPEN, "Opening the page for your payment details"),
    (WAIT, "Waiting for your payment details"),
    ("begin provisioning", "Beginning to make your workspace"),
];

/// A page of the provider's is open for a day at most.
const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(25);
/// So long whoever orders for themselves may take to pay: an order holds a name, a place below every ceiling, and
/// perhaps an instance made ahead.
const OWN_ORDER: SignedDuration = SignedDuration::from_hours(2);
/// How soon it is looked whether somebody entered something, should nobody tell; rarer as time passes.
const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(30);
const RAREST_LOOK: SignedDuration = SignedDuration::from_mins(5);
/// A look of this age is repeated for a customer who comes back from the provider's page.
const FRESH: SignedDuration = SignedDuration::from_secs(15);

/// What a sign-up is started with.
#[derive(Serialize, Deserialize)]
struct Wanted {
    instance: InstanceId,
    /// Somebody else ordered it, so that the customer has to be told.
    for_another: bool,
}

/// The page that was opened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Opened {
    pub url: String,
    pub expires_at: Timestamp,
    at: Timestamp,
}

/// See the module.
pub(crate) struct SignUp(pub Arc<Core>);

/// Starts the sign-up in the transaction that stores the instance.
pub(super) async fn start(
    tx: &mut Tx,
    core: &Core,
    instance: InstanceId,
    for_another: bool,
) -> Result<WorkflowId, Error> {
    let subject = instance.to_string();
    let plan = Plan { kind: KIND, time_limit: TIME_LIMIT, subject: &subject };
    workflows::begin(tx, core, &plan, &Wanted { instance, for_another }).await
}

/// The workflow that makes the instance, once it was begun.
pub(crate) async fn provisioning_of(core: &Core, instance: InstanceId) -> Result<Option<String>, Error> {
    let all = workflow::of_subject(&core.db, &instance.to_string()).await?;
    Ok(all.into_iter().find(|record| MAKING.contains(&record.kind.as_str())).map(|record| record.id))
}

/// The page on which something can be entered now.
pub(crate) fn open_page(record: &WorkflowRecord) -> Option<Opened> {
    let waited_for = step(record, WAIT).is_none_or(|step| step.state != StepState::Done);
    let output = step(record, OPEN)?.output.as_deref()?;
    if record.state.is_over() || !waited_for { None } else { serde_json::from_str(output).ok() }
}

/// Looks whether something was entered, unless that was seen to just now: the customer is here, and may
/// come from the provider's page.
pub(crate) async fn look_again(app: &App, record: &WorkflowRecord) -> Result<(), Error> {
    let now = app.clock.now();
    let stale = |step: &StepRecord| step.finished_at.is_some_and(|at| at + FRESH < now);
    if step(record, WAIT).is_some_and(|step| step.state == StepState::Waiting && stale(step)) {
        let mut tx = app.db.begin().await?;
        workflow::nudge(&mut tx, &record.subject, now).await?;
        tx.commit().await?;
        app.engine.wake();
    }
    Ok(())
}

pub(super) fn step<'a>(record: &'a WorkflowRecord, name: &str) -> Option<&'a StepRecord> {
    record.steps.iter().find(|step| step.direction == Direction::Do && step.name == name)
}

#[async_trait]
impl Workflow for SignUp {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Undo
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let wanted: Wanted = run.input()?;
        let instance = &find(core, wanted.instance).await?;
        let opened: Opened = run.step(OPEN, || open(core, instance, wanted.for_another, run.id())).await?;
        if wanted.for_another {
            run.step(TELL, || tell(core, instance, &opened, run.id())).await?;
        }
        run.step(WAIT, || wait(core, instance, &opened)).await?;
        run.step("begin provisioning", || begin(core, instance.id)).await
    }

    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let wanted: Wanted = run.input()?;
        // What is being made is not the order's to take back any more.
        if provisioning_of(core, wanted.instance).await?.is_some() {
            return Ok(());
        }
        let instance = &find(core, wanted.instance).await?;
        // The subscription too: it exists if the customer paid while this was turning round.
        run.undo(OPEN, || async { core.drivers.payments.cancel(instance.id).await.map_err(step_error) }).await?;
        run.step("close the order", || closing::close(core, instance, run.id(), wanted.for_another)).await
    }
}

async fn find(core: &Core, id: InstanceId) -> Result<Instance, Stop> {
    let found = instances::store::find(&core.db, id).await?;
    found.ok_or_else(|| Stop::Failed(format!("there is no instance {id} in the store")))
}

async fn open(core: &Core, instance: &Instance, for_another: bool, workflow: &str) -> Result<Opened, StepError> {
    let progress = core.site_url(&format!("/signup/{workflow}"));
    let order = Order {
        customer: instance.customer,
        name: instance.customer_name.clone(),
        email: instance.customer_email.clone(),
        instance: instance.id,
        hostname: core.hostname(instance.chosen()),
        done_url: progress.clone(),
        back_url: progress,
        closes_at: (!for_another).then(|| instance.created_at + OWN_ORDER),
    };
    let page = core.drivers.payments.open_checkout(&order).await.map_err(step_error)?;
    Ok(Opened { url: page.url, expires_at: page.expires_at, at: core.clock.now() })
}

async fn tell(core: &Core, instance: &Instance, opened: &Opened, workflow: &str) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    mail::order_placed(&mut tx, core, instance, opened.expires_at, workflow).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

async fn wait(core: &Core, instance: &Instance, opened: &Opened) -> Result<(), StepError> {
    match core.drivers.payments.checkout(instance.id).await.map_err(step_error)? {
        CheckoutState::Open => {
            let now = core.clock.now();
            let after = (now.duration_since(opened.at) / 4).clamp(FIRST_LOOK, RAREST_LOOK);
            Err(StepError::NotYet { why: "Nothing is made and nothing is charged until then.".to_owned(), after })
        }
        CheckoutState::Expired => Err(StepError::permanent(anyhow::anyhow!(LAPSED))),
        CheckoutState::Done { card: None } => Ok(()),
        CheckoutState::Done { card: Some(card) } => {
            let mut tx = core.db.begin().await?;
            let driver = core.drivers.payments.name();
            customers::store::save_card(&mut tx, instance.customer, driver, &card, core.clock.now()).await?;
            Ok(tx.commit().await?)
        }
    }
}

/// Begins to make the instance, unless that was done before.
async fn begin(core: &Core, id: InstanceId) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    // Locks the instance's row, so that of two runs of this step one sees the other.
    members::store::next_serial(&mut tx, id).await?;
    if instances::store::state(&mut tx, id).await? == Some(InstanceState::Requested) {
        instances::store::transition(&mut tx, id, Event::Start, core.clock.now()).await.map_err(transition_error)?;
        claim::start_or_provision(&mut tx, core, id).await?;
    }
    Ok(tx.commit().await?)
}
