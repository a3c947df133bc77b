//! Hands an instance that was made ahead to the customer who signed up. They start on the name that it has;
//! the one that they chose takes over by `instances/rename.rs` when it is connected.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{Event, InstanceId, Subdomain, WorkflowId};
use jiff::SignedDuration;
use store::Tx;
use store::sqlx::Error;
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::store as warm;
use crate::app::Core;
use crate::instances::provision::{self, instance_of};
use crate::instances::{Instance, Place, probe, rename};
use crate::members;
use crate::releases;
use crate::workflows::{self, Plan, step_error};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "claim.v1";

/// The steps in the order in which people are shown them, in their words.
pub(crate) const STEPS: [(&str, &str); 8] = [
    ("begin", "Taking a workspace that is ready"),
    ("let in", "Letting in you, and nobody else"),
    ("tell the guard", "Telling it that it is yours"),
    ("wait until healthy", "Waiting until it answers"),
    ("refuse strangers", "Checking that strangers stay outside"),
    ("start subscription", "Starting your subscription"),
    ("observe", "Looking how it is"),
    ("record", "Writing it down and sending you the welcome mail"),
];

/// What makes an instance, or hands it over.
pub(crate) const MAKING: [&str; 2] = [provision::KIND, KIND];

/// See the module.
pub(crate) struct Claim(pub Arc<Core>);

/// Takes one that is ready, in the transaction of the order. It is nobody else's ever after.
pub(crate) async fn take(tx: &mut Tx, core: &Core) -> Result<Option<Place>, Error> {
    let release = releases::sold(tx).await?;
    warm::claim(tx, &release, core.clock.now()).await
}

/// Begins to make an instance, or to hand over the one that was taken for it.
pub(crate) async fn start_or_provision(tx: &mut Tx, core: &Core, id: InstanceId) -> Result<WorkflowId, Error> {
    if !warm::is_claimed(tx, id).await? {
        return provision::start(tx, core, id).await;
    }
    let subject = id.to_string();
    let plan = Plan { kind: KIND, time_limit: core.drivers.compute.patience(), subject: &subject };
    workflows::begin(tx, core, &plan, &id).await
}

#[async_trait]
impl Workflow for Claim {
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
        let place = &instance.place();
        run.step("begin", || provision::happen(core, instance, Event::Start)).await?;
        // Somebody waits for this, so that what does not need the other is done beside it.
        let let_in = run.step("let in", || provision::cover(core, instance));
        let told = run.step("tell the guard", || members::publish::tell_guard(core, instance));
        let probed = async {
            run.step("wait until healthy", || probe::wait_until_healthy(core, place)).await?;
            run.step("refuse strangers", || probe::refuses_strangers(core, place)).await
        };
        workflow::both(workflow::both(let_in, told), probed).await?;
        let subscribed = run.step("start subscription", || async {
            core.drivers.payments.subscribe(instance.customer, instance.id).await.map_err(step_error)
        });
        let observed = run.step("observe", || probe::note_observation(core, place));
        workflow::both(subscribed, observed).await?;
        run.step("record", || record(core, instance)).await
    }

    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let instance = &instance_of(core, run).await?;
        // Even if it was not started by us: what the customer agreed to on the provider's page is ended too.
        run.step("start subscription", || async {
            core.drivers.payments.cancel(instance.id).await.map_err(step_error)
        })
        .await?;
        let reason = run.failure().await?;
        // Which also begins to take it down.
        run.step("tell customer and operator", || provision::give_up(core, instance, &reason, run.id())).await
    }
}

/// From here on it is in use; the move to the name that its customer chose begins.
async fn record(core: &Core, instance: &Instance) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    provision::record(&mut tx, core, instance).await?;
    if let Some(chosen) = &instance.next_subdomain {
        move_on(&mut tx, core, instance, chosen).await?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

/// A step may run twice, and a customer moves once.
async fn move_on(tx: &mut Tx, core: &Core, instance: &Instance, chosen: &Subdomain) -> Result<(), Error> {
    let subject = instance.id.to_string();
    if workflow::under_way(tx, rename::KIND, &subject).await?.is_none() {
        rename::to_the_chosen(tx, core, instance, chosen).await?;
    }
    Ok(())
}
