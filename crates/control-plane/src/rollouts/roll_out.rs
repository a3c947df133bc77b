//! What a rollout does next: decided in one transaction from how far it has come, so that it may be asked at any time, by
//! any replica, as often as anybody likes.

use std::num::NonZeroU32;

use domain::{ReleaseId, RolloutId};
use fleet::{Next, RolloutState, Stage, UnitEvent};
use jiff::Timestamp;
use providers::compute::Observation;
use store::Tx;
use store::sqlx::Error;

use super::units::{self, Unit};
use super::{Occasion, Rollout, agreement, go_back, letters, progress, store as rows, update};
use crate::alerts::{self, Kind};
use crate::app::Core;
use crate::audit;
use crate::error::AppError;
use crate::releases::{self, Proof};

/// So many customers are told, or given another appointment, in one transaction.
const AT_A_TIME: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Looks after the rollout that is open, if there is one.
///
/// # Errors
/// When the store does not answer.
pub async fn look_after(core: &Core) -> anyhow::Result<()> {
    match rows::open(&core.db).await? {
        Some(open) => {
            see_stuck(core, &open).await?;
            advance(core, open.id).await?;
        }
        None => super::catch_up::begin_if_needed(core).await?,
    }
    Ok(())
}

/// Sees those that can't go on without a person. Nobody else tells of them: they are settled by their workflow.
async fn see_stuck(core: &Core, open: &Rollout) -> Result<(), AppError> {
    if units::store::stuck(core.db.read(), open.id).await?.is_empty() {
        return Ok(());
    }
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    let Some(rollout) = rows::lock(&mut tx, open.id).await? else { return Ok(()) };
    for unit in units::store::stuck(&mut *tx, open.id).await? {
        stuck(&mut tx, core, &rollout, &unit, now).await?;
    }
    Ok(tx.commit().await?)
}

/// Lets a rollout do what is to be done now. Wake the engine afterwards, where there is one at hand.
pub(crate) async fn advance(core: &Core, id: RolloutId) -> Result<(), AppError> {
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    let Some(rollout) = rows::lock(&mut tx, id).await? else { return Ok(()) };
    if rollout.state.is_over() {
        return Ok(());
    }
    let mut more = tell(&mut tx, core, &rollout, now).await?;
    more |= reappoint(&mut tx, core, &rollout, now).await?;
    match progress::next(&mut tx, &rollout, now).await? {
        Next::Begin { until_wave, most } => {
            for unit in units::store::ready(&mut tx, id, until_wave, most, now).await? {
                units::settle(&mut tx, &unit, UnitEvent::Begin, None, now).await?;
                let workflow = update::start(&mut tx, core, &rollout, unit.instance).await?;
                units::store::note_workflow(&mut tx, &unit, &workflow.to_string()).await?;
            }
        }
        Next::GoBack { most } => {
            for unit in units::store::to_take_back(&mut tx, id, most).await? {
                units::settle(&mut tx, &unit, UnitEvent::GoBack, None, now).await?;
                let workflow = go_back::start(&mut tx, core, id, unit.instance).await?;
                units::store::note_workflow(&mut tx, &unit, &workflow.to_string()).await?;
            }
        }
        Next::Halt { failed } => halt(&mut tx, core, &rollout, &many_failed(failed), now).await?,
        // Not before everybody has been told, and has the appointment that they shall have.
        Next::Finish if !more => finish(&mut tx, core, &rollout, now).await?,
        Next::Finish | Next::Wait(_) => {}
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

fn many_failed(failed: u32) -> String {
    match failed {
        1 => "One instance failed and went back to what it ran before".to_owned(),
        many => format!("{many} instances failed and went back to what they ran before"),
    }
}

async fn stuck(tx: &mut Tx, core: &Core, rollout: &Rollout, unit: &Unit, now: Timestamp) -> Result<(), AppError> {
    let why = "it could neither be updated nor taken back; its workflow says why";
    units::settle(tx, unit, UnitEvent::GetStuck, Some(why), now).await?;
    rows::log(tx, rollout.id, "rollout", &format!("{} needs a person: {why}", unit.instance), now).await?;
    let key = format!("unit stuck {} {}", rollout.id, unit.instance);
    let what = format!("An instance is between {} and what it ran before", rollout.version);
    let path = unit.workflow.as_ref().map_or("/admin/workflows".to_owned(), |id| format!("/admin/workflows/{id}"));
    Ok(alerts::raise(tx, core, Kind::RolloutHalted, &key, &what, why, &path).await?)
}

/// Tells customers of what is coming, some at a time; whether some are left.
async fn tell(tx: &mut Tx, core: &Core, rollout: &Rollout, now: Timestamp) -> Result<bool, AppError> {
    let untold = units::store::unannounced(tx, rollout.id, AT_A_TIME).await?;
    for unit in &untold {
        if unit.stage == Stage::Customers {
            letters::announced(tx, core, rollout, unit).await?;
        }
        units::store::note_announced(tx, unit, now).await?;
    }
    Ok(untold.len() == AT_A_TIME.get() as usize)
}

/// Gives those another appointment who missed theirs; whether some are left.
async fn reappoint(tx: &mut Tx, core: &Core, rollout: &Rollout, now: Timestamp) -> Result<bool, AppError> {
    let missed = units::store::missed(tx, rollout.id, now, AT_A_TIME).await?;
    for unit in &missed {
        let agreed = agreement::find(&core.db, unit.instance).await?;
        units::store::appoint(tx, unit, agreed.rules.opening(now)).await?;
    }
    Ok(missed.len() == AT_A_TIME.get() as usize)
}

async fn halt(tx: &mut Tx, core: &Core, rollout: &Rollout, why: &str, now: Timestamp) -> Result<(), AppError> {
    rows::set_state(tx, rollout.id, RolloutState::Halted, Some(why), now).await?;
    rows::log(tx, rollout.id, "rollout", &format!("Halted: {why}"), now).await?;
    audit::record(tx, core, "rollout", "rollout.halted", &rollout.id.to_string(), why).await?;
    let key = format!("rollout halted {} {}", rollout.id, rollout.tolerated);
    let what = format!("The rollout of {} halted", rollout.version);
    let next = "Nothing more is begun until you decide: go on, leave some out, or take all of it back.";
    let path = format!("/admin/rollouts/{}", rollout.id);
    Ok(alerts::raise(tx, core, Kind::RolloutHalted, &key, &what, &format!("{why}. {next}"), &path).await?)
}

async fn finish(tx: &mut Tx, core: &Core, rollout: &Rollout, now: Timestamp) -> Result<(), AppError> {
    let (state, what) = match rollout.state {
        RolloutState::Cancelling => (RolloutState::Cancelled, "Ended before it reached everybody".to_owned()),
        RolloutState::RollingBack => {
            for (stage, release) in rows::former(tx, rollout.id).await? {
                releases::store::set_current(tx, stage, release, now).await?;
            }
            (RolloutState::RolledBack, "Everything that was updated was taken back".to_owned())
        }
        _ => match verify(tx, rollout).await? {
            Verified::NotYet => return Ok(()),
            Verified::Differs(who) => return halt(tx, core, rollout, &who, now).await,
            Verified::Holds(number) => {
                succeed(tx, core, rollout, now).await?;
                (RolloutState::Done, format!("Verified: {number} that were updated run {}", rollout.version))
            }
        },
    };
    rows::set_state(tx, rollout.id, state, Some(&what), now).await?;
    rows::log(tx, rollout.id, "rollout", &what, now).await?;
    let action = format!("rollout.{}", state.as_str());
    Ok(audit::record(tx, core, "rollout", &action, &rollout.id.to_string(), rollout.version.as_str()).await?)
}

enum Verified {
    /// Some were not observed since they were updated.
    NotYet,
    /// In a sentence.
    Differs(String),
    /// So many were seen running the release.
    Holds(usize),
}

/// Whether everything that was updated was seen, since then, to run what it should.
async fn verify(tx: &mut Tx, rollout: &Rollout) -> Result<Verified, Error> {
    let updated = units::store::seen_of_updated(tx, rollout.id).await?;
    let mut others = Vec::new();
    for (unit, seen, at) in &updated {
        if at.zip(unit.settled_at).is_none_or(|(at, settled)| at <= settled) {
            return Ok(Verified::NotYet);
        }
        let seen: Option<Observation> = seen.as_deref().and_then(|text| serde_json::from_str(text).ok());
        match seen.and_then(|seen| seen.version) {
            // It runs, but what could not be seen at this moment.
            None => return Ok(Verified::NotYet),
            Some(version) if version == rollout.version.as_str() => {}
            Some(version) => others.push(format!("{} runs {version}", unit.instance)),
        }
    }
    if others.is_empty() {
        return Ok(Verified::Holds(updated.len()));
    }
    let number = others.len();
    others.truncate(5);
    Ok(Verified::Differs(format!("{number} do not run what they were updated to: {}", others.join("; "))))
}

/// What it reached is current from now on, and shows what the release is good for.
async fn succeed(tx: &mut Tx, core: &Core, rollout: &Rollout, now: Timestamp) -> Result<(), AppError> {
    for (stage, updated, failed) in units::store::by_stage(tx, rollout.id).await? {
        if updated > 0 && failed == 0 {
            let proof = Proof {
                stage,
                environment: core.settings.product.clone(),
                at: now,
                by: rollout.made_by.clone(),
                detail: format!("{updated} were updated in rollout {} and none failed", rollout.id),
            };
            releases::store::prove(tx, rollout.release, &proof).await?;
        }
    }
    if !rollout.is_whole || rollout.occasion == Occasion::CatchUp {
        return Ok(());
    }
    let mut former: Vec<(Stage, ReleaseId)> = Vec::new();
    for stage in Stage::ALL.into_iter().filter(|stage| *stage <= rollout.stage) {
        let before = releases::store::current(&mut **tx, stage).await?;
        former.extend(before.filter(|before| before.id != rollout.release).map(|before| (stage, before.id)));
        releases::store::set_current(tx, stage, rollout.release, now).await?;
    }
    Ok(rows::note_former(tx, rollout.id, &former).await?)
}
