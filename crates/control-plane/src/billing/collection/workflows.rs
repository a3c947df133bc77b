//! Charging an invoice, looking how it stands, and taking it back: each resumed after a crash, each done once.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use providers::payments::{CollectionState, Standing};
use serde::{Deserialize, Serialize};
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::{TIME_LIMIT, bill, book, missing, unbooked};
use crate::app::Core;
use crate::billing::{accounts, invoices, rounds};
use crate::workflows::step_error;

/// Stored with every run; a changed sequence of steps gets a new number.
pub(super) const COLLECT: &str = "collect.v1";
pub(super) const LOOK_UP: &str = "look-up-charge.v1";
pub(super) const WITHDRAW: &str = "withdraw-invoice.v1";
pub(super) const HAND_OVER: &str = "hand-over.v1";

/// What a charge is begun with.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub number: String,
    /// The first one hands the invoice over.
    pub attempt: i64,
}

/// Which invoice it is about.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Named {
    /// Its number, or the name under which it is collected.
    pub number: String,
}

/// Charges an invoice.
pub(crate) struct Collect(pub Arc<Core>);

/// Books how an invoice stands at the provider.
pub(crate) struct LookUp(pub Arc<Core>);

/// Has the provider offer on a page what is owed again of an invoice, and nothing else of it.
pub(crate) struct HandOver(pub Arc<Core>);

/// Makes an invoice void at the provider.
pub(crate) struct Withdraw(pub Arc<Core>);

#[async_trait]
impl Workflow for Collect {
    fn kind(&self) -> &'static str {
        COLLECT
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let Wanted { number, attempt } = run.input()?;
        let standing: Option<Standing> = run.step("charge", || charge(core, &number, attempt)).await?;
        let Some(standing) = standing else { return Ok(()) };
        run.step("book", || book(core, &number, &standing)).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

/// What is left is read each time: it may have been paid by hand since the last try.
async fn charge(core: &Core, number: &str, attempt: i64) -> Result<Option<Standing>, StepError> {
    let Some(bill) = bill(core, number).await? else { return Ok(None) };
    let payments = &core.drivers.payments;
    let standing = match u32::try_from(attempt) {
        Ok(attempt) if attempt > 1 => payments.retry(&bill, attempt).await,
        _ => payments.collect(&bill).await,
    };
    standing.map(Some).map_err(step_error)
}

#[async_trait]
impl Workflow for LookUp {
    fn kind(&self) -> &'static str {
        LOOK_UP
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let Named { number } = run.input()?;
        let standing: Option<Standing> = run
            .step("look", || async {
                let customer = customer_of(core, &number).await?;
                core.drivers.payments.standing(customer, &number).await.map_err(step_error)
            })
            .await?;
        let Some(standing) = standing else { return Ok(()) };
        run.step("book", || book(core, rounds::number_of(&number), &standing)).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

#[async_trait]
impl Workflow for HandOver {
    fn kind(&self) -> &'static str {
        HAND_OVER
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let Named { number } = run.input()?;
        let _: () = run.step("withdraw what was offered before", || withdraw_former(core, &number)).await?;
        run.step("hand over", || async {
            let Some(bill) = bill(core, &number).await? else { return Ok(()) };
            core.drivers.payments.hand_over(&bill).await.map_err(step_error)
        })
        .await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

/// Of what was owed again before, nobody shall pay a part that the new invoice contains.
async fn withdraw_former(core: &Core, number: &str) -> Result<(), StepError> {
    let customer = customer_of(core, number).await?;
    let ledger = accounts::read(&core.db, customer).await.map_err(unbooked)?;
    for round in 1..rounds::present(&ledger, number) {
        let name = rounds::name(number, round);
        let standing = core.drivers.payments.standing(customer, &name).await.map_err(step_error)?;
        if standing.is_some_and(|it| matches!(it.state, CollectionState::Open | CollectionState::Draft)) {
            core.drivers.payments.withdraw(customer, &name).await.map_err(step_error)?;
        }
    }
    Ok(())
}

#[async_trait]
impl Workflow for Withdraw {
    fn kind(&self) -> &'static str {
        WITHDRAW
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let Named { number } = run.input()?;
        run.step("withdraw", || async {
            let customer = customer_of(core, &number).await?;
            core.drivers.payments.withdraw(customer, &number).await.map_err(step_error)
        })
        .await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

async fn customer_of(core: &Core, number: &str) -> Result<domain::CustomerId, StepError> {
    let mut connection = core.db.read().acquire().await?;
    let found = invoices::store::find(&mut connection, rounds::number_of(number)).await?;
    found.map(|(issued, _)| issued.customer).ok_or_else(|| missing(number))
}
