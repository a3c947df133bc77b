//! A move was confirmed: the place that its instance left is removed, with everything in it.

use std::sync::Arc;

use async_trait::async_trait;
use domain::MoveEvent;
use jiff::SignedDuration;
use providers::Removed;
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::{Input, carry, store};
use crate::app::Core;
use crate::audit;

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "settle-move.v1";

const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(24);

/// The steps in the order in which people are shown them, in their words.
pub(crate) const STEPS: [(&str, &str); 2] =
    [("remove the place", "Removing the place that it left"), ("record", "Writing it down")];

/// See the module.
pub(crate) struct Settle(pub Arc<Core>);

#[async_trait]
impl Workflow for Settle {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let input: Input = run.input()?;
        let removed: Vec<Removed> =
            run.step("remove the place", || carry::remove(core, input.instance, &input.to)).await?;
        run.step("record", || record(core, &input, &removed)).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

async fn record(core: &Core, input: &Input, removed: &[Removed]) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let id = input.id.as_deref().unwrap_or_default();
    store::happen(&mut tx, id, MoveEvent::Clear, None, core.clock.now()).await?;
    let things: Vec<String> = removed.iter().map(|thing| format!("{} {}", thing.kind, thing.name)).collect();
    let detail = format!("the place in {} was removed: {}", input.to.home(), things.join(", "));
    audit::record(&mut tx, core, &input.by, "instance.move_settled", &input.instance.to_string(), &detail).await?;
    Ok(tx.commit().await?)
}
