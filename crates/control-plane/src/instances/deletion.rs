//! A deletion that was asked for waits for a while, in which it can be taken back. The door closes at once and the
//! application rests; data and backups are kept. Then `delete.rs` removes everything.
//!
//! Whoever changes it holds the instance's row, so that of whoever takes it back and the moment at which it is due one
//! sees the other. What a promise or an unpaid invoice deletes in the end was announced before, and does not wait again.
//!
//! - what is due is begun: `reconcile.rs`; what the customer reads: `letters.rs`

mod letters;
pub(crate) mod reconcile;
pub(crate) mod store;

use ::billing::dunning::Stage;
use ::store::Tx;
use domain::{InstanceId, InstanceState};
use jiff::{SignedDuration, Timestamp};

use super::Instance;
use super::cancellation::{self, day, until};
use super::holds::{self, Held, Hold, Released};
use super::suspension;
use crate::analytics::leavings::{self, Farewell, Way};
use crate::app::{App, Core};
use crate::audit;
use crate::billing::accounts::{self, Held as HeldBook};
use crate::billing::dunning;
use crate::error::{AppError, refused};

/// A deletion that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub asked_at: Timestamp,
    pub asked_by: String,
    /// Until then it can be taken back.
    pub due_at: Timestamp,
    /// The end of service that was noted with it; none where one was noted before.
    pub ended_service_at: Option<Timestamp>,
}

/// The deletion of an instance that waits, if one does.
pub(crate) async fn of(core: &Core, instance: &Instance) -> Result<Option<Waiting>, AppError> {
    if instance.state != InstanceState::Suspended {
        return Ok(None);
    }
    let mut connection = core.db.read().acquire().await?;
    Ok(store::find(&mut connection, instance.id).await?)
}

/// Closes an instance until its deletion is due, in the transaction of whoever holds its row. Asked again, what was
/// promised the first time, whatever the settings say by now; none where nothing waits. What is charged ends with the
/// moment of asking. Wake the engine after the commit.
pub(super) async fn ask(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    farewell: &Farewell,
    by: &str,
) -> Result<Option<Waiting>, AppError> {
    if let Some(waiting) = store::find(&mut *tx, instance.id).await? {
        return Ok(Some(waiting));
    }
    if core.settings.undo_days == 0 {
        return Ok(None);
    }
    let now = core.clock.now();
    let due_at = now + SignedDuration::from_hours(24 * i64::from(core.settings.undo_days));
    let ended_service_at = store::end_service(tx, instance.id, now).await?;
    let waiting = Waiting { asked_at: now, asked_by: by.to_owned(), due_at, ended_service_at };
    store::insert(tx, instance.id, &waiting).await?;
    audit::record(tx, core, by, "instance.deletion_waits", &instance.id.to_string(), &format!("until {due_at}"))
        .await?;
    leavings::note(tx, core, instance.id, Way::Deletion, farewell, by).await?;
    letters::asked(tx, core, instance, &waiting).await?;
    let why = at_the_door(&waiting);
    if holds::hold(tx, core, instance.id, Hold::Deletion, &why, by).await? == Held::IsClosed {
        suspension::start(tx, core, suspension::SUSPEND, instance.id, &why).await?;
    }
    Ok(Some(waiting))
}

/// Takes a deletion back that has not begun. The instance opens unless something else keeps it closed, and what is
/// charged goes on as if nobody had asked.
pub(crate) async fn take_back(app: &App, instance: &Instance, by: &str) -> Result<(), AppError> {
    let mut tx = app.db.begin().await?;
    // First, as whoever closes customers out does.
    let book = accounts::open(&mut tx, instance.customer).await?;
    let state = holds::store::lock(&mut tx, instance.id).await?.ok_or(AppError::NotFound)?;
    let Some(waiting) = store::find(&mut tx, instance.id).await?.filter(|_| state == InstanceState::Suspended) else {
        return Err(nothing_to_take_back(instance, state));
    };
    store::forget(&mut tx, instance.id).await?;
    go_on_charging(&mut tx, app, &book, instance.id, &waiting).await?;
    audit::record(&mut tx, app, by, "instance.deletion_taken_back", &instance.id.to_string(), "").await?;
    let released = holds::release(&mut tx, app, instance.id, Hold::Deletion, by).await?;
    let left = match released {
        // Whoever comes by is to read of what keeps it closed now.
        Released::StaysClosed(left) => {
            suspension::start(&mut tx, app, suspension::SUSPEND, instance.id, "").await?;
            left
        }
        Released::Opens(_) | Released::IsNotSuspended => Vec::new(),
    };
    letters::taken_back(&mut tx, app, instance, &left).await?;
    tx.commit().await?;
    app.engine.wake();
    app.mail_waiting.notify_one();
    Ok(())
}

/// Refuses what makes no sense for an instance that is about to be deleted.
pub(crate) async fn not_while_waiting(tx: &mut Tx, instance: &Instance) -> Result<(), AppError> {
    if store::find(&mut *tx, instance.id).await?.is_none() {
        return Ok(());
    }
    let what = format!("{} is to be deleted", instance.subdomain);
    Err(refused(409, &what, "Take its deletion back first."))
}

/// The end that was noted with the deletion never was. One that an unpaid invoice brought stands until that is paid.
async fn go_on_charging(
    tx: &mut Tx,
    core: &Core,
    book: &HeldBook,
    instance: InstanceId,
    waiting: &Waiting,
) -> Result<(), AppError> {
    let now = core.clock.now();
    cancellation::store::take_end_back(tx, instance, waiting.ended_service_at).await?;
    let stage = dunning::store::find(&mut *tx, book.customer()).await?.map(|kept| kept.state.stage());
    if matches!(stage, Some(Stage::Cancelled { .. } | Stage::DeletionAnnounced { .. })) {
        dunning::store::end_service(tx, instance, now).await?;
    } else if cancellation::store::find(&mut *tx, instance).await?.is_none() {
        // Paying did not take that end back while the deletion waited.
        dunning::store::restore_service(tx, instance, now).await?;
    }
    Ok(())
}

/// What everybody reads who comes by: nothing of why, and nobody's name.
fn at_the_door(waiting: &Waiting) -> String {
    format!(
        "The deletion of this workspace was asked for on {}. Everything in it is kept until {}. If it is yours, the portal \
         is where you keep it, with one click.",
        day(waiting.asked_at),
        until(waiting.due_at)
    )
}

fn nothing_to_take_back(instance: &Instance, state: InstanceState) -> AppError {
    if matches!(state, InstanceState::Deleting | InstanceState::Deleted) {
        let what = format!("{} is being removed already", instance.subdomain);
        return refused(409, &what, "That can't be taken back any more.");
    }
    refused(409, &format!("{} is not to be deleted", instance.subdomain), "There is nothing to take back.")
}
