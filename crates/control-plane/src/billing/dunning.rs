//! Carries out what the rules of dunning say (`::billing::dunning`) about customers who owe what is due.
//!
//! A customer's state changes in [`happened`] alone, while the customer's book is held, and what follows from the change
//! is written in the same transaction: mails into the outbox, and the workflows that close, open or delete instances. So
//! nothing is done twice, whoever tells an event how often, and nothing is forgotten by a crash.
//!
//! - what is told by itself, as days pass: `reconcile.rs`
//! - what is done about instances and mails: `actions.rs`, `letters.rs`
//! - what people see of it, and the operator's pause: `view.rs`, `pause.rs`
//!
//! Only customers with an instance that lives are dunned: there is nothing to close for the others, and what they owe
//! stays with the overdue invoices.

mod actions;
mod letters;
pub(crate) mod pause;
pub(crate) mod reconcile;
pub(crate) mod store;
pub(crate) mod view;

use ::billing::TakenBack;
use ::billing::dunning::{Clock, Dunning, Event, Stage};
use ::store::Tx;
use domain::Cents;
use jiff::Timestamp;

pub(crate) use view::view;

use super::accounts::{AccountError, Held};
use super::collection;
use super::invoices::{self, Issued};
use super::rounds;
use crate::app::Core;
use crate::audit;
use crate::error::AppError;

/// Who does it, in the audit log.
pub(crate) const AUTHOR: &str = "dunning";

/// Where a customer stands, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    pub state: Dunning,
    /// Since when the stage is what it is.
    pub since: Timestamp,
}

/// Lets something happen to a customer whose book is held. What has no meaning there, or happened already, changes
/// nothing. Wake the engine and the mail after the commit.
pub(crate) async fn happened(tx: &mut Tx, core: &Core, held: &Held, event: Event) -> Result<(), AppError> {
    let (customer, now) = (held.customer(), core.clock.now());
    let kept = store::find(tx, customer).await?;
    let living = store::living(tx, customer).await?;
    let stored = kept.map_or(Dunning::CURRENT, |kept| kept.state);
    let before = match stored.stage() {
        // Who came back with another instance begins anew.
        Stage::Deleted if !living.is_empty() => Dunning::CURRENT,
        _ => stored,
    };
    let policy = &core.settings.billing.dunning;
    let mut next = before.next(event, now, policy);
    if living.is_empty() && is_under_way(next.state.stage()) {
        next.state = Dunning::new(Stage::Deleted, Clock::Running { due: None }).map_err(AppError::internal)?;
        next.actions.clear();
    }
    if next.state == stored {
        return Ok(());
    }
    let since = kept.filter(|_| next.state.stage() == stored.stage()).map_or(now, |kept| kept.since);
    store::keep(tx, customer, &Kept { state: next.state, since }).await?;
    if next.state.stage() != stored.stage() {
        let action = format!("dunning.{}", store::word(next.state.stage()));
        audit::record(tx, core, AUTHOR, &action, &customer.to_string(), &format!("{event:?}")).await?;
    }
    for action in next.actions {
        actions::carry_out(tx, core, held, next.state, action, &living).await?;
    }
    Ok(())
}

/// Ends a customer's dunning if nothing is owed any more that is due. To be called whenever money was booked.
pub(crate) async fn settled(tx: &mut Tx, core: &Core, held: &Held) -> Result<(), AppError> {
    let kept = store::find(tx, held.customer()).await?;
    let waits = kept.is_some_and(|kept| is_under_way(kept.state.stage()));
    if waits && owed(tx, core, held).await?.is_empty() {
        happened(tx, core, held, Event::Paid).await?;
    }
    Ok(())
}

/// Lets a customer know that the last bank has decided which held money of theirs.
pub(super) async fn disputes_ended(tx: &mut Tx, core: &Core, held: &Held) -> Result<(), AppError> {
    let lost = rounds::lost(&held.ledger).map_err(AccountError::from)?;
    let owed = owed(tx, core, held).await?;
    let owes_again = owed.iter().any(|invoice| lost.contains_key(invoice.number.as_str()));
    happened(tx, core, held, if owes_again { Event::DisputeLost } else { Event::DisputeWon }).await
}

/// The invoices that a customer is dunned for, oldest first: those whose due date has passed, whose charge failed, or
/// whose payment a bank took back.
/// None where the customer's credit covers them: nobody is closed out to whom as much is owed.
async fn owed(tx: &mut Tx, core: &Core, held: &Held) -> Result<Vec<Issued>, AppError> {
    let today = invoices::day_of(core.clock.now());
    let failed = collection::store::failed_invoices(tx, held.customer()).await?;
    let mut owed = invoices::store::outstanding(tx, held.customer()).await?;
    let lost = rounds::lost(&held.ledger).map_err(AccountError::from)?;
    let is_due = |it: &Issued| it.due < today || failed.contains(&it.number) || lost.contains_key(it.number.as_str());
    owed.retain(is_due);
    let sum = sum(&owed)?;
    let credit = held.ledger.credit().map_err(AccountError::from)?;
    Ok(if sum <= credit { Vec::new() } else { owed })
}

fn sum(owed: &[Issued]) -> Result<Cents, AppError> {
    let sum = owed.iter().try_fold(Cents::ZERO, |sum, invoice| sum.checked_add(invoice.outstanding));
    sum.ok_or_else(|| AppError::internal(::billing::OutOfRange))
}

/// Whether something is waited for.
pub(crate) const fn is_under_way(stage: Stage) -> bool {
    !matches!(stage, Stage::Current | Stage::Deleted)
}

/// Whether a customer who stands there can't have an instance back that was cancelled: after its end while nobody may
/// enter, before it once the contract has ended.
pub(crate) const fn keeps_from_returning(stage: Stage, taken_back: TakenBack) -> bool {
    match taken_back {
        TakenBack::KeptOn => matches!(stage, Stage::Cancelled {} | Stage::DeletionAnnounced {}),
        TakenBack::Back => is_closed(stage),
    }
}

/// Whether nobody may enter.
const fn is_closed(stage: Stage) -> bool {
    matches!(stage, Stage::Suspended | Stage::Cancelled { .. } | Stage::DeletionAnnounced { .. })
}
