//! The way to the payment provider's page on which a customer pays an open invoice by hand.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{CustomerId, WorkflowId};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::invoices::Issued;
use super::{accounts, rounds};
use crate::app::{App, Core};
use crate::customers::payment_portal::{OPEN, sealed};
use crate::error::{AppError, refused};
use crate::workflows::{self, Plan, step_error};

pub(crate) const KIND: &str = "pay-page.v1";

/// Whoever waits for the page has gone by then.
const TIME_LIMIT: SignedDuration = SignedDuration::from_mins(5);

/// Which page.
#[derive(Debug, Serialize, Deserialize)]
struct Wanted {
    customer: CustomerId,
    /// The name under which the invoice is collected.
    number: String,
}

/// Opens that page. Its address lets in whoever has it, so it rests sealed.
pub(crate) struct PayPage(pub Arc<Core>);

/// Opens the page of an invoice, or finds the opening that is under way.
pub(crate) async fn open(app: &App, issued: &Issued) -> Result<WorkflowId, AppError> {
    if !app.drivers.payments.charges() {
        return Err(AppError::NotFound);
    }
    if issued.outstanding <= domain::Cents::ZERO {
        return Err(refused(409, "This invoice is paid", "There is nothing for you to do."));
    }
    let number = issued.number.clone();
    let mut tx = app.db.begin().await?;
    if let Some((id, _)) = workflow::under_way(&mut tx, KIND, &number).await? {
        return WorkflowId::parse(&id).map_err(AppError::internal);
    }
    let plan = Plan { kind: KIND, time_limit: TIME_LIMIT, subject: &number };
    let ledger = accounts::read(&app.db, issued.customer).await?;
    let wanted = Wanted { customer: issued.customer, number: rounds::present_name(&ledger, &number) };
    let id = workflows::begin(&mut tx, app, &plan, &wanted).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(id)
}

#[async_trait]
impl Workflow for PayPage {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    /// There is nothing to take back, and nobody to be told: the customer sees it, and tries again.
    fn on_failure(&self) -> OnFailure {
        OnFailure::Undo
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let Wanted { customer, number } = run.input()?;
        let _: String = run
            .step(OPEN, || async {
                let url = core.drivers.payments.pay_page(customer, &number).await.map_err(step_error)?;
                let none = || StepError::permanent(anyhow::anyhow!("nothing is to be paid for {number} there"));
                sealed(core, run.id(), &url.ok_or_else(none)?)
            })
            .await?;
        Ok(())
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}
