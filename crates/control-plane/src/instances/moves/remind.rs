//! While nobody says that all is well, there are two places of one instance: its owner is reminded each week, and the
//! operator, who pays for both, is told once.

use ::store::sqlx::Error;
use domain::MoveState;
use jiff::SignedDuration;

use super::{Move, label, letters, store};
use crate::app::Core;
use crate::instances;

const EACH_WEEK: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Reminds of every move that has waited for a week or more. Looking again says nothing twice.
///
/// # Errors
/// When the store can't be used.
pub async fn remind_if_due(core: &Core) -> Result<(), Error> {
    for waiting in store::kept_since(&core.db, core.clock.now() - EACH_WEEK).await? {
        remind(core, &waiting).await?;
    }
    Ok(())
}

async fn remind(core: &Core, waiting: &Move) -> Result<(), Error> {
    let Some(instance) = instances::store::find(&core.db, waiting.instance).await? else { return Ok(()) };
    let mut tx = core.db.begin().await?;
    // Somebody may have decided meanwhile.
    let open = store::open(&mut tx, instance.id).await?;
    let Some(open) = open.filter(|open| open.id == waiting.id && open.state == MoveState::Kept) else { return Ok(()) };
    let weeks = core.clock.now().duration_since(open.changed_at).as_hours() / EACH_WEEK.as_hours();
    let places = (label(core, &open.from.home()), label(core, &open.to.home()));
    letters::waits(&mut tx, core, &instance, (&places.0, &places.1), &open.id, weeks).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}
