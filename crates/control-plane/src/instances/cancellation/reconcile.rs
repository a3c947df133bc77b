//! What days bring to instances that are cancelled: their end, the notice, the deletion.

use ::billing::{Cancellation, CancellationStep};
use ::store::Tx;
use ::store::sqlx::Error;
use domain::InstanceId;
use jiff::Timestamp;

use super::{AUTHOR, Kept, day, letters, store, subscription, until};
use crate::app::Core;
use crate::error::AppError;
use crate::instances::holds::{self, Held, Hold};
use crate::instances::{self, Instance, delete, deletion, suspension};

/// So many are looked up with one query.
const PAGE: u32 = 200;

/// Takes every step that is due, one for each instance. To be called often; of two replicas one takes a step.
///
/// # Errors
/// When the store can't be used.
pub async fn cancel_if_due(core: &Core) -> Result<(), Error> {
    let mut after = String::new();
    loop {
        let page = store::due(&core.db, core.clock.now(), &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.to_string();
        for instance in page {
            if let Err(error) = step(core, instance).await {
                tracing::error!(%instance, "Its cancellation did not go on; it is tried again later: {error}");
            }
        }
    }
}

async fn step(core: &Core, id: InstanceId) -> Result<(), AppError> {
    let Some(instance) = instances::store::find(&core.db, id).await? else { return Ok(()) };
    let mut tx = core.db.begin().await?;
    let state = holds::store::lock(&mut tx, id).await?;
    let kept = store::find(&mut tx, id).await?.filter(|_| state.is_some_and(super::can_be_cancelled));
    let policy = &core.settings.billing.cancellation;
    // Another replica was faster, or it was taken back meanwhile.
    let Some((kept, (next, step))) =
        kept.and_then(|kept| Some((kept.clone(), kept.state.next(core.clock.now(), policy)?)))
    else {
        return Ok(());
    };
    // Who is about to lose it sooner is not told of a later day: that is announced once the deletion is taken back.
    let is_to_be_deleted = deletion::store::find(&mut tx, id).await?.is_some();
    if is_to_be_deleted && matches!(step, CancellationStep::Announce { .. }) {
        return Ok(());
    }
    let kept = Kept { state: next, ..kept };
    store::keep(&mut tx, id, &kept, next.due(policy)).await?;
    match step {
        CancellationStep::End => {
            close(&mut tx, core, &instance, &kept).await?;
            subscription::start(&mut tx, core, id).await?;
            if !is_to_be_deleted {
                letters::ended(&mut tx, core, &instance, next).await?;
            }
        }
        CancellationStep::Announce { deleted_at } => {
            close(&mut tx, core, &instance, &kept).await?;
            letters::announced(&mut tx, core, &instance, deleted_at).await?;
        }
        CancellationStep::Delete => {
            delete::begin(&mut tx, core, id, "its data was kept as long as was promised", AUTHOR).await?;
        }
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

/// Closes the door, or tells at a door that is closed what holds now.
async fn close(tx: &mut Tx, core: &Core, instance: &Instance, kept: &Kept) -> Result<(), AppError> {
    let why = at_the_door(instance, kept);
    if holds::hold(tx, core, instance.id, Hold::Cancelled, &why, AUTHOR).await? == Held::IsClosed {
        suspension::start(tx, core, suspension::SUSPEND, instance.id, &why).await?;
    }
    Ok(())
}

/// What everybody reads who comes by: nothing of why, and nobody's name.
fn at_the_door(instance: &Instance, kept: &Kept) -> String {
    let Kept { state, requested_at, requested_by } = kept;
    let by = if *requested_by == instance.customer_email.as_str() { " by its owner" } else { "" };
    let until = until(state.kept_until().unwrap_or(Timestamp::MAX));
    format!(
        "This workspace was cancelled{by} on {}. Its data is kept until {until}. If it is yours, the portal is where you \
         download it, or come back.",
        day(*requested_at)
    )
}

/// Whether a cancellation has ended the service of an instance.
pub(super) fn has_ended(kept: Option<&Kept>) -> bool {
    kept.is_some_and(|kept| kept.state.has_ended() || kept.state == Cancellation::Over)
}
