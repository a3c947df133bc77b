use jiff::SignedDuration;
use providers::ProviderError;
use providers::edge::cloudflare::SEATS;
use providers::inventory::Ceiling as Seen;
use store::sqlx::Error;

use super::{store as rows, tell_that_it_is_near};
use crate::app::Core;
use crate::inventory::Role;
use crate::inventory::store::{self as looks, What};

/// How often the ceilings are read.
const EVERY: SignedDuration = SignedDuration::from_mins(10);

/// Reads the ceilings that were not read for a while.
pub(crate) async fn read_if_due(core: &Core) -> Result<(), Error> {
    for role in Role::ALL {
        let now = core.clock.now();
        if looks::claim(&core.db, role, What::Ceilings, now, now - EVERY).await? {
            read(core, role).await?;
        }
    }
    Ok(())
}

/// Reads the ceilings of one provider, and tells the operator of those that come near.
pub(crate) async fn read(core: &Core, role: Role) -> Result<(), Error> {
    // Those who sign up while it is asked count as not counted.
    let began = core.clock.now();
    let seen = match ceilings(core, role).await {
        Ok(seen) => seen,
        Err(error) => {
            tracing::warn!("The ceilings of {} could not be read: {error}", role.driver(core));
            return looks::failed(&core.db, role, What::Ceilings, &error.to_string()).await;
        }
    };
    let mut tx = core.db.begin().await?;
    if looks::looked(&mut tx, role, What::Ceilings, began).await? {
        rows::replace(&mut tx, role, role.driver(core), &seen, began).await?;
    }
    tx.commit().await?;
    for ceiling in rows::list(&core.db, role).await? {
        // Of seats more is told, by `costs/spend.rs`.
        if ceiling.is_near() && ceiling.name != SEATS {
            tell_that_it_is_near(core, &ceiling).await?;
        }
    }
    Ok(())
}

async fn ceilings(core: &Core, role: Role) -> Result<Vec<Seen>, ProviderError> {
    match role {
        Role::Compute => core.drivers.compute.ceilings().await,
        Role::Edge => core.drivers.edge.ceilings().await,
        Role::Payments => Ok(Vec::new()),
    }
}
