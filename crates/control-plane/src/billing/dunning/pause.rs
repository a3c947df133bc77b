//! The operator leaves a customer alone for a while: time stands still, and no mail leaves.

use ::billing::dunning::Event;
use domain::CustomerId;

use super::happened;
use crate::app::App;
use crate::audit;
use crate::billing::accounts;
use crate::error::AppError;

/// Leaves a customer alone. Doing so again changes nothing.
pub(crate) async fn pause(app: &App, customer: CustomerId, by: &str) -> Result<(), AppError> {
    tell(app, customer, Event::PausedByOperator, "dunning.paused", by).await
}

/// Goes on where it was left. Doing so again changes nothing.
pub(crate) async fn unpause(app: &App, customer: CustomerId, by: &str) -> Result<(), AppError> {
    tell(app, customer, Event::Unpaused, "dunning.unpaused", by).await
}

async fn tell(app: &App, customer: CustomerId, event: Event, action: &str, by: &str) -> Result<(), AppError> {
    let mut tx = app.db.begin().await?;
    let held = accounts::open(&mut tx, customer).await?;
    let before = super::store::find(&mut tx, customer).await?;
    happened(&mut tx, app, &held, event).await?;
    if super::store::find(&mut tx, customer).await? != before {
        audit::record(&mut tx, app, by, action, &customer.to_string(), "").await?;
    }
    Ok(tx.commit().await?)
}
