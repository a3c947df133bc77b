//! What the payment provider says has happened: each event is kept once, and makes whatever waits for
//! it look again. What an event says of the state of things is not believed, so it does not matter in
//! which order events come, or how often.

pub(crate) mod store;

use ::store::sqlx::Error;
use jiff::SignedDuration;
use providers::payments::{Collects, Event};

use crate::app::Core;
use crate::billing::refunds::{self, elsewhere};
use crate::billing::{collection, disputes};

/// A provider's list may show an event later than the one after it.
const OVERLAP: SignedDuration = SignedDuration::from_mins(30);
/// How far the first look goes back: as long as a provider goes on delivering what was not taken.
const FIRST_LOOK: SignedDuration = SignedDuration::from_hours(3 * 24);

/// How we came to know of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The provider told.
    Webhook,
    /// We asked.
    Reconciliation,
}

impl Way {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Reconciliation => "reconciliation",
        }
    }
}

/// Keeps an event, and lets the workflows of its instance look at once. Whether it was new. Wake the
/// engine afterwards.
pub(crate) async fn accept(core: &Core, event: &Event, way: Way) -> Result<bool, Error> {
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    let new = store::insert(&mut tx, core.drivers.payments.name(), event, way, now).await?;
    if way == Way::Reconciliation {
        store::mark_listed(&mut tx, &event.id, now).await?;
    }
    if let Some(instance) = event.instance.filter(|_| new) {
        workflow::nudge(&mut tx, &instance.to_string(), now).await?;
    }
    if new {
        collection::heard(&mut tx, core, event).await?;
        disputes::heard(&mut tx, core, event).await?;
        elsewhere::heard(&mut tx, core, event).await?;
    }
    tx.commit().await?;
    Ok(new)
}

/// Fetches the events that never came. From the latest one that the provider's list showed, not the
/// latest known: an event may be lost while later ones come.
pub(crate) async fn reconcile(core: &Core) -> anyhow::Result<()> {
    let payments = &core.drivers.payments;
    if payments.collects() == Collects::Form {
        return Ok(());
    }
    let listed = store::listed_until(&core.db, payments.name()).await?;
    let since = listed.map_or(core.clock.now() - FIRST_LOOK, |at| at - OVERLAP);
    for event in payments.events_since(since).await? {
        if accept(core, &event, Way::Reconciliation).await? {
            tracing::info!(event.id = %event.id, "The event {} ({}) had not come; it was fetched", event.id, event.kind);
        }
    }
    Ok(refunds::settle_abandoned(core).await?)
}
