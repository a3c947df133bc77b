//! What was agreed about the updates of one instance: its stage, its customer's window, what was put off, a pin.

pub(super) mod store;

use ::store::Tx;
use domain::InstanceId;
use fleet::{Opening, Stage, UpdateRules, UpdateRulesError, Window};
use jiff::Timestamp;

use super::{roll_out, store as rollouts, units};
use crate::app::App;
use crate::audit;
use crate::error::{AppError, refused};
use crate::instances::Instance;

pub(crate) use store::find;

/// The stage of an instance and what was agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agreement {
    pub stage: Stage,
    pub rules: UpdateRules,
}

impl Default for Agreement {
    fn default() -> Self {
        Self { stage: Stage::Customers, rules: UpdateRules::default() }
    }
}

/// What is to be agreed otherwise; what is none stays as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    pub stage: Option<Stage>,
    /// When its customer wants updates; none within means at any time.
    pub window: Option<Option<Window>>,
    /// Puts off the update that waits for its turn, and others that come meanwhile; none within no longer does.
    pub deferred_until: Option<Option<Timestamp>>,
    /// Keeps it at what it runs, for a while and for a reason; none within takes the pin out.
    pub pin: Option<Option<(Timestamp, String)>>,
}

/// So much may be said about a pin.
const LONGEST_REASON: usize = 300;

/// Changes what was agreed about the updates of an instance: all of it, or nothing.
pub(crate) async fn agree(app: &App, instance: &Instance, changes: Changes, by: &str) -> Result<(), AppError> {
    if instance.state.is_over() {
        let what = format!("{} is gone", instance.subdomain);
        return Err(refused(409, &what, "Nothing can be agreed about its updates any more."));
    }
    if let Some(Some((_, why))) = &changes.pin
        && (why.trim().is_empty() || why.chars().count() > LONGEST_REASON)
    {
        let next = format!("Say in one sentence of at most {LONGEST_REASON} characters why it stays at what it runs.");
        return Err(refused(422, "There is no reason for the pin", &next));
    }
    let told = in_words(&changes);
    if told.is_empty() {
        return Ok(());
    }
    let announced = units::store::announced_at(&app.db, instance.id).await?;
    change(app, instance.id, by, &told, |agreed, now| {
        let Changes { stage, window, deferred_until, pin } = changes;
        agreed.stage = stage.unwrap_or(agreed.stage);
        if let Some(window) = window {
            agreed.rules.window = window;
        }
        match pin {
            Some(Some((until, why))) => agreed.rules.pin(until, why.trim().to_owned(), now)?,
            Some(None) => agreed.rules.pin = None,
            None => {}
        }
        match deferred_until {
            Some(Some(until)) => agreed.rules.defer(until, announced.unwrap_or(now).min(now), now),
            Some(None) => {
                agreed.rules.deferred_until = None;
                Ok(())
            }
            None => Ok(()),
        }
    })
    .await
}

/// For the audit log.
fn in_words(changes: &Changes) -> String {
    let stage = changes.stage.map(|stage| format!("in the stage {stage}"));
    let window = changes.window.as_ref().map(|window| match window {
        Some(_) => "a maintenance window".to_owned(),
        None => "no maintenance window".to_owned(),
    });
    let deferred = changes.deferred_until.map(|until| match until {
        Some(until) => format!("put off until {until}"),
        None => "no longer put off".to_owned(),
    });
    let pin = changes.pin.as_ref().map(|pin| match pin {
        Some((until, why)) => format!("pinned until {until}: {}", why.trim()),
        None => "unpinned".to_owned(),
    });
    [stage, window, deferred, pin].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Changes what was agreed, and the appointment of an update that waits.
async fn change(
    app: &App,
    instance: InstanceId,
    by: &str,
    told: &str,
    change: impl FnOnce(&mut Agreement, Timestamp) -> Result<(), UpdateRulesError>,
) -> Result<(), AppError> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let mut agreed = store::hold(&mut tx, instance, now).await?;
    change(&mut agreed, now).map_err(|error| refused(422, &error.to_string(), "Choose another time."))?;
    store::keep(&mut tx, instance, &agreed, now).await?;
    let waits = reappoint(&mut tx, instance, &agreed, now).await?;
    audit::record(&mut tx, app, by, "instance.updates_agreed", &instance.to_string(), told).await?;
    tx.commit().await?;
    if let Some(rollout) = waits {
        roll_out::advance(app, rollout).await?;
        app.engine.wake();
    }
    Ok(())
}

async fn reappoint(
    tx: &mut Tx,
    instance: InstanceId,
    agreed: &Agreement,
    now: Timestamp,
) -> Result<Option<domain::RolloutId>, AppError> {
    let Some((unit, _)) = units::store::waiting(tx, instance).await? else { return Ok(None) };
    // Held, so that its turn does not come while this is decided; it may have come before.
    rollouts::lock(tx, unit.rollout).await?;
    let Some((unit, earliest)) = units::store::waiting(tx, instance).await? else { return Ok(None) };
    if let Some(pin) = agreed.rules.pinned(now) {
        let why = format!("it is pinned: {}", pin.because);
        units::settle(tx, &unit, fleet::UnitEvent::Excuse, Some(&why), now).await?;
    } else {
        // Not before what was announced, whatever is agreed.
        let announced = (earliest > now).then_some(Opening { opens: earliest, closes: Timestamp::MAX });
        units::store::appoint(tx, &unit, agreed.rules.opening(earliest.max(now)).or(announced)).await?;
    }
    Ok(Some(unit.rollout))
}
