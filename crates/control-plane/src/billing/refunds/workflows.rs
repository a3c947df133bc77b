//! Giving money back by the payment provider, and finding out what became of that when it was given up half-way.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use providers::payments;
use serde::{Deserialize, Serialize};
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::super::accounts;
use super::super::collection::unbooked;
use super::{Refund, TIME_LIMIT, book, settle, store};
use crate::app::Core;
use crate::audit;
use crate::workflows::step_error;

/// Stored with every run; a changed sequence of steps gets a new number.
pub(super) const KIND: &str = "refund.v1";
pub(super) const SETTLE: &str = "settle-refund.v1";

/// Which refund it is about.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Named {
    pub reference: String,
}

/// Has the payment provider give money back, and books that it did.
pub(crate) struct GiveBack(pub Arc<Core>);

/// Looks whether a refund that was given up went after all; frees its amount where it did not.
pub(crate) struct SettleRefund(pub Arc<Core>);

#[async_trait]
impl Workflow for GiveBack {
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
        let Named { reference } = run.input()?;
        let told = give_back(core, run, &reference).await;
        // Nobody knows how far one had come that somebody gave up; what failed otherwise waits for a person.
        if matches!(told, Err(Stop::Failed(_))) {
            let mut tx = core.db.begin().await?;
            if let Some(refund) = store::given_up(&mut tx, run.id(), &reference).await? {
                settle(&mut tx, core, &refund).await?;
            }
            tx.commit().await?;
        }
        told
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

async fn give_back(core: &Core, run: &Run, reference: &str) -> Result<(), Stop> {
    let _: () = run.step("give back", || at_provider(core, reference)).await?;
    run.step("book", || booked(core, reference)).await
}

#[async_trait]
impl Workflow for SettleRefund {
    fn kind(&self) -> &'static str {
        SETTLE
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let Named { reference } = run.input()?;
        let went: bool = run.step("look", || went(core, &reference)).await?;
        if went {
            return run.step("book", || booked(core, &reference)).await;
        }
        run.step("withdraw", || withdrawn(core, &reference)).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

async fn found(core: &Core, reference: &str) -> Result<Refund, StepError> {
    let mut tx = core.db.begin().await?;
    store::find(&mut tx, reference).await?.ok_or_else(|| missing(reference))
}

fn asked(refund: Refund) -> payments::Refund {
    payments::Refund {
        reference: refund.reference,
        invoice: refund.charge,
        customer: refund.customer,
        amount: refund.amount,
    }
}

async fn at_provider(core: &Core, reference: &str) -> Result<(), StepError> {
    let refund = found(core, reference).await?;
    if refund.withdrawn_at.is_some() {
        let why =
            anyhow::anyhow!("the refund {reference} was given up, and its amount is free again: begin another one");
        return Err(StepError::permanent(why));
    }
    core.drivers.payments.refund(&asked(refund)).await.map_err(step_error)
}

async fn went(core: &Core, reference: &str) -> Result<bool, StepError> {
    let asked = asked(found(core, reference).await?);
    core.drivers.payments.gave_back(&asked).await.map_err(step_error)
}

async fn booked(core: &Core, reference: &str) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let customer = store::find(&mut tx, reference).await?.ok_or_else(|| missing(reference))?.customer;
    let mut held = accounts::open(&mut tx, customer).await.map_err(unbooked)?;
    let refund = store::find(&mut tx, reference).await?.ok_or_else(|| missing(reference))?;
    if refund.booked_at.is_none() {
        book(&mut tx, core, &mut held, &refund).await.map_err(unbooked)?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

async fn withdrawn(core: &Core, reference: &str) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let customer = store::find(&mut tx, reference).await?.ok_or_else(|| missing(reference))?.customer;
    accounts::open(&mut tx, customer).await.map_err(unbooked)?;
    let refund = store::find(&mut tx, reference).await?.ok_or_else(|| missing(reference))?;
    if refund.booked_at.is_none() && refund.withdrawn_at.is_none() {
        store::withdrawn(&mut tx, reference, core.clock.now()).await?;
        let author = core.drivers.payments.name();
        audit::record(&mut tx, core, author, "refund.withdrawn", &refund.invoice, reference).await?;
    }
    Ok(tx.commit().await?)
}

fn missing(reference: &str) -> StepError {
    StepError::permanent(anyhow::anyhow!("there is no refund {reference}; look whether a backup was restored"))
}
