//! Addresses that take no mail. Mail to them is tried once a day, until one is taken or somebody
//! clears the record.

pub(crate) mod store;

use ::store::sqlx::Error;
use domain::Email;
use jiff::{SignedDuration, Timestamp};

use crate::app::{App, Core};
use crate::error::AppError;
use crate::{audit, mail};

/// How long after a bounce the same address is tried again.
pub(crate) const REST: SignedDuration = SignedDuration::from_hours(24);

/// An address that bounces.
#[derive(Debug, Clone)]
pub(crate) struct Bounce {
    pub since: Timestamp,
    pub last_at: Timestamp,
    /// What its server said last.
    pub answer: String,
}

/// Forgets that an address bounced, and sends what waits for it. Whether it bounced.
pub(crate) async fn clear(app: &App, address: &Email, by: &str) -> Result<bool, AppError> {
    let mut tx = app.db.begin().await?;
    let bounced = store::remove(&mut tx, address).await?;
    if bounced {
        mail::store::release_to(&mut tx, address, app.clock.now()).await?;
        audit::record(&mut tx, app, by, "mail.bounce_cleared", address.as_str(), "").await?;
    }
    tx.commit().await?;
    app.mail_waiting.notify_one();
    Ok(bounced)
}

/// Takes back that an address bounces: it took a mail.
pub(super) async fn recovered(core: &Core, address: &Email) -> Result<(), Error> {
    if store::find(&core.db, address).await?.is_none() {
        return Ok(());
    }
    let mut tx = core.db.begin().await?;
    if store::remove(&mut tx, address).await? {
        mail::store::release_to(&mut tx, address, core.clock.now()).await?;
        tracing::info!("Mail to {address} arrives again");
    }
    tx.commit().await
}
