//! An instance is given up at the end of what is paid for, and can be had back while its data is kept. The rules:
//! `billing::Cancellation`.
//!
//! Whoever changes a cancellation holds its instance's row, and what follows is written in the same transaction: mails,
//! the hold that closes the door, the workflows. That the service has an end is noted with the request, not when the end
//! comes: so a server that slept through it charges nothing for what came after.
//!
//! - what days bring: `reconcile.rs`; the subscription at the payment provider: `subscription.rs`
//! - what the customer is told before: `outlook.rs`; by mail: `letters.rs`

pub(crate) mod letters;
pub(crate) mod outlook;
pub(crate) mod reconcile;
pub(crate) mod store;
pub(crate) mod subscription;

use ::billing::{Cancellation, TakenBack};
use ::store::Tx;
use domain::{Event, InstanceId, InstanceState, UsageHour};
use jiff::{SignedDuration, Timestamp};

use super::Instance;
use super::deletion;
use super::holds::{self, Hold, Released};
use super::store::TransitionError;
use super::suspension;
use crate::analytics::leavings::{self, Farewell, Way};
use crate::app::{App, Core};
use crate::audit;
use crate::billing::{accounts, dunning};
use crate::error::{AppError, refused};

pub(crate) use outlook::Outlook;

/// Who takes the steps that time brings, in the audit log.
const AUTHOR: &str = "cancellation";

/// A cancellation as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub state: Cancellation,
    pub requested_at: Timestamp,
    pub requested_by: String,
}

/// How an instance's cancellation stands; none where nobody asked for one, or nothing is left to be cancelled.
pub(crate) async fn of(core: &Core, instance: &Instance) -> Result<Option<Kept>, AppError> {
    if !can_be_cancelled(instance.state) {
        return Ok(None);
    }
    let mut connection = core.db.read().acquire().await?;
    Ok(store::find(&mut connection, instance.id).await?)
}

/// Asks for the end of an instance's service, confirmed by its subdomain, and notes why, where that was said. Asking again changes nothing, and gives what
/// was promised the first time.
pub(crate) async fn request(
    app: &App,
    instance: &Instance,
    confirm: &str,
    farewell: &Farewell,
    by: &str,
) -> Result<Kept, AppError> {
    if ![instance.subdomain.as_str(), instance.chosen().as_str()].contains(&confirm.trim()) {
        let what = format!("Type {} to confirm that it shall end.", instance.subdomain);
        return Err(refused(422, "The confirmation does not match", &what));
    }
    let outlook = Outlook::of(app, instance).await?;
    let mut tx = app.db.begin().await?;
    let state = holds::store::lock(&mut tx, instance.id).await?.ok_or(AppError::NotFound)?;
    if let Some(kept) = store::find(&mut tx, instance.id).await?.filter(|_| can_be_cancelled(state)) {
        return Ok(kept);
    }
    deletion::not_while_waiting(&mut tx, instance).await?;
    if !can_be_cancelled(state) {
        return Err(nothing_to_cancel(instance, state));
    }
    let kept = Kept {
        state: Cancellation::requested(outlook.until, &app.settings.billing.cancellation),
        requested_at: app.clock.now(),
        requested_by: by.to_owned(),
    };
    store::keep(&mut tx, instance.id, &kept, kept.state.due(&app.settings.billing.cancellation)).await?;
    store::end_service(&mut tx, instance.id, last_moment(outlook.until)).await?;
    let detail = format!("until {}", outlook.until.start());
    audit::record(&mut tx, app, by, "instance.cancelled", &instance.id.to_string(), &detail).await?;
    leavings::note(&mut tx, app, instance.id, Way::Cancellation, farewell, by).await?;
    letters::requested(&mut tx, app, instance, &kept, &outlook).await?;
    tx.commit().await?;
    app.mail_waiting.notify_one();
    Ok(kept)
}

/// Takes a cancellation back. Before the service ended it never was; after it, the service begins again now.
pub(crate) async fn take_back(app: &App, instance: &Instance, by: &str) -> Result<TakenBack, AppError> {
    let mut tx = app.db.begin().await?;
    // First, as whoever closes customers out does.
    let held = accounts::open(&mut tx, instance.customer).await?;
    let state = holds::store::lock(&mut tx, instance.id).await?.ok_or(AppError::NotFound)?;
    deletion::not_while_waiting(&mut tx, instance).await?;
    let kept = store::find(&mut tx, instance.id).await?.filter(|_| can_be_cancelled(state));
    let taken_back = kept.and_then(|kept| Some((kept.state, kept.state.taken_back()?)));
    let Some((cancellation, taken_back)) = taken_back else {
        let what = format!("{} is not cancelled", instance.subdomain);
        return Err(refused(409, &what, "There is nothing to take back."));
    };
    let stage = dunning::store::find(&mut tx, held.customer()).await?.map(|kept| kept.state.stage());
    if stage.is_some_and(|stage| dunning::keeps_from_returning(stage, taken_back)) {
        let what = format!("{} can't go on while an invoice is not paid", instance.subdomain);
        return Err(refused(409, &what, "Pay what is due first; the bills say how. Its data is kept meanwhile."));
    }
    store::forget(&mut tx, instance.id).await?;
    let (subject, now) = (instance.id.to_string(), app.clock.now());
    match taken_back {
        TakenBack::KeptOn => {
            let noted = cancellation.until().map(last_moment);
            store::take_end_back(&mut tx, instance.id, noted).await?;
            // An end that an unpaid invoice brought, and that paying did not take back while it was cancelled.
            dunning::store::restore_service(&mut tx, instance.id, now).await?;
            audit::record(&mut tx, app, by, "instance.kept", &subject, "").await?;
            letters::kept_on(&mut tx, app, instance).await?;
        }
        TakenBack::Back => {
            dunning::store::restore_service(&mut tx, instance.id, now).await?;
            audit::record(&mut tx, app, by, "instance.returned", &subject, "").await?;
            letters::returned(&mut tx, app, instance).await?;
            subscription::start(&mut tx, app, instance.id).await?;
            open(&mut tx, app, instance.id, by).await?;
        }
    }
    tx.commit().await?;
    app.engine.wake();
    app.mail_waiting.notify_one();
    Ok(taken_back)
}

/// Lifts the hold. Where another one stands, strangers are to read of that.
async fn open(tx: &mut Tx, core: &Core, instance: InstanceId, by: &str) -> Result<(), TransitionError> {
    if let Released::StaysClosed(_) = holds::release(tx, core, instance, Hold::Cancelled, by).await? {
        suspension::start(tx, core, suspension::SUSPEND, instance, "").await?;
    }
    Ok(())
}

/// What is made or taken down at this moment is not in use.
const fn can_be_cancelled(state: InstanceState) -> bool {
    matches!(state, InstanceState::Active | InstanceState::Suspended)
}

fn nothing_to_cancel(instance: &Instance, state: InstanceState) -> AppError {
    match state.after(Event::Suspend) {
        Err(_) if matches!(state, InstanceState::Deleting | InstanceState::Deleted) => {
            refused(409, &format!("{} is being removed", instance.subdomain), "There is nothing left to be cancelled.")
        }
        _ => {
            let next = "Wait until it is ready; an order can be cancelled on the page that shows how far it is.";
            refused(409, &format!("{} is not in use yet", instance.subdomain), next)
        }
    }
}

/// The last moment of a service that ends with an hour: that hour is not its any more.
fn last_moment(until: UsageHour) -> Timestamp {
    until.start() - SignedDuration::from_millis(1)
}

/// `30 November 2026`.
pub(crate) fn day(at: Timestamp) -> String {
    at.to_zoned_datetime(jiff::tz::TimeZone::UTC).strftime("%-d %B %Y").to_string()
}

/// `the end of 30 November 2026`, or `30 November 2026, 09:00 UTC` where no day ends there.
pub(crate) fn until(at: Timestamp) -> String {
    let last = day(at - SignedDuration::from_millis(1));
    if last != day(at) {
        return format!("the end of {last}");
    }
    at.to_zoned_datetime(jiff::tz::TimeZone::UTC).strftime("%-d %B %Y, %H:%M UTC").to_string()
}
