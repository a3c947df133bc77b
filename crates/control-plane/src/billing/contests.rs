//! An hour that its customer does not want to pay for, and what was decided. Accepted, it is waived: a later invoice
//! leaves it out, or gives its price back.

pub(crate) mod store;

use domain::{InstanceId, UsageHour};
use jiff::Timestamp;

use super::close::PERIODS_OPEN_TO_CHANGES;
use super::payments::given_reason;
use super::waivers::{self, Waiver};
use super::{invoices, letter, plans};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::{audit, instances, usage};

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Contest {
    /// Follows from instance and hour, so that an hour is contested once.
    pub id: String,
    pub instance: InstanceId,
    pub hour: UsageHour,
    pub reason: String,
    pub author: String,
    pub state: ContestState,
    pub opened_at: Timestamp,
    pub decided_by: Option<String>,
    pub decided_at: Option<Timestamp>,
    pub answer: Option<String>,
}

/// Where a contest stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContestState {
    Open,
    Accepted,
    Refused,
}

impl ContestState {
    /// The word that is stored and sent.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Accepted, Self::Refused].into_iter().find(|state| state.as_str() == word)
    }
}

/// The id of the contest of an hour, whether there is one or not.
pub(crate) fn id_of(instance: InstanceId, hour: UsageHour) -> String {
    format!("{instance}-{}", hour.get())
}

/// Contests an hour that is to be paid for. Contesting it again gives the contest that there is.
pub(crate) async fn open(
    app: &App,
    instance: InstanceId,
    hour: UsageHour,
    reason: &str,
    by: &str,
) -> Result<Contest, AppError> {
    let reason = given_reason(reason)?;
    let contest = Contest {
        id: id_of(instance, hour),
        instance,
        hour,
        reason: reason.to_owned(),
        author: by.to_owned(),
        state: ContestState::Open,
        opened_at: app.clock.now(),
        decided_by: None,
        decided_at: None,
        answer: None,
    };
    let mut tx = app.db.begin().await?;
    if let Some(known) = store::find(&mut tx, &contest.id).await? {
        return Ok(known);
    }
    let usage = usage::recorded(&mut tx, instance, hour, plans::next(hour)).await?;
    if !usage.billable().contains(hour) {
        let next = "Only an hour that was used, and is not waived, can be contested.";
        return Err(refused(422, &format!("Nobody is to pay for {}", hour.start()), next));
    }
    if store::insert(&mut tx, &contest).await? {
        let detail = format!("{}: {reason}", hour.start());
        audit::record(&mut tx, app, by, "usage.contested", &instance.to_string(), &detail).await?;
    }
    let opened = find(&mut tx, &contest.id).await?;
    tx.commit().await?;
    Ok(opened)
}

/// Decides a contest; deciding it the same way again changes nothing.
pub(crate) async fn decide(
    app: &App,
    id: &str,
    state: ContestState,
    answer: &str,
    by: &str,
) -> Result<Contest, AppError> {
    let answer = if state == ContestState::Refused { given_reason(answer)? } else { answer.trim() };
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if !store::decide(&mut tx, id, state, answer, by, now).await? {
        let known = find(&mut tx, id).await?;
        let next = "A decision stands. A refused hour can still be waived.";
        let otherwise = || refused(409, &format!("This contest was {} already", known.state.as_str()), next);
        return if known.state == state { Ok(known) } else { Err(otherwise()) };
    }
    let decided = find(&mut tx, id).await?;
    let (instance, hour) = (decided.instance, decided.hour);
    if state == ContestState::Accepted {
        let reason = format!("contested: {}", decided.reason);
        waivers::waive_in(&mut tx, app, instance, hour, &Waiver { reason: &reason, author: by }).await?;
    }
    let detail = format!("{} {}: {answer}", hour.start(), state.as_str());
    audit::record(&mut tx, app, by, "contest.decided", &instance.to_string(), &detail).await?;
    let billed = invoices::store::latest(&mut tx, instance, PERIODS_OPEN_TO_CHANGES).await?;
    let credited = billed.iter().find_map(|invoice| {
        let line = invoice.lines.iter().find(|line| line.hours.contains(hour))?;
        Some(invoice.currency.price(line.unit))
    });
    if let Some(owner) = instances::store::find(&app.db, instance).await? {
        letter::answered(&mut tx, app, owner.customer, &decided, credited).await?;
    }
    tx.commit().await?;
    app.mail_waiting.notify_one();
    Ok(decided)
}

async fn find(tx: &mut ::store::Tx, id: &str) -> Result<Contest, AppError> {
    store::find(tx, id).await?.ok_or(AppError::NotFound)
}
