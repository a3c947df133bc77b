//! Support inside an instance: its customer lets it in for a while, to look or to change things, and can end
//! that at once. Nobody else can let it in.
//!
//! What holds here:
//! - A leave has an end from the start, which stands in the signed list and which the guard keeps by itself.
//! - Who comes in are those who were support when the leave was given, as far as they still are.
//! - Everything is in the customer's own log: who asked, who gave which leave, when it ended, and each hour in which
//!   support was inside.
//! - An hour that support used alone costs nothing. One in which a member was active as well is billed as any other.

pub(crate) mod hours;
mod letters;
pub(crate) mod report;
pub(crate) mod store;

use access::Guest;
use domain::{Email, InstanceId, InstanceState, OperatorRole, SupportAccessId};
use jiff::{SignedDuration, Timestamp};

use crate::app::{App, Core};
use crate::error::{AppError, refused};
use crate::instances::{self, Instance};
use crate::members::{self, publish};
use crate::operators;
use crate::{audit, workflows};

/// How long an answer waits for edge and guard to know.
const TO_TAKE_EFFECT: std::time::Duration = std::time::Duration::from_secs(3);
const LONGEST_REASON: usize = 500;

/// For how long support may be let in, in hours.
pub(crate) const SPANS: [i64; 3] = [1, 4, 24];

/// Who ends what ends by itself.
const TIME: &str = "time";

/// A leave to enter, or the request for one.
#[derive(Debug, Clone)]
pub(crate) struct SupportAccess {
    pub id: SupportAccessId,
    pub instance: InstanceId,
    /// Who asked for it and why, unless the customer gave it unasked.
    pub asked: Option<Asked>,
    pub state: Standing,
}

/// A request for leave.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub by: String,
    pub at: Timestamp,
    pub reason: String,
}

/// How far a leave has come.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// The customer was asked.
    Asked,
    /// The customer does not want it.
    Declined { by: String, at: Timestamp },
    /// Support may enter.
    Given(Leave),
    /// Support may enter no more.
    Ended { leave: Leave, by: String, at: Timestamp },
}

/// What the customer allowed.
#[derive(Debug, Clone)]
pub(crate) struct Leave {
    pub by: String,
    pub at: Timestamp,
    pub until: Timestamp,
    pub may_change: bool,
    /// Who was support then.
    pub people: Vec<Email>,
}

impl SupportAccess {
    /// The leave, whether it has ended or not.
    pub(crate) fn leave(&self) -> Option<&Leave> {
        match &self.state {
            Standing::Given(leave) | Standing::Ended { leave, .. } => Some(leave),
            Standing::Asked | Standing::Declined { .. } => None,
        }
    }

    /// The stored word.
    pub(crate) fn word(&self) -> &'static str {
        match self.state {
            Standing::Asked => "asked",
            Standing::Declined { .. } => "declined",
            Standing::Given(_) => "given",
            Standing::Ended { .. } => "ended",
        }
    }
}

/// Asks a customer to let support in. Gives nobody anything.
pub(crate) async fn ask(app: &App, instance: &Instance, reason: &str, by: &str) -> Result<SupportAccess, AppError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > LONGEST_REASON {
        let next =
            format!("Say in a sentence or two, of at most {LONGEST_REASON} characters, what you want to look at.");
        return Err(refused(422, "There is no reason, or too long a one", &next));
    }
    must_be_open(instance)?;
    let now = app.clock.now();
    let asked = Asked { by: by.to_owned(), at: now, reason: reason.to_owned() };
    let access = SupportAccess {
        id: SupportAccessId::new(now, app.entropy.bytes()),
        instance: instance.id,
        asked: Some(asked.clone()),
        state: Standing::Asked,
    };
    let mut tx = app.db.begin().await?;
    if store::open(&mut tx, instance.id).await?.is_some() {
        let next = "Wait for the customer's answer, or until the leave ends.";
        return Err(refused(409, "The customer was asked already, or has let support in", next));
    }
    store::insert(&mut tx, &access).await?;
    audit::record(&mut tx, app, by, "support.asked", &instance.id.to_string(), reason).await?;
    letters::asked(&mut tx, app, instance, &access.id, &asked).await?;
    tx.commit().await?;
    app.mail_waiting.notify_one();
    Ok(access)
}

/// A customer lets support in, asked or not.
pub(crate) async fn give(
    app: &App,
    instance: &Instance,
    (hours, may_change): (i64, bool),
    by: &Email,
) -> Result<(), AppError> {
    if !SPANS.contains(&hours) {
        return Err(refused(422, "That is no time for which support can be let in", "Choose 1, 4 or 24 hours."));
    }
    must_be_open(instance)?;
    let people = operators::store::at_least(&app.db, OperatorRole::Support).await?;
    let now = app.clock.now();
    let until = now + SignedDuration::from_hours(hours);
    let leave = Leave { by: by.to_string(), at: now, until, may_change, people };
    let mut tx = app.db.begin().await?;
    let open = store::open(&mut tx, instance.id).await?;
    if open.as_ref().is_some_and(|open| matches!(open.state, Standing::Given(_))) {
        let next = "End that first, to let it in for another time or in another way.";
        return Err(refused(409, "Support may enter already", next));
    }
    let access = match open {
        Some(asked) => SupportAccess { state: Standing::Given(leave.clone()), ..asked },
        None => {
            let id = SupportAccessId::new(now, app.entropy.bytes());
            let state = Standing::Given(leave.clone());
            let access = SupportAccess { id, instance: instance.id, asked: None, state };
            store::insert(&mut tx, &access).await?;
            access
        }
    };
    store::keep(&mut tx, &access).await?;
    let detail = format!("until {until}, {}", in_words(may_change));
    audit::record(&mut tx, app, by.as_str(), "support.let_in", &instance.id.to_string(), &detail).await?;
    letters::given(&mut tx, app, instance, &access, &leave).await?;
    publish_and_wait(app, tx, instance.id).await
}

/// A customer does not let support in.
pub(crate) async fn decline(app: &App, instance: &Instance, by: &Email) -> Result<(), AppError> {
    let mut tx = app.db.begin().await?;
    let open = store::open(&mut tx, instance.id).await?.filter(|open| matches!(open.state, Standing::Asked));
    // Who clicks twice has declined once.
    let Some(open) = open else { return Ok(()) };
    let state = Standing::Declined { by: by.to_string(), at: app.clock.now() };
    let access = SupportAccess { state, ..open };
    store::keep(&mut tx, &access).await?;
    audit::record(&mut tx, app, by.as_str(), "support.declined", &instance.id.to_string(), "").await?;
    letters::declined(&mut tx, app, instance, &access).await?;
    tx.commit().await?;
    app.mail_waiting.notify_one();
    Ok(())
}

/// Support may enter no more, from its next request on; nothing when it may not anyhow.
pub(crate) async fn end(app: &App, instance: &Instance, by: &str) -> Result<(), AppError> {
    let mut tx = app.db.begin().await?;
    if end_in(&mut tx, app, instance.id, by).await? { publish_and_wait(app, tx, instance.id).await } else { Ok(()) }
}

/// Ends what has come to its end. Guards keep people out by themselves by then; this tells edge and customer.
///
/// # Errors
/// When the store can't be used.
pub async fn end_if_due(core: &Core) -> Result<(), ::store::sqlx::Error> {
    for instance in store::over(&core.db, core.clock.now()).await? {
        let mut tx = core.db.begin().await?;
        if end_in(&mut tx, core, instance, TIME).await? {
            members::store::next_serial(&mut tx, instance).await?;
            publish::start(&mut tx, core, instance).await?;
            tx.commit().await?;
            core.mail_waiting.notify_one();
        }
    }
    Ok(())
}

async fn end_in(
    tx: &mut ::store::Tx,
    core: &Core,
    instance: InstanceId,
    by: &str,
) -> Result<bool, ::store::sqlx::Error> {
    let now = core.clock.now();
    let Some(open) = store::open(tx, instance).await? else { return Ok(false) };
    let Standing::Given(leave) = open.state.clone() else { return Ok(false) };
    // What ended by itself did so at its moment, however late that is noticed.
    let at = now.min(leave.until);
    let access = SupportAccess { state: Standing::Ended { leave, by: by.to_owned(), at }, ..open };
    store::keep(tx, &access).await?;
    audit::record(tx, core, by, "support.ended", &instance.to_string(), "").await?;
    if let Some(instance) = instances::store::find(&core.db, instance).await? {
        letters::ended(tx, core, &instance, &access).await?;
    }
    Ok(true)
}

/// Whom edge and guard of an instance let in for a while.
pub(crate) async fn guests(core: &Core, instance: InstanceId) -> Result<Vec<Guest>, AppError> {
    let Some(open) = store::open_of(&core.db, instance).await? else { return Ok(Vec::new()) };
    let Standing::Given(leave) = open.state else { return Ok(Vec::new()) };
    if leave.until <= core.clock.now() {
        return Ok(Vec::new());
    }
    // Whoever is no operator any more comes in no more.
    let still = operators::store::at_least(&core.db, OperatorRole::Support).await?;
    let people = leave.people.into_iter().filter(|email| still.contains(email));
    let guest = |email| Guest { email, until: leave.until, may_change: leave.may_change };
    Ok(people.map(guest).collect())
}

/// Tells the guards of instances into which support may enter who is support now: that may be others than before.
pub(crate) async fn tell_who_is_support(core: &Core) -> Result<(), ::store::sqlx::Error> {
    for instance in store::given(&core.db).await? {
        let mut tx = core.db.begin().await?;
        members::store::next_serial(&mut tx, instance).await?;
        publish::start(&mut tx, core, instance).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// What a leave allows.
pub(crate) fn in_words(may_change: bool) -> &'static str {
    if may_change { "to look and to change things" } else { "to look only" }
}

async fn publish_and_wait(app: &App, mut tx: ::store::Tx, instance: InstanceId) -> Result<(), AppError> {
    members::store::next_serial(&mut tx, instance).await?;
    let publishing = publish::start(&mut tx, app, instance).await?;
    tx.commit().await?;
    app.mail_waiting.notify_one();
    workflows::settled(app, publishing, TO_TAKE_EFFECT).await?;
    Ok(())
}

fn must_be_open(instance: &Instance) -> Result<(), AppError> {
    if instance.state == InstanceState::Active {
        return Ok(());
    }
    let what = format!("The instance is {}, so nobody can enter", instance.state);
    Err(refused(409, &what, "Wait until it is open."))
}
