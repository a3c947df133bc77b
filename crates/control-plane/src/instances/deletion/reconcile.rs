//! Begins deletions whose time to be taken back is over.

use ::store::sqlx::Error;
use domain::{InstanceId, InstanceState};

use super::store;
use crate::app::Core;
use crate::error::AppError;
use crate::instances::{delete, holds};

/// So many are looked up with one query.
const PAGE: u32 = 200;

/// Begins every deletion that is due. To be called often; of two replicas one begins it.
///
/// # Errors
/// When the store can't be used.
pub async fn delete_if_due(core: &Core) -> Result<(), Error> {
    let mut after = String::new();
    loop {
        let page = store::due(&core.db, core.clock.now(), &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.to_string();
        for instance in page {
            if let Err(error) = begin(core, instance).await {
                tracing::error!(%instance, "Its deletion did not begin; it is tried again later: {error}");
            }
        }
    }
}

async fn begin(core: &Core, id: InstanceId) -> Result<(), AppError> {
    let mut tx = core.db.begin().await?;
    let state = holds::store::lock(&mut tx, id).await?;
    // Another replica was faster, or it was taken back meanwhile.
    let waiting = store::find(&mut tx, id).await?.filter(|_| state == Some(InstanceState::Suspended));
    let Some(waiting) = waiting.filter(|waiting| waiting.due_at <= core.clock.now()) else { return Ok(()) };
    delete::begin(&mut tx, core, id, "nobody took it back in time", &waiting.asked_by).await?;
    Ok(tx.commit().await?)
}
