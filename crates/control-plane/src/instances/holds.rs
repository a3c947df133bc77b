//! Why an instance is closed. Several reasons can hold at once, each set and lifted by its own part of the business; an
//! instance is suspended while at least one of them stands, so that lifting one never opens what another keeps closed.

pub(crate) mod store;

use ::store::Tx;
use domain::{Event, InstanceId, InstanceState, WorkflowId};
use jiff::Timestamp;
use providers::edge::Entry;

use super::store::TransitionError;
use super::suspension;
use crate::app::Core;
use crate::{audit, members};

/// Who keeps an instance closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hold {
    /// The operator, who alone lifts it.
    Operator,
    /// An invoice that is not paid; paying lifts it.
    Unpaid,
    /// The customer's spending cap; the next period, or a higher cap, lifts it.
    Cap,
    /// The customer gave it up; coming back lifts it.
    Cancelled,
    /// It is to be deleted; taking that back lifts it.
    Deletion,
}

impl Hold {
    /// All of them, in the order in which their reasons are told.
    pub(crate) const ALL: [Self; 5] = [Self::Operator, Self::Unpaid, Self::Cap, Self::Cancelled, Self::Deletion];

    /// The word that is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Unpaid => "unpaid",
            Self::Cap => "cap",
            Self::Cancelled => "cancelled",
            Self::Deletion => "deletion",
        }
    }

    /// Reads the stored word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hold| hold.as_str() == word)
    }
}

/// A reason that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub hold: Hold,
    /// In words for the customer.
    pub why: String,
    pub since: Timestamp,
}

/// What became of an instance that was to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// It was open, and this workflow closes it.
    Closes(WorkflowId),
    /// It is closed already, for another reason or for this one.
    IsClosed,
}

/// What became of an instance when a reason was lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Released {
    /// It was the last reason, and this workflow opens the instance.
    Opens(WorkflowId),
    /// These reasons keep it closed.
    StaysClosed(Vec<Standing>),
    /// It is not suspended: it is open, or on its way out.
    IsNotSuspended,
}

/// Closes an instance for a reason, in the caller's transaction. Wake the engine after the commit. Told again, only the
/// words are new. Only the operator's reason is mailed from here; the others have mails of their own.
///
/// # Errors
/// When the instance is neither open nor suspended.
pub(crate) async fn hold(
    tx: &mut Tx,
    core: &Core,
    instance: InstanceId,
    hold: Hold,
    why: &str,
    by: &str,
) -> Result<Held, TransitionError> {
    let before = store::lock(tx, instance).await?.ok_or(TransitionError::NotFound(instance))?;
    let now = core.clock.now();
    super::store::transition(tx, instance, Event::Suspend, now).await?;
    let is_new = store::insert(tx, instance, &Standing { hold, why: why.to_owned(), since: now }).await?;
    let standing = store::of(tx, instance).await?;
    tell_reasons(tx, instance, &standing).await?;
    if is_new {
        audit::record(tx, core, by, "instance.suspended", &instance.to_string(), why).await?;
    }
    if before == InstanceState::Suspended {
        return Ok(Held::IsClosed);
    }
    members::store::next_serial(tx, instance).await?;
    Ok(Held::Closes(suspension::start(tx, core, suspension::SUSPEND, instance, why).await?))
}

/// Lifts a reason, in the caller's transaction, and opens the instance if no other stands. Wake the engine after the
/// commit. Lifting what does not stand changes nothing.
///
/// # Errors
/// When the store can't be used.
pub(crate) async fn release(
    tx: &mut Tx,
    core: &Core,
    instance: InstanceId,
    hold: Hold,
    by: &str,
) -> Result<Released, TransitionError> {
    let state = store::lock(tx, instance).await?.ok_or(TransitionError::NotFound(instance))?;
    let stood = store::delete(tx, instance, hold).await?;
    if state != InstanceState::Suspended {
        return Ok(Released::IsNotSuspended);
    }
    let left = store::of(tx, instance).await?;
    tell_reasons(tx, instance, &left).await?;
    if stood {
        audit::record(tx, core, by, "instance.resumed", &instance.to_string(), hold.as_str()).await?;
    }
    if !left.is_empty() {
        return Ok(Released::StaysClosed(left));
    }
    super::store::transition(tx, instance, Event::Resume, core.clock.now()).await?;
    members::store::next_serial(tx, instance).await?;
    Ok(Released::Opens(suspension::start(tx, core, suspension::RESUME, instance, "").await?))
}

/// What a closed instance's hostname answers. Only that it was given up is everybody told, since who comes by learns
/// nothing of the customer's affairs otherwise. Of a deletion first: that comes sooner.
pub(crate) async fn entry(tx: &mut Tx, instance: InstanceId) -> Result<Entry, ::store::sqlx::Error> {
    let standing = store::of(tx, instance).await?;
    let given_up = standing.into_iter().rev().find(|it| matches!(it.hold, Hold::Cancelled | Hold::Deletion));
    Ok(given_up.map_or(Entry::Suspended, |standing| Entry::Cancelled { note: standing.why }))
}

/// All reasons as one text.
pub(crate) fn in_words(reasons: &[Standing]) -> String {
    reasons.iter().map(|reason| reason.why.as_str()).collect::<Vec<_>>().join(" ")
}

/// Portal, console and API show the reasons as one text beside the instance.
async fn tell_reasons(tx: &mut Tx, instance: InstanceId, reasons: &[Standing]) -> Result<(), ::store::sqlx::Error> {
    let words = in_words(reasons);
    suspension::store::note_reason(tx, instance, (!reasons.is_empty()).then_some(&words)).await
}
