use std::sync::Arc;

use async_trait::async_trait;
use domain::{CustomerId, WorkflowId};
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use crate::app::{App, Core};
use crate::error::AppError;
use crate::workflows::{self, Plan, step_error};

pub(crate) const KIND: &str = "payment-portal.v1";
pub(crate) const OPEN: &str = "open portal";

/// Whoever waits for the page has gone by then.
const TIME_LIMIT: SignedDuration = SignedDuration::from_mins(5);

/// Opens the payment provider's page on which a customer changes the means of payment. Its address
/// lets in whoever has it, so it rests sealed.
pub(crate) struct PaymentPortal(pub Arc<Core>);

/// Opens the page, or finds the opening that is under way.
pub(crate) async fn open(app: &App, customer: CustomerId) -> Result<WorkflowId, AppError> {
    let subject = customer.to_string();
    let mut tx = app.db.begin().await?;
    if let Some((id, _)) = workflow::under_way(&mut tx, KIND, &subject).await? {
        return WorkflowId::parse(&id).map_err(AppError::internal);
    }
    let plan = Plan { kind: KIND, time_limit: TIME_LIMIT, subject: &subject };
    let id = workflows::begin(&mut tx, app, &plan, &customer).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(id)
}

/// The address of a page, as it rests in the store until its customer comes for it.
pub(crate) fn sealed(core: &Core, workflow: &str, url: &str) -> Result<String, StepError> {
    let sealed = core.sealer.seal(&purpose(workflow), url.as_bytes());
    Ok(hex::encode(sealed.map_err(StepError::permanent)?))
}

/// The address that a run gave.
pub(crate) fn unsealed(core: &Core, workflow: &str, output: &str) -> Result<SecretString, AppError> {
    let sealed = hex::decode(output).map_err(AppError::internal)?;
    let opened = core.sealer.open_sealed(&purpose(workflow), &sealed).map_err(AppError::internal)?;
    let url = String::from_utf8(opened.expose_secret().clone()).map_err(AppError::internal)?;
    Ok(url.into())
}

fn purpose(workflow: &str) -> String {
    format!("payment portal {workflow}")
}

#[async_trait]
impl Workflow for PaymentPortal {
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
        let customer: CustomerId = run.input()?;
        let _: String = run
            .step(OPEN, || async {
                let url =
                    core.drivers.payments.portal(customer, &core.site_url("/portal")).await.map_err(step_error)?;
                let none = || StepError::permanent(anyhow::anyhow!("the payment provider has no such page"));
                sealed(core, run.id(), &url.ok_or_else(none)?)
            })
            .await?;
        Ok(())
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}
