//! What costs are made of, read at the providers on a schedule: what instances used, what the payment provider kept, how
//! many seats are taken. However many instances there are, that takes a few calls an hour. Everything is kept by merging,
//! so that reading twice, late, or by two replicas at once changes nothing.

use ::store::sqlx::Error;
use domain::Month;
use jiff::{SignedDuration, Timestamp};
use providers::ProviderError;
use providers::edge::cloudflare::SEATS;

use super::{spend, store};
use crate::app::Core;
use crate::inventory::Role;
use crate::inventory::store::{self as looks, What};
use crate::limits;

/// How often use and fees are read.
const EVERY: SignedDuration = SignedDuration::from_hours(1);
/// So long after its end a month is still read, since providers count late.
pub(super) const COUNTS_LATE: SignedDuration = SignedDuration::from_hours(48);
/// What is asked for once more each time: entries may show up late in a list.
const AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// Reads what was not read for a while, and looks at the limits of spending. To be called often.
///
/// # Errors
/// When the store can't be used. A provider that can't be asked is no error: what it said last stands, with its age.
pub async fn read_if_due(core: &Core) -> Result<(), Error> {
    note_what_is_known(core).await?;
    let now = core.clock.now();
    if core.drivers.compute.meters() && looks::claim(&core.db, Role::Compute, What::Costs, now, now - EVERY).await? {
        read(core, Role::Compute).await?;
    }
    if core.drivers.payments.charges() && looks::claim(&core.db, Role::Payments, What::Costs, now, now - EVERY).await? {
        read(core, Role::Payments).await?;
    }
    spend::look_if_due(core).await
}

/// The present price list, and the seats that the edge was last seen to have taken: nobody has to be asked for them.
async fn note_what_is_known(core: &Core) -> Result<(), Error> {
    let month = Month::of(core.clock.now());
    let mut tx = core.db.begin().await?;
    store::note_prices(&mut tx, month, &core.settings.billing.costs.prices).await?;
    if let Some(seats) = seats(core).await? {
        store::note_seats(&mut tx, Month::of(seats.observed_at), seats.used, seats.observed_at).await?;
    }
    tx.commit().await
}

/// The seats at the edge, where it has any.
pub(super) async fn seats(core: &Core) -> Result<Option<limits::Ceiling>, Error> {
    let all = limits::store::list(&core.db, Role::Edge).await?;
    let name = Role::Edge.driver(core);
    Ok(all.into_iter().find(|ceiling| ceiling.name == SEATS && ceiling.provider == name))
}

async fn read(core: &Core, role: Role) -> Result<(), Error> {
    let began = core.clock.now();
    let outcome = match role {
        Role::Compute => use_of_instances(core, began).await,
        Role::Payments | Role::Edge => fees(core, began).await,
    };
    match outcome {
        Ok(()) => {
            let mut tx = core.db.begin().await?;
            looks::looked(&mut tx, role, What::Costs, began).await?;
            tx.commit().await
        }
        Err(Failed::Provider(error)) => {
            tracing::warn!("What {} costs could not be read; it is tried again in an hour: {error}", role.driver(core));
            looks::failed(&core.db, role, What::Costs, &error.to_string()).await
        }
        Err(Failed::Store(error)) => Err(error),
    }
}

enum Failed {
    Provider(ProviderError),
    Store(Error),
}

impl From<ProviderError> for Failed {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// Reads the month that runs, and the one before until it has been read long enough after its end.
async fn use_of_instances(core: &Core, began: Timestamp) -> Result<(), Failed> {
    let month = Month::of(began);
    let before = month.previous();
    let settled = store::month(&core.db, before).await?.read_at;
    let is_settled = settled.is_some_and(|read| read >= end_of(before) + COUNTS_LATE);
    for month in [(!is_settled).then_some(before), Some(month)].into_iter().flatten() {
        let from = month.first_hour().start();
        let metered = core.drivers.compute.used(from, end_of(month).min(began)).await?;
        let mut tx = core.db.begin().await?;
        store::merge(&mut tx, month, &metered, began).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn fees(core: &Core, began: Timestamp) -> Result<(), Failed> {
    let last = looks::look(&core.db, Role::Payments, What::Costs).await?.seen_at;
    let first = Month::of(began).previous().first_hour().start();
    let fees = core.drivers.payments.fees_since(last.map_or(first, |last| last - AGAIN)).await?;
    let mut tx = core.db.begin().await?;
    store::keep_fees(&mut tx, &fees).await?;
    tx.commit().await?;
    Ok(())
}

/// The first moment that is not in the month any more.
pub(super) fn end_of(month: Month) -> Timestamp {
    month.next().first_hour().start()
}
