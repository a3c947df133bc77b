//! Looks whether a cap is reached, or a part of a budget spent.

use ::store::Tx;
use ::store::sqlx::Error;
use billing::{Announced, Budget, Cap};
use domain::{InstanceId, InstanceState};

use super::super::letter;
use super::super::running::Running;
use super::store;
use crate::app::Core;
use crate::instances;
use crate::instances::holds::{self, Hold};
use crate::instances::store::TransitionError;

/// So many instances are looked up with one query.
const PAGE: u32 = 200;

/// Looks at every instance that has a cap or a budget. To be called often.
///
/// # Errors
/// When the store can't be used.
pub async fn look_at_all(core: &Core) -> Result<(), Error> {
    let mut after = String::new();
    loop {
        let page = store::watched(&core.db, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.to_string();
        for instance in page {
            if let Err(error) = look(core, instance).await {
                tracing::error!(%instance, "Its spending could not be looked at; it is tried again later: {error}");
            }
        }
    }
}

/// Looks at one instance: waives what is beyond its cap, closes or opens it, and tells.
pub(crate) async fn look(core: &Core, instance: InstanceId) -> Result<(), TransitionError> {
    let Some(running) = Running::of(core, instance).await? else { return Ok(()) };
    let mut tx = core.db.begin().await?;
    let caps = store::caps(&mut tx, instance).await?;
    let waived = super::waive_beyond(&mut tx, core, instance, &caps, &running.terms).await?;
    tx.commit().await?;
    let running = if waived == 0 { Some(running) } else { Running::of(core, instance).await? };
    let Some(running) = running else { return Ok(()) };
    let mut tx = core.db.begin().await?;
    let state = instances::store::state(&mut tx, instance).await?;
    if !matches!(state, Some(InstanceState::Active | InstanceState::Suspended)) {
        return Ok(());
    }
    match caps.now() {
        Some(cap) if super::is_reached(cap, &running) => reached(&mut tx, core, &running, cap).await?,
        _ => open(&mut tx, core, instance).await?,
    }
    if let Some(budget) = store::budget(&mut tx, instance).await? {
        tell_spent(&mut tx, core, &running, &budget).await?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

/// The hour that is running was paid for and may go on; no other begins.
async fn reached(tx: &mut Tx, core: &Core, running: &Running, cap: Cap) -> Result<(), TransitionError> {
    letter::cap_reached(tx, core, running, cap).await?;
    if running.charged().contains(running.now) {
        return open(tx, core, running.service.instance).await;
    }
    let why = "The spending cap that you set is reached. Raise it under “Bills and invoices”, and your workspace opens \
               again at once; by itself it opens with the next period.";
    holds::hold(tx, core, running.service.instance, Hold::Cap, why, super::AUTHOR).await?;
    Ok(())
}

async fn open(tx: &mut Tx, core: &Core, instance: InstanceId) -> Result<(), TransitionError> {
    let standing = holds::store::of(tx, instance).await?;
    if standing.iter().any(|standing| standing.hold == Hold::Cap) {
        holds::release(tx, core, instance, Hold::Cap, super::AUTHOR).await?;
    }
    Ok(())
}

/// Tells the largest part that is spent; smaller ones that were passed at the same time say nothing more.
async fn tell_spent(tx: &mut Tx, core: &Core, running: &Running, budget: &Budget) -> Result<(), Error> {
    let spent = running.terms.price_of(running.charged().count());
    let spent = spent.map_err(|error| Error::Decode(error.into()))?;
    let (_, reached) = budget.announce(spent, &Announced::new());
    match reached.last() {
        Some(announcement) => letter::spent(tx, core, running, announcement).await,
        None => Ok(()),
    }
}
