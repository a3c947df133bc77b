//! What an update and the way back have in common: an application rests, is brought to a release, starts, and is looked at.

use access::protocol::HEALTH;
use domain::{InstanceId, InstanceState};
use jiff::{SignedDuration, Timestamp};
use providers::compute::Health;
use serde::Deserialize;
use workflow::StepError;

use super::units::{self, Unit};
use crate::app::Core;
use crate::instances::{self, Instance, probe};
use crate::releases::{self, Release};
use crate::workflows::step_error;

/// Between two looks at an application that is to come up.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(2);
/// Between two looks at one that is being watched.
const LOOK_ON: SignedDuration = SignedDuration::from_secs(30);
/// One that is watched and misses so many looks in a row is not well.
const MISSES: u32 = 3;
/// One that ended by itself more often than that since it was deployed is not coming up.
const RESTARTS: u32 = 3;
/// Between two looks at one that misses them.
const BETWEEN_MISSES: SignedDuration = SignedDuration::from_secs(1);

/// The instance, unless nothing can be updated in it any more: then why, in a sentence.
pub(super) async fn standing(core: &Core, id: InstanceId) -> Result<Result<Instance, String>, store::sqlx::Error> {
    let found = instances::store::find(&core.db, id).await?;
    Ok(match found {
        Some(instance) if matches!(instance.state, InstanceState::Active | InstanceState::Suspended) => Ok(instance),
        Some(instance) => Err(format!("it is {}", instance.state)),
        None => Err("there is no such instance".to_owned()),
    })
}

/// Brings an instance to a release and starts it, to be looked at, though it be closed. What it is to run is recorded
/// before.
pub(super) async fn run(core: &Core, instance: &Instance, release: &Release) -> Result<Timestamp, StepError> {
    let mut tx = core.db.begin().await?;
    releases::store::note_run(&mut tx, instance.id, release.id, core.clock.now()).await?;
    tx.commit().await?;
    core.drivers.compute.deploy(&instance.project, &release.made.artifact).await.map_err(step_error)?;
    core.drivers.compute.wake(&instance.project).await.map_err(step_error)?;
    Ok(core.clock.now())
}

/// What was looked at although it is closed rests again. One that is closed from now on is put to rest by who closes it.
pub(super) async fn leave(core: &Core, id: InstanceId) -> Result<(), StepError> {
    let found = instances::store::find(&core.db, id).await?;
    match found.filter(|instance| instance.state == InstanceState::Suspended) {
        Some(closed) => core.drivers.compute.suspend(&closed.project).await.map_err(step_error),
        None => Ok(()),
    }
}

/// What an instance says of itself.
#[derive(Debug, Clone, Default, Deserialize)]
struct Told {
    /// What its guard was deployed with.
    release: Option<String>,
    /// What the application calls itself, if it says.
    version: Option<String>,
}

/// Waits until an instance answers well, as its members reach it, and tells that it is what it should be. It counts from
/// `since` how long that may take.
pub(crate) async fn come_up(
    core: &Core,
    id: InstanceId,
    release: &Release,
    since: Timestamp,
    limit: SignedDuration,
) -> Result<(), StepError> {
    let Ok(instance) = standing(core, id).await? else { return Ok(()) };
    let problem = match look(core, &instance).await {
        Ok(told) => match judge(&told, release) {
            Judged::IsIt => return Ok(()),
            Judged::IsAnother(what) => return Err(StepError::permanent(anyhow::anyhow!(what))),
            Judged::NotYet(what) => what,
        },
        Err(problem) => problem,
    };
    if let Some(why) = gives_up(core, &instance).await? {
        return Err(StepError::permanent(anyhow::anyhow!("it did not come up: {why}")));
    }
    if core.clock.now().duration_since(since) > limit {
        let minutes = limit.as_mins();
        return Err(StepError::permanent(anyhow::anyhow!("it did not come up within {minutes} minutes: {problem}")));
    }
    Err(StepError::NotYet { why: problem, after: LOOK_AGAIN })
}

/// Why an application will hardly come up any more: it ended by itself, again and again. Only where its provider may be
/// asked as often as one likes; others say so themselves when they deploy.
async fn gives_up(core: &Core, instance: &Instance) -> Result<Option<String>, StepError> {
    let compute = &core.drivers.compute;
    if !compute.tempo().between.is_zero() {
        return Ok(None);
    }
    let seen = compute.observe(&instance.project).await.map_err(step_error)?;
    let ended = seen.filter(|seen| seen.health == Health::Down && seen.restarts >= RESTARTS);
    Ok(ended.map(|seen| {
        let detail = seen.detail.map(|detail| format!(", the last time: {detail}")).unwrap_or_default();
        format!("it ended by itself {} times{detail}", seen.restarts + 1)
    }))
}

/// Watches the instance of a unit until a moment: one that stops answering, or becomes another version, is not well. What
/// it misses is counted in the store, so that nobody waits with it in hand.
pub(super) async fn watch(core: &Core, unit: &Unit, release: &Release, until: Timestamp) -> Result<(), StepError> {
    let Ok(instance) = standing(core, unit.instance).await? else { return Ok(()) };
    let problem = match look(core, &instance).await {
        Ok(told) => match judge(&told, release) {
            Judged::IsIt => None,
            Judged::IsAnother(what) | Judged::NotYet(what) => Some(what),
        },
        Err(problem) => Some(problem),
    };
    if let Some(problem) = problem {
        if units::store::miss(&core.db, unit).await? < MISSES {
            return Err(StepError::NotYet { why: problem, after: BETWEEN_MISSES });
        }
        let what = format!("it came up, and then was not well: {problem}");
        return Err(StepError::permanent(anyhow::anyhow!(what)));
    }
    if unit.misses > 0 {
        units::store::forget_misses(&core.db, unit).await?;
    }
    let left = until.duration_since(core.clock.now());
    if left.is_positive() {
        let why = format!("it is well, and watched until {}", until.strftime("%H:%M:%S"));
        return Err(StepError::NotYet { why, after: left.min(LOOK_ON) });
    }
    Ok(())
}

/// One look, through the hostname as a member, or past the edge while that lets nobody in.
async fn look(core: &Core, instance: &Instance) -> Result<Told, String> {
    let place = instance.place();
    let answer = match instance.state {
        InstanceState::Suspended => probe::behind_the_door(core, &place, HEALTH).await,
        _ => {
            probe::through_hostname(core, &place, HEALTH).await.map_err(|error| format!("it can't be reached: {error}"))
        }
    }?;
    let status = answer.status();
    let body = answer.text().await.unwrap_or_default();
    if !status.is_success() {
        let shown: String = body.chars().take(200).collect();
        return Err(format!("its health page answers {status}: {shown}"));
    }
    Ok(serde_json::from_str(&body).unwrap_or_default())
}

enum Judged {
    IsIt,
    /// In a sentence.
    IsAnother(String),
    /// In a sentence.
    NotYet(String),
}

fn judge(told: &Told, release: &Release) -> Judged {
    let wanted = release.made.version.as_str();
    match told {
        Told { release: None, .. } => Judged::NotYet("its guard does not say which release it runs".to_owned()),
        Told { release: Some(runs), .. } if runs != wanted => {
            Judged::NotYet(format!("{runs} still answers, not {wanted}"))
        }
        Told { version: Some(says), .. } if !is_called(says, wanted) => {
            Judged::IsAnother(format!("the application says that it is {says}, not {wanted}"))
        }
        Told { .. } => Judged::IsIt,
    }
}

/// An application knows its version, but not what the release was called to tell it from another of the same version.
fn is_called(says: &str, wanted: &str) -> bool {
    says == wanted || wanted.starts_with(&format!("{says}+"))
}
