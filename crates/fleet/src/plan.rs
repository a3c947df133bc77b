use domain::InstanceId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{AtOnce, Opening, Pin, Strategy, UpdateRules, UpgradesFrom, Version};

/// An instance of the stage that a rollout is for.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Which.
    pub id: InstanceId,
    /// What it runs, as far as it is recorded.
    pub runs: Option<Version>,
    /// How much an interruption would be noticed now.
    pub rest: Rest,
    /// Whether it is suspended: it then runs nothing, and is brought up to date when it is resumed.
    pub is_suspended: bool,
    /// What was agreed about its updates.
    pub rules: UpdateRules,
}

/// How much an interruption would be noticed. The least comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// It sleeps.
    Asleep,
    /// It is used as little in this hour as in any.
    Quiet,
    /// Somebody may be at work.
    InUse,
}

/// Why an instance is not part of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// It runs the release.
    RunsItAlready,
    /// It runs nothing; it is updated when it is resumed.
    IsSuspended,
    /// It stays at what it runs, for a while.
    IsPinned(Pin),
    /// The release can't follow what it runs.
    CannotFollow(Option<Version>),
}

/// What a rollout will do, before it does anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Who is updated, in order.
    pub units: Vec<PlannedUnit>,
    /// Who is not, and why.
    pub left: Vec<(InstanceId, Left)>,
    /// How many each wave has.
    pub waves: Vec<u32>,
    /// How many may fail before it halts.
    pub tolerated: u32,
    /// How long it takes.
    pub estimate: Estimate,
}

/// One instance's place in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedUnit {
    /// Which.
    pub id: InstanceId,
    /// What it runs before.
    pub runs: Option<Version>,
    /// Why it has this place.
    pub rest: Rest,
    /// Its wave, from 0 on.
    pub wave: u32,
    /// When it may begin; `None`: whenever its turn comes.
    pub opening: Option<Opening>,
}

/// What is known of how fast updates are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long one takes, from its backup to the version that it tells.
    pub update: SignedDuration,
    /// How far apart two may begin, since the provider takes so many calls in a time and no more.
    pub between: SignedDuration,
}

/// How long a rollout takes if nothing fails and nobody is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// All updates and watches.
    pub work: SignedDuration,
    /// When the last window opens that somebody chose, if that is later.
    pub last_opening: Option<Timestamp>,
}

impl Plan {
    /// This one, and then another: its waves come after all of these.
    #[must_use]
    pub fn followed_by(mut self, next: Self, strategy: &Strategy) -> Self {
        let offset = u32::try_from(self.waves.len()).unwrap_or(u32::MAX);
        let moved = next.units.into_iter().map(|unit| PlannedUnit { wave: unit.wave.saturating_add(offset), ..unit });
        self.units.extend(moved);
        self.left.extend(next.left);
        self.waves.extend(next.waves);
        self.tolerated = strategy.tolerated_of(u32::try_from(self.units.len()).unwrap_or(u32::MAX));
        self.estimate = Estimate {
            work: self.estimate.work.saturating_add(next.estimate.work),
            last_opening: self.estimate.last_opening.max(next.estimate.last_opening),
        };
        self
    }
}

/// Puts the instances of a stage in order for a release.
///
/// Those come first that are asleep or in a quiet hour; those last that have an appointment, by its time. Among equals
/// the oldest comes first, so that the same question has the same answer.
pub fn plan(
    candidates: Vec<Candidate>,
    release: &Version,
    from: &UpgradesFrom,
    strategy: &Strategy,
    starts: Timestamp,
    pace: Pace,
) -> Plan {
    let earliest = starts.checked_add(strategy.notice()).unwrap_or(Timestamp::MAX);
    let (mut units, mut left) = (Vec::new(), Vec::new());
    for candidate in candidates {
        match why_left(&candidate, release, from, starts) {
            Some(why) => left.push((candidate.id, why)),
            None => {
                let opening = candidate.rules.opening(earliest).or_else(|| notice(earliest, starts));
                let Candidate { id, runs, rest, .. } = candidate;
                units.push(PlannedUnit { id, runs, rest, wave: 0, opening });
            }
        }
    }
    units.sort_by_key(|unit| (unit.opening.map(|open| open.opens.max(earliest)), unit.rest, unit.id));
    let number = u32::try_from(units.len()).unwrap_or(u32::MAX);
    let waves = strategy.wave_sizes(number);
    let mut of_wave = (0_u32..).zip(&waves).flat_map(|(wave, size)| std::iter::repeat_n(wave, *size as usize));
    for unit in &mut units {
        unit.wave = of_wave.next().unwrap_or(0);
    }
    let last_opening = units.iter().filter_map(|unit| unit.opening).map(|open| open.opens).max();
    let estimate = Estimate { work: work(strategy, &waves, pace), last_opening };
    Plan { units, left, tolerated: strategy.tolerated_of(number), waves, estimate }
}

fn why_left(candidate: &Candidate, release: &Version, from: &UpgradesFrom, now: Timestamp) -> Option<Left> {
    if candidate.runs.as_ref() == Some(release) {
        return Some(Left::RunsItAlready);
    }
    if let Some(pin) = candidate.rules.pinned(now) {
        return Some(Left::IsPinned(pin.clone()));
    }
    if candidate.is_suspended {
        return Some(Left::IsSuspended);
    }
    let follows = match (from, &candidate.runs) {
        (UpgradesFrom::Any, _) => true,
        (from @ UpgradesFrom::Only(_), Some(runs)) => from.allows(runs),
        (UpgradesFrom::Only(_), None) => false,
    };
    (!follows).then(|| Left::CannotFollow(candidate.runs.clone()))
}

fn notice(earliest: Timestamp, starts: Timestamp) -> Option<Opening> {
    (earliest > starts).then_some(Opening { opens: earliest, closes: Timestamp::MAX })
}

fn work(strategy: &Strategy, waves: &[u32], pace: Pace) -> SignedDuration {
    let times = |duration: SignedDuration, number: u32| {
        duration.checked_mul(i32::try_from(number).unwrap_or(i32::MAX)).unwrap_or(SignedDuration::MAX)
    };
    waves.iter().fold(SignedDuration::ZERO, |all, size| {
        let wave = match &strategy.at_once {
            AtOnce::One => times((pace.update.saturating_add(strategy.soak())).max(pace.between), *size),
            AtOnce::Waves { deploying, .. } => {
                let rounds = size.div_ceil(u32::from(deploying.get()));
                let deployed = times(pace.update, rounds).max(times(pace.between, *size));
                deployed.saturating_add(strategy.soak())
            }
        };
        all.saturating_add(wave)
    })
}
