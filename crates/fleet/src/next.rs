use jiff::Timestamp;

use crate::{AtOnce, RolloutState, Strategy};

/// How far a rollout has come.
#[derive(Debug, Clone)]
pub struct Progress<'a> {
    /// Where it stands.
    pub state: RolloutState,
    /// How it goes through its instances.
    pub strategy: &'a Strategy,
    /// How many may fail; after a halt that was accepted, those as well.
    pub tolerated: u32,
    /// Its units, by wave, in order. A wave without units may be missing.
    pub waves: &'a [WaveCount],
    /// When the first of those opens that wait for their appointment.
    pub next_opening: Option<Timestamp>,
}

/// How many units of a wave are how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WaveCount {
    /// Which wave.
    pub wave: u32,
    /// May begin now.
    pub ready: u32,
    /// Wait for a window, or for the end of what their customers put off.
    pub later: u32,
    /// Being updated.
    pub updating: u32,
    /// Being watched.
    pub soaking: u32,
    /// Run the release.
    pub updated: u32,
    /// Failed.
    pub failed: u32,
    /// Being taken back with the rollout.
    pub going_back: u32,
}

/// What a rollout does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Begin with so many that may begin, of this wave or an earlier one.
    Begin {
        /// The last wave that is open.
        until_wave: u32,
        /// Not more.
        most: u32,
    },
    /// Take so many back that were updated, the last ones first.
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

impl WaveCount {
    /// Whether something of it is going on, or could begin.
    const fn is_busy(&self) -> bool {
        self.ready + self.updating + self.soaking > 0
    }

    /// Whether a later wave may begin: nothing of this one is going on, and if somebody of it is still waited for, it
    /// has shown with another that the release works.
    const fn is_passed(&self) -> bool {
        !self.is_busy() && (self.later == 0 || self.updated > 0)
    }
}

/// Says what a rollout does, from nothing but how far it has come.
pub fn next(progress: &Progress<'_>) -> Next {
    let sum = |count: fn(&WaveCount) -> u32| progress.waves.iter().map(count).sum::<u32>();
    let under_way = sum(|wave| wave.updating + wave.soaking);
    match progress.state {
        RolloutState::Running => running(progress, sum(|wave| wave.failed)),
        RolloutState::Cancelling if under_way == 0 => Next::Finish,
        RolloutState::RollingBack => {
            let (left, going) = (sum(|wave| wave.updated), sum(|wave| wave.going_back));
            let most = deploying(progress.strategy).saturating_sub(going).min(left);
            match most {
                0 if left + going + under_way == 0 => Next::Finish,
                0 => Next::Wait(None),
                most => Next::GoBack { most },
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

fn running(progress: &Progress<'_>, failed: u32) -> Next {
    if failed > progress.tolerated {
        return Next::Halt { failed };
    }
    let Some(open) = progress.waves.iter().find(|wave| !wave.is_passed()) else {
        // All waves are passed, perhaps but for some that wait for their windows.
        let waits = progress.waves.iter().any(|wave| wave.later > 0);
        return if waits { Next::Wait(progress.next_opening) } else { Next::Finish };
    };
    let opened = || progress.waves.iter().filter(|wave| wave.wave <= open.wave);
    let ready: u32 = opened().map(|wave| wave.ready).sum();
    // What is watched is not deployed any more, but one by one means that nothing else begins meanwhile.
    let busy: u32 = progress
        .waves
        .iter()
        .map(|wave| if progress.strategy.at_once == AtOnce::One { wave.updating + wave.soaking } else { wave.updating })
        .sum();
    match deploying(progress.strategy).saturating_sub(busy).min(ready) {
        0 => Next::Wait(progress.next_opening),
        most => Next::Begin { until_wave: open.wave, most },
    }
}

fn deploying(strategy: &Strategy) -> u32 {
    match &strategy.at_once {
        AtOnce::One => 1,
        AtOnce::Waves { deploying, .. } => u32::from(deploying.get()),
    }
}
