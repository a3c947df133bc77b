//! The way back to the place that an instance left, while that is kept. What was written since goes along.

use std::sync::Arc;

use async_trait::async_trait;
use domain::MoveEvent;
use jiff::SignedDuration;
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::carry::{self, Leg};
use super::{Input, TIME_LIMIT, label, letters, store};
use crate::app::Core;
use crate::audit;
use crate::instances;
use crate::workflows::step_error;

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "move-back.v1";

/// See the module.
pub(crate) struct GoBackHome(pub Arc<Core>);

/// All steps in the order in which people are shown them, in their words.
pub(crate) fn steps() -> Vec<(&'static str, &'static str)> {
    let after = [("remove the place", "Removing the place that it comes from"), ("record", "Writing it down")];
    carry::STEPS.into_iter().chain(after).collect()
}

#[async_trait]
impl Workflow for GoBackHome {
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
        leg.carry_over(run).await?;
        run.step("remove the place", || carry::remove(core, input.instance, &input.from)).await?;
        run.step("record", || arrive(&leg, run.id(), &input)).await
    }

    /// Whatever it ran into: it stays where it is, and runs; both places are kept.
    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let input: Input = run.input()?;
        let leg = Leg::of(core, &input).await?;
        if run.has_begun("remove the place") {
            // It arrived, and what it came from may be gone by half: there is nothing to go back to.
            run.step("remove the place", || carry::remove(core, input.instance, &input.from)).await?;
            return run.step("record", || arrive(&leg, run.id(), &input)).await;
        }
        leg.carry_back(run).await?;
        run.undo("run there", || async { core.drivers.compute.suspend(&leg.to.project).await.map_err(step_error) })
            .await?;
        let reason = run.failure().await?;
        run.step("tell customer and operator", || stay(&leg, run.id(), &input, &reason)).await
    }
}

async fn arrive(leg: &Leg<'_>, workflow: &str, input: &Input) -> Result<(), StepError> {
    let core = leg.core;
    let mut tx = core.db.begin().await?;
    let id = input.id.as_deref().unwrap_or_default();
    store::happen(&mut tx, id, MoveEvent::Return, None, core.clock.now()).await?;
    let (from, to) = (input.from.home(), input.to.home());
    let detail = format!("back from {from} to {to}, with everything that was written since");
    audit::record(&mut tx, core, &input.by, "instance.moved_back", &leg.instance.id.to_string(), &detail).await?;
    letters::moved_back(&mut tx, core, &leg.instance, &label(core, &to), workflow).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

async fn stay(leg: &Leg<'_>, workflow: &str, input: &Input, reason: &str) -> Result<(), StepError> {
    let core = leg.core;
    let mut tx = core.db.begin().await?;
    let id = input.id.as_deref().unwrap_or_default();
    store::happen(&mut tx, id, MoveEvent::Stay, Some(reason), core.clock.now()).await?;
    let subject = leg.instance.id.to_string();
    audit::record(&mut tx, core, "moves", "instance.move_back_failed", &subject, reason).await?;
    if let Some(instance) = instances::store::find(&core.db, leg.instance.id).await? {
        letters::stayed(&mut tx, core, &instance, reason, workflow).await?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}
