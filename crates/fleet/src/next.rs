use jiff::Timestamp;

use crate::{AtOnce, RolloutState, Strategy};

/// How far a rollout has come: what its next move depends on and no more, so that nobody has to be counted for it who has
/// nothing to do with it.
#[derive(Debug, Clone)]
pub struct Progress<'a> {
    /// Where it stands.
    pub state: RolloutState,
    /// How it goes through its instances.
    pub strategy: &'a Strategy,
    /// How many may fail; after a halt that was accepted, those as well.
    pub tolerated: u32,
    /// How many failed.
    pub failed: u32,
    /// How many are being updated; not those that are watched.
    pub updating: u32,
    /// How many are being taken back with the rollout.
    pub going_back: u32,
    /// Its waves, in order. One that has nothing of what a [`Wave`] tells may be missing.
    pub waves: &'a [Wave],
    /// When the first of those opens that wait for their appointment.
    pub next_opening: Option<Timestamp>,
}

/// What there is in a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wave {
    /// Which one.
    pub number: u32,
    /// Somebody may begin now.
    pub is_ready: bool,
    /// Somebody waits for a window, or for the end of what their customers put off.
    pub has_later: bool,
    /// Somebody is being updated or watched.
    pub is_under_way: bool,
    /// Somebody runs the release.
    pub has_updated: bool,
}

/// What a rollout does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Begin with those that may begin, of this wave or an earlier one.
    Begin {
        /// The last wave that is open.
        until_wave: u32,
        /// Not more.
        most: u32,
    },
    /// Take those back that were updated, the last ones first.
    GoBack {
        /// Not more.
        most: u32,
    },
    /// Begin nothing until the operator decides: so many failed.
    Halt {
        /// That many.
        failed: u32,
    },
    /// It is over.
    Finish,
    /// Nothing, until a unit moves, somebody decides, or this moment comes.
    Wait(Option<Timestamp>),
}

impl Wave {
    /// Whether a later wave may begin: nothing of this one is going on, and if somebody of it is still waited for, it
    /// has shown with another that the release works.
    const fn is_passed(&self) -> bool {
        !self.is_ready && !self.is_under_way && (!self.has_later || self.has_updated)
    }
}

/// Says what a rollout does, from nothing but how far it has come.
pub fn next(progress: &Progress<'_>) -> Next {
    let is_any = |holds: fn(&Wave) -> bool| progress.waves.iter().any(holds);
    let is_under_way = is_any(|wave| wave.is_under_way);
    match progress.state {
        RolloutState::Running => running(progress),
        RolloutState::Cancelling if !is_under_way => Next::Finish,
        RolloutState::RollingBack => {
            let is_left = is_any(|wave| wave.has_updated);
            match deploying(progress.strategy).saturating_sub(progress.going_back) {
                most if most > 0 && is_left => Next::GoBack { most },
                _ if is_left || progress.going_back > 0 || is_under_way => Next::Wait(None),
                _ => Next::Finish,
            }
        }
        RolloutState::Paused
        | RolloutState::Halted
        | RolloutState::Cancelling
        | RolloutState::Cancelled
        | RolloutState::RolledBack
        | RolloutState::Done => Next::Wait(None),
    }
}

fn running(progress: &Progress<'_>) -> Next {
    if progress.failed > progress.tolerated {
        return Next::Halt { failed: progress.failed };
    }
    let Some(open) = progress.waves.iter().find(|wave| !wave.is_passed()) else {
        // All waves are passed, perhaps but for some that wait for their windows.
        let waits = progress.waves.iter().any(|wave| wave.has_later);
        return if waits { Next::Wait(progress.next_opening) } else { Next::Finish };
    };
    let is_ready = progress.waves.iter().any(|wave| wave.number <= open.number && wave.is_ready);
    let most = match &progress.strategy.at_once {
        // Nothing else begins while one is watched.
        AtOnce::One if progress.waves.iter().any(|wave| wave.is_under_way) => 0,
        // What is watched is not deployed any more.
        AtOnce::One | AtOnce::Waves { .. } => deploying(progress.strategy).saturating_sub(progress.updating),
    };
    if is_ready && most > 0 { Next::Begin { until_wave: open.number, most } } else { Next::Wait(progress.next_opening) }
}

fn deploying(strategy: &Strategy) -> u32 {
    match &strategy.at_once {
        AtOnce::One => 1,
        AtOnce::Waves { deploying, .. } => u32::from(deploying.get()),
    }
}
