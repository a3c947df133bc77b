//! What was solved is put away by itself, once its customer had time to say otherwise.

use jiff::SignedDuration;

use super::store;
use crate::app::Core;
use crate::error::AppError;

/// How long a word of the customer's opens a solved ticket again.
const SOLVED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
const AT_ONCE: u32 = 100;
/// Who does it.
const TIME: &str = "time";

/// Closes what was solved a week ago.
///
/// # Errors
/// When the store does not answer.
pub async fn close_if_due(core: &Core) -> anyhow::Result<()> {
    for id in store::solved_before(&core.db, core.clock.now() - SOLVED_FOR, AT_ONCE).await? {
        match super::close(core, id, TIME).await {
            Ok(_) => {}
            Err(AppError::Internal(error)) => return Err(error),
            Err(other) => tracing::warn!(ticket.id = %id, "Ticket {id} was not closed: {other}"),
        }
    }
    Ok(())
}
