//! How far it has come with a customer, for people.

use ::billing::dunning::{Clock, Dunning, Hold, Stage};
use ::store::sqlx::Error;
use domain::CustomerId;
use jiff::Timestamp;

use super::store;
use crate::app::Core;

/// Where a customer stands who is, or was, dunned or left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DunningView {
    /// The word for the stage, as it is stored and sent.
    pub stage: &'static str,
    /// The present, in a sentence.
    pub now: &'static str,
    /// Since when.
    pub since: Timestamp,
    /// What comes next by itself, in a sentence, and when; without a moment while time stands still.
    pub next: Option<(&'static str, Option<Timestamp>)>,
    /// Whether the operator paused it.
    pub paused: bool,
    /// Whether it waits for a bank to settle a dispute.
    pub disputed: bool,
}

/// Where a customer stands; none of whom there was never anything to say.
pub(crate) async fn view(core: &Core, customer: CustomerId) -> Result<Option<DunningView>, Error> {
    let mut connection = core.db.read().acquire().await?;
    Ok(store::find(&mut connection, customer).await?.map(|kept| of(kept.state, kept.since)))
}

fn of(state: Dunning, since: Timestamp) -> DunningView {
    let held = match state.clock() {
        Clock::Running { .. } => None,
        Clock::Held { by, .. } => Some(by),
    };
    DunningView {
        stage: store::word(state.stage()),
        now: in_words(state.stage()),
        since,
        next: next(state.stage()).map(|what| (what, state.due())),
        paused: matches!(held, Some(Hold::Operator | Hold::Both)),
        disputed: matches!(held, Some(Hold::Dispute | Hold::Both)),
    }
}

const fn in_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Current => "Nothing is owed that is due.",
        Stage::Retrying { .. } => "A charge failed, and will be tried again.",
        Stage::Charging { .. } => "A charge was begun, and has not been answered.",
        Stage::Reminded { .. } => "An invoice is overdue, and the customer was reminded.",
        Stage::Grace => "The last reminder was sent.",
        Stage::Suspended => "All instances are closed until what is due is paid.",
        Stage::Cancelled { .. } => "The contract has ended for not being paid; paying restores it.",
        Stage::DeletionAnnounced { .. } => "The customer was told when everything is deleted.",
        Stage::Deleted => "Nothing is left to be closed; what is owed stays in the book.",
    }
}

const fn next(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Current | Stage::Deleted => None,
        Stage::Retrying { .. } => Some("The charge is tried again."),
        Stage::Charging { .. } => Some("Without an answer, the charge counts as failed."),
        Stage::Reminded { .. } => Some("Another reminder is sent."),
        Stage::Grace => Some("All instances are closed; their data is kept."),
        Stage::Suspended => Some("The contract ends; data is kept."),
        Stage::Cancelled { .. } => Some("The deletion of everything is announced."),
        Stage::DeletionAnnounced { .. } => Some("All instances and their data are deleted."),
    }
}
