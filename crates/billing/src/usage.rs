use domain::{Signal, UsageHour, UsageHours};
use serde::{Deserialize, Serialize};

use crate::hours::HourSet;

/// Who says that an instance was used in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The reverse proxy in front of the application.
    Guard,
    /// The application itself.
    Application,
    /// Where the instance runs.
    Compute,
    /// What people sign in at.
    Edge,
}

/// What the word of a source is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It says whether an hour was used: its hours are billed.
    Evidence,
    /// It says something beside that, to compare evidence with. It never bills an hour.
    CrossCheck,
}

/// A stored or received word that names no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a source of usage")]
pub struct UnknownSource(pub String);

impl Source {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Guard, Self::Application, Self::Compute, Self::Edge];

    /// The word that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Application => "application",
            Self::Compute => "compute",
            Self::Edge => "edge",
        }
    }

    /// Reads the stored word.
    ///
    /// # Errors
    /// [`UnknownSource`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownSource> {
        Self::ALL.into_iter().find(|source| source.as_str() == word).ok_or_else(|| UnknownSource(word.to_owned()))
    }

    /// What its word is good for.
    pub const fn standing(self) -> Standing {
        match self {
            Self::Guard | Self::Application => Standing::Evidence,
            Self::Compute | Self::Edge => Standing::CrossCheck,
        }
    }

    /// The signals of the plan that it reports.
    pub const fn signals(self) -> &'static [Signal] {
        match self {
            Self::Guard => &[Signal::Member, Signal::ApiCall, Signal::AppRunning],
            Self::Application => &[Signal::Sprint, Signal::AppRunning],
            Self::Compute | Self::Edge => &[],
        }
    }

    /// What it can see, in words.
    pub const fn sees(self) -> &'static str {
        match self {
            Self::Guard => "every request and message, by whom, and whether the generated app takes connections",
            Self::Application => "work that no request shows, such as a sprint that runs through the night",
            Self::Compute => "whether the instance was up",
            Self::Edge => "who signed in, and when",
        }
    }

    /// What it can't see, in words.
    pub const fn misses(self) -> &'static str {
        match self {
            Self::Guard => "work that goes on inside the application after the request for it was answered",
            Self::Application => "whether a person is at work, beyond what the application says of itself",
            Self::Compute => "whether anybody used it: what is up may be idle",
            Self::Edge => "what was done after signing in, and use by whoever was signed in already",
        }
    }
}

/// All that was ever reported of one instance, and what was waived of it. It only grows, by union: merging is
/// idempotent, commutative and associative, so nothing depends on when, how often or by whom an hour was reported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Usage {
    guard: HourSet,
    application: HourSet,
    compute: HourSet,
    edge: HourSet,
    // As decided; it may name hours of which no evidence has come yet, or ever will.
    waived: HourSet,
}

impl Usage {
    /// Nothing reported, nothing waived.
    pub fn none() -> Self {
        Self::default()
    }

    /// Takes in that a source saw use in an hour.
    pub fn mark(&mut self, source: Source, hour: UsageHour) {
        self.of_mut(source).insert(hour);
    }

    /// Takes in a source's report of a month.
    pub fn report(&mut self, source: Source, hours: &UsageHours) {
        self.of_mut(source).add_month(hours);
    }

    /// Decides that an hour is not to be paid for, now and for ever, whatever is reported of it.
    pub fn waive(&mut self, hour: UsageHour) {
        self.waived.insert(hour);
    }

    /// Takes in everything that another record has.
    pub fn merge(&mut self, other: &Self) {
        Source::ALL.into_iter().for_each(|source| self.of_mut(source).union(other.of(source)));
        self.waived.union(&other.waived);
    }

    /// What one source reported.
    pub const fn of(&self, source: Source) -> &HourSet {
        match source {
            Source::Guard => &self.guard,
            Source::Application => &self.application,
            Source::Compute => &self.compute,
            Source::Edge => &self.edge,
        }
    }

    /// The hours of which there is evidence.
    pub fn used(&self) -> HourSet {
        let mut used = HourSet::none();
        for source in Source::ALL.into_iter().filter(|source| source.standing() == Standing::Evidence) {
            used.union(self.of(source));
        }
        used
    }

    /// The hours used that are not to be paid for.
    pub fn waived(&self) -> HourSet {
        self.used().intersection(&self.waived)
    }

    /// The hours used that are to be paid for.
    pub fn billable(&self) -> HourSet {
        self.used().difference(&self.waived)
    }

    /// Billable hours in which the instance was not up, says its compute provider: somebody should look at them before
    /// the bill goes out. Of months of which it reported nothing it is taken to know nothing.
    pub fn doubtful(&self) -> HourSet {
        let billable = self.billable();
        let known = billable.months().filter(|hours| self.compute.months().any(|up| up.month() == hours.month()));
        HourSet::from(known.cloned().collect::<Vec<_>>()).difference(&self.compute)
    }

    const fn of_mut(&mut self, source: Source) -> &mut HourSet {
        match source {
            Source::Guard => &mut self.guard,
            Source::Application => &mut self.application,
            Source::Compute => &mut self.compute,
            Source::Edge => &mut self.edge,
        }
    }
}
