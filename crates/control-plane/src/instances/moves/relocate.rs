//! The way to another home. Its place there is made and tried with a backup first, so that the instance is closed only for
//! what is known to work.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{BackupId, BackupReason, MoveEvent};
use jiff::{SignedDuration, Timestamp};
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::carry::{self, Leg};
use super::{Input, TIME_LIMIT, label, letters, store};
use crate::app::Core;
use crate::audit;
use crate::backups::{self, resting};
use crate::instances::{self, place};
use crate::workflows::step_error;

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "move.v1";

/// The steps before the instance is closed, in the words of people who watch it.
const BEFORE: [(&str, &str); 6] = [
    ("make a place", "Making a place in the new home"),
    ("configure", "Handing it its settings and secrets"),
    ("back up", "Backing up everything for a trial"),
    ("put data in", "Putting it into the new place"),
    ("deploy", "Starting the application there for a trial"),
    ("wait until healthy", "Waiting until it answers there"),
];

/// See the module.
pub(crate) struct Relocate(pub Arc<Core>);

/// All steps in the order in which people are shown them, in their words.
pub(crate) fn steps() -> Vec<(&'static str, &'static str)> {
    BEFORE.into_iter().chain(carry::STEPS).chain([("record", "Writing it down")]).collect()
}

#[async_trait]
impl Workflow for Relocate {
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
        let input: Input = run.input()?;
        let leg = Leg::of(core, &input).await?;
        run.step("make a place", || make(&leg)).await?;
        run.step("configure", || place::configure(core, &leg.to)).await?;
        let purpose = format!("trial {}", run.id());
        let backup: BackupId = run.step("back up", || back_up(&leg, &purpose)).await?;
        run.step("put data in", || leg.put_in(backup)).await?;
        let started: Timestamp = run.step("deploy", || leg.try_there()).await?;
        run.step("wait until healthy", || async {
            leg.is_to_move().await?;
            leg.wait_until_it_answers(started).await
        })
        .await?;
        leg.carry_over(run).await?;
        run.step("record", || arrive(&leg, run.id(), &input)).await
    }

    /// Whatever it ran into: it is where it was, and runs; nothing is left in the other home.
    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let input: Input = run.input()?;
        let leg = Leg::of(core, &input).await?;
        leg.carry_back(run).await?;
        run.undo("make a place", || carry::remove(core, input.instance, &input.to)).await?;
        let reason = run.failure().await?;
        run.step("tell customer and operator", || give_up(&leg, run.id(), &reason)).await
    }
}

/// With a way in, where its provider needs one to reach it.
async fn make(leg: &Leg<'_>) -> Result<(), StepError> {
    leg.is_to_move().await?;
    let (core, to) = (leg.core, &leg.to);
    core.drivers.compute.create_project(&to.project, to.id).await.map_err(step_error)?;
    let hostname = core.hostname(&to.subdomain);
    core.drivers.compute.register_hostname(&to.project, &hostname).await.map(drop).map_err(step_error)
}

/// Rests, takes it, runs again: in one step, as any other backup.
async fn back_up(leg: &Leg<'_>, purpose: &str) -> Result<BackupId, StepError> {
    leg.is_to_move().await?;
    backups::place_answers(leg.core).await?;
    let taken = backups::take(leg.core, &leg.instance, BackupReason::BeforeMove, purpose);
    resting::while_it_rests(leg.core, &leg.instance, taken).await
}

/// It lives there; the place that it left rests until somebody decides.
async fn arrive(leg: &Leg<'_>, workflow: &str, input: &Input) -> Result<(), StepError> {
    let core = leg.core;
    core.drivers.compute.suspend(&leg.instance.project).await.map_err(step_error)?;
    let mut tx = core.db.begin().await?;
    store::happen(&mut tx, workflow, MoveEvent::Arrive, None, core.clock.now()).await?;
    let (from, to) = (input.from.home(), input.to.home());
    let detail = format!("from {from} to {to}; its place in {from} is kept");
    audit::record(&mut tx, core, &input.by, "instance.moved", &leg.instance.id.to_string(), &detail).await?;
    letters::moved(&mut tx, core, &leg.instance, (&label(core, &from), &label(core, &to)), workflow).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

async fn give_up(leg: &Leg<'_>, workflow: &str, reason: &str) -> Result<(), StepError> {
    let core = leg.core;
    let mut tx = core.db.begin().await?;
    store::happen(&mut tx, workflow, MoveEvent::Return, Some(reason), core.clock.now()).await?;
    audit::record(&mut tx, core, "moves", "instance.move_failed", &leg.instance.id.to_string(), reason).await?;
    if let Some(instance) = instances::store::find(&core.db, leg.instance.id).await? {
        letters::stayed(&mut tx, core, &instance, reason, workflow).await?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}
