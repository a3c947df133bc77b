use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::InstanceState;

/// Looks through the hostname that have to fail in a row before an instance counts as not answering: one may be the
/// network's own.
const MISSES_THAT_COUNT: u32 = 2;

/// Who saw something of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Our own prober, through the public hostname, as its customer sees it.
    Prober,
    /// The provider that runs it.
    Provider,
    /// Its guard, by what it reports.
    Guard,
}

/// What the prober met behind the public hostname.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// Guard and application answered.
    Answer,
    /// The guard answered that its application does not.
    Unwell,
    /// Nobody answered for the instance.
    Nothing,
}

/// What the prober knows: its last look, and what the looks before it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// What it met last.
    pub met: Met,
    /// When.
    pub at: Timestamp,
    /// How many looks in a row met no answer.
    pub misses: u32,
    /// When it was answered last.
    pub answered_at: Option<Timestamp>,
}

/// How the provider says that an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It runs.
    Running,
    /// It is being started.
    Starting,
    /// It should run and does not.
    Down,
    /// It rests until somebody comes.
    Asleep,
    /// The provider could not tell.
    Unknown,
}

/// The provider's view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// What it was.
    pub seen: Seen,
    /// When.
    pub at: Timestamp,
}

/// Everything that was seen of an instance, the latest of each source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Views {
    /// The prober's.
    pub probe: Option<Probe>,
    /// The provider's.
    pub look: Option<Look>,
    /// When its guard was last heard of.
    pub heard: Option<Timestamp>,
}

/// How old a view may be and still say something of the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// A look of the prober.
    pub probe: SignedDuration,
    /// A look of the provider.
    pub look: SignedDuration,
    /// A report of the guard.
    pub heard: SignedDuration,
}

/// What an instance is there for at the moment, by what was decided and not by what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It is being made.
    Making,
    /// Its members shall reach it.
    Serving,
    /// It is closed on purpose.
    Resting,
}

/// How an instance is, from all that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Its members reach it.
    Up,
    /// It is being started.
    Starting,
    /// It rests until somebody comes; whoever does wakes it.
    Asleep,
    /// It does not run, or its application does not answer.
    Down,
    /// It is said to run, or nobody says that it does not, and its hostname does not answer. It is not gone.
    Unreachable,
    /// It is closed on purpose.
    Suspended,
    /// Nothing recent is known.
    Unknown,
}

/// A verdict and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Whose view decided it, and when that was; none where it was decided by nobody's view.
    pub by: Option<(Source, Timestamp)>,
}

/// A stored word that names no verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a verdict on an instance")]
pub struct UnknownVerdict(pub String);

/// A stored word that says nothing of what a prober meets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is nothing that a prober meets")]
pub struct UnknownMeeting(pub String);

impl Views {
    /// The verdict at a moment, or `None` for an instance that is not there to be judged. Views that are too old, and
    /// those from the future, say nothing.
    ///
    /// What a visitor meets counts for more than what the provider says of its processes. But a provider that has seen
    /// later that it stopped, rests or starts is believed, and so is a guard that reported later still.
    pub fn judge(&self, purpose: Purpose, now: Timestamp, freshness: &Freshness) -> Judgement {
        match purpose {
            Purpose::Making => return Judgement { verdict: Verdict::Starting, by: None },
            Purpose::Resting => return Judgement { verdict: Verdict::Suspended, by: None },
            Purpose::Serving => {}
        }
        let is_fresh = |at: Timestamp, most: SignedDuration| at <= now && now.duration_since(at) <= most;
        let probe = self.probe.filter(|probe| is_fresh(probe.at, freshness.probe));
        let look = self.look.filter(|look| is_fresh(look.at, freshness.look) && look.seen != Seen::Unknown);
        let heard = self.heard.filter(|at| is_fresh(*at, freshness.heard));
        let (verdict, by) = match (probe.and_then(|probe| conclusion(&probe, now, freshness)), look) {
            (Some((met, at)), look) => visited(met, at, look),
            (None, Some(look)) => (of_provider(look.seen), (Source::Provider, look.at)),
            (None, None) => match heard {
                Some(at) => return Judgement { verdict: Verdict::Up, by: Some((Source::Guard, at)) },
                None => return Judgement { verdict: Verdict::Unknown, by: None },
            },
        };
        // A guard that speaks runs. What a visitor meets is another matter.
        let (source, seen_at) = by;
        match heard {
            Some(at) if source == Source::Provider && verdict != Verdict::Up && at > seen_at => {
                Judgement { verdict: Verdict::Up, by: Some((Source::Guard, at)) }
            }
            _ => Judgement { verdict, by: Some(by) },
        }
    }
}

/// What the prober's looks come to; nothing while a single one has failed and no earlier one counts any more.
fn conclusion(probe: &Probe, now: Timestamp, freshness: &Freshness) -> Option<(Met, Timestamp)> {
    if probe.misses == 0 || probe.misses >= MISSES_THAT_COUNT {
        return Some((probe.met, probe.at));
    }
    let answered = probe.answered_at.filter(|at| *at <= now && now.duration_since(*at) <= freshness.probe)?;
    Some((Met::Answer, answered))
}

/// What somebody met who came through the hostname, beside what the provider says.
fn visited(met: Met, at: Timestamp, look: Option<Look>) -> (Verdict, (Source, Timestamp)) {
    let (by_visit, later) = ((Source::Prober, at), look.filter(|look| look.at > at));
    match (met, look.map(|look| look.seen)) {
        (Met::Answer, _) => match later {
            Some(Look { seen: seen @ (Seen::Down | Seen::Asleep | Seen::Starting), at }) => {
                (of_provider(seen), (Source::Provider, at))
            }
            _ => (Verdict::Up, by_visit),
        },
        (Met::Unwell | Met::Nothing, Some(seen @ (Seen::Starting | Seen::Down))) => {
            (of_provider(seen), (Source::Provider, look.map_or(at, |look| look.at)))
        }
        (Met::Unwell | Met::Nothing, Some(Seen::Asleep)) if later.is_some() => {
            (Verdict::Asleep, (Source::Provider, look.map_or(at, |look| look.at)))
        }
        (Met::Unwell, _) => (Verdict::Down, by_visit),
        (Met::Nothing, _) => (Verdict::Unreachable, by_visit),
    }
}

const fn of_provider(seen: Seen) -> Verdict {
    match seen {
        Seen::Running => Verdict::Up,
        Seen::Starting => Verdict::Starting,
        Seen::Down => Verdict::Down,
        Seen::Asleep => Verdict::Asleep,
        Seen::Unknown => Verdict::Unknown,
    }
}

impl Probe {
    /// What is known after one more look. One from before the last one changes nothing.
    #[must_use]
    pub fn after(before: Option<Self>, met: Met, at: Timestamp) -> Self {
        if let Some(before) = before
            && before.at > at
        {
            return before;
        }
        let misses = before.map_or(0, |before| before.misses);
        match met {
            Met::Answer => Self { met, at, misses: 0, answered_at: Some(at) },
            Met::Unwell | Met::Nothing => {
                Self { met, at, misses: misses.saturating_add(1), answered_at: before.and_then(|it| it.answered_at) }
            }
        }
    }
}

impl Purpose {
    /// What an instance is there for in this state; nothing once it is given up.
    pub const fn of(state: InstanceState) -> Option<Self> {
        match state {
            InstanceState::Requested | InstanceState::Provisioning => Some(Self::Making),
            InstanceState::Active => Some(Self::Serving),
            InstanceState::Suspended => Some(Self::Resting),
            InstanceState::Deleting | InstanceState::Deleted | InstanceState::Failed => None,
        }
    }
}

impl Met {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Answer, Self::Unwell, Self::Nothing];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Unwell => "unwell",
            Self::Nothing => "nothing",
        }
    }

    /// Reads the stored word.
    ///
    /// # Errors
    /// [`UnknownMeeting`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownMeeting> {
        Self::ALL.into_iter().find(|met| met.as_str() == word).ok_or_else(|| UnknownMeeting(word.to_owned()))
    }
}

impl Source {
    /// The word that is sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prober => "prober",
            Self::Provider => "provider",
            Self::Guard => "guard",
        }
    }
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Up, Self::Starting, Self::Asleep, Self::Down, Self::Unreachable, Self::Suspended, Self::Unknown];

    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Starting => "starting",
            Self::Asleep => "asleep",
            Self::Down => "down",
            Self::Unreachable => "unreachable",
            Self::Suspended => "suspended",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the stored word.
    ///
    /// # Errors
    /// [`UnknownVerdict`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownVerdict> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == word).ok_or_else(|| UnknownVerdict(word.to_owned()))
    }

    /// Whether somebody should look after it.
    pub const fn is_trouble(self) -> bool {
        matches!(self, Self::Down | Self::Unreachable)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
