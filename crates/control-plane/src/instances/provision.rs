//! Makes an instance, or leaves nothing behind.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{Event, InstanceId, WorkflowId};
use jiff::SignedDuration;
use store::Tx;
use store::sqlx::Error;
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::store::TransitionError;
use super::{Instance, copy, place};
use crate::app::Core;
use crate::pool::claim;
use crate::workflows::{self, Plan, step_error};
use crate::{audit, mail, members, pool};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "provision.v1";

/// The steps in the order in which people are shown them, in their words.
pub(crate) const STEPS: [(&str, &str); 11] = [
    ("begin", "Reserving your address"),
    ("create project", "Making a place of its own for your workspace"),
    ("configure", "Handing it its settings and secrets"),
    ("register hostname", "Announcing its address to the computers that run it"),
    ("deploy", "Starting the application"),
    ("publish address", "Putting your address on the map"),
    ("cover with access control", "Letting in you, and nobody else"),
    ("wait until healthy", "Waiting until it answers at your address"),
    ("refuse strangers", "Checking that strangers stay outside"),
    ("start subscription", "Starting your subscription"),
    ("record", "Writing it down and sending you the welcome mail"),
];

/// The steps by which an instance is made: a copy is filled before its application starts.
pub(crate) fn steps_of(instance: &Instance) -> Vec<(&'static str, &'static str)> {
    let mut steps = STEPS.to_vec();
    if instance.copied_from.is_some() {
        let starts = steps.iter().position(|(name, _)| *name == "deploy").unwrap_or(steps.len());
        steps.splice(starts..starts, copy::STEPS);
    }
    steps
}

/// Why a provisioning failed, in words for the customer: which step, but not what a provider said,
/// since that may name what is not theirs to know.
pub(crate) fn what_failed(recorded: Option<&str>) -> String {
    let step = recorded.and_then(|error| error.split_once(": ")).map(|(step, _)| step);
    match STEPS.iter().chain(&copy::STEPS).chain(&claim::STEPS).find(|(name, _)| Some(*name) == step) {
        Some((_, label)) => format!("This step did not succeed: {}.", label.to_lowercase()),
        None => "It was stopped before it was ready.".to_owned(),
    }
}

/// See the module.
pub(crate) struct Provision(pub Arc<Core>);

/// Starts provisioning in the transaction that stores the instance.
pub(crate) async fn start(tx: &mut Tx, core: &Core, instance: InstanceId) -> Result<WorkflowId, Error> {
    let subject = instance.to_string();
    let time_limit = core.drivers.compute.patience().saturating_add(copy::more_time(tx, instance).await?);
    workflows::begin(tx, core, &Plan { kind: KIND, time_limit, subject: &subject }, &instance).await
}

#[async_trait]
impl Workflow for Provision {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        self.0.drivers.compute.patience()
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Undo
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let instance = &instance_of(core, run).await?;
        run.step("begin", || happen(core, instance, Event::Start)).await?;
        let cover = async { run.step("cover with access control", || cover(core, instance)).await };
        place::make(run, core, &instance.place(), copy::fill(run, core, instance), cover).await?;
        run.step("start subscription", || async {
            core.drivers.payments.subscribe(instance.customer, instance.id).await.map_err(step_error)
        })
        .await?;
        run.step("record", || async {
            let mut tx = core.db.begin().await?;
            record(&mut tx, core, instance).await?;
            tx.commit().await?;
            core.mail_waiting.notify_one();
            Ok(())
        })
        .await
    }

    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let instance = &instance_of(core, run).await?;
        // Even if it was not started by us: what the customer agreed to on the provider's page is ended too.
        run.step("start subscription", || async {
            core.drivers.payments.cancel(instance.id).await.map_err(step_error)
        })
        .await?;
        place::unmake(run, core, &instance.place()).await?;
        let reason = run.failure().await?;
        run.step("tell customer and operator", || give_up(core, instance, &reason, run.id())).await
    }
}

/// The instance that a workflow was begun for.
pub(crate) async fn instance_of(core: &Core, run: &Run) -> Result<Instance, Stop> {
    let id: InstanceId = run.input()?;
    let found = super::store::find(&core.db, id).await?;
    found.ok_or_else(|| Stop::Failed(format!("there is no instance {id} in the store")))
}

pub(crate) async fn cover(core: &Core, instance: &Instance) -> Result<(), StepError> {
    members::publish::tell_edge(core, instance).await?;
    core.admit_to_site(&instance.customer_email).await.map_err(StepError::temporary)
}

pub(crate) async fn happen(core: &Core, instance: &Instance, event: Event) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    super::store::transition(&mut tx, instance.id, event, core.clock.now()).await.map_err(transition_error)?;
    Ok(tx.commit().await?)
}

/// It is in use from now on.
pub(crate) async fn record(tx: &mut Tx, core: &Core, instance: &Instance) -> Result<(), StepError> {
    super::store::transition(tx, instance.id, Event::Provisioned, core.clock.now()).await.map_err(transition_error)?;
    let detail = format!("at {}", core.hostname(&instance.subdomain));
    audit::record(tx, core, "provisioning", "instance.activated", &instance.id.to_string(), &detail).await?;
    Ok(mail::welcome(tx, core, instance).await?)
}

/// It came to nothing: its customer and the operator are told.
pub(crate) async fn give_up(core: &Core, instance: &Instance, reason: &str, workflow: &str) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    super::store::transition(&mut tx, instance.id, Event::GiveUp, core.clock.now()).await.map_err(transition_error)?;
    members::store::delete_all(&mut tx, instance.id).await?;
    pool::discard::start_if_claimed(&mut tx, core, instance.id).await?;
    audit::record(&mut tx, core, "provisioning", "instance.failed", &instance.id.to_string(), reason).await?;
    mail::provisioning_failed(&mut tx, core, instance, reason, workflow).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

pub(crate) fn transition_error(error: TransitionError) -> StepError {
    match error {
        TransitionError::Store(error) => error.into(),
        TransitionError::Raced => StepError::temporary(error),
        TransitionError::NotFound(_) | TransitionError::Invalid(_) => StepError::permanent(error),
    }
}
