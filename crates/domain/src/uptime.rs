use std::fmt;
use std::ops::Add;

use jiff::{SignedDuration, Timestamp};

use crate::Verdict;

/// A time in which an instance was in one way. Times that no span covers are unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// How it was.
    pub verdict: Verdict,
    /// From when on.
    pub began: Timestamp,
    /// Until when; not over yet when there is none.
    pub ended: Option<Timestamp>,
}

/// How a window of time was spent. Only what was seen to answer, and what was seen not to, says how available an
/// instance was; sleep, deliberate pauses and what nobody saw stand apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Uptime {
    /// Answering.
    pub up: SignedDuration,
    /// Not answering, unreachable or being started again.
    pub down: SignedDuration,
    /// Asleep until somebody came.
    pub asleep: SignedDuration,
    /// Closed on purpose.
    pub paused: SignedDuration,
    /// Nobody can say.
    pub unknown: SignedDuration,
}

/// A part of the whole, in thousandths of a per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    /// What is aimed at: 99.5 %.
    pub const TARGET: Self = Self(99_500);

    /// In thousandths of a per cent: at most 100,000.
    pub const fn thousandths(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Share {
    /// `99.95 %`, cut off and never rounded up: what was down for a second was not up all the time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 1000, self.0 % 1000 / 10) {
            (100, _) => f.write_str("100 %"),
            (whole, part) => write!(f, "{whole}.{part:02} %"),
        }
    }
}

impl Uptime {
    /// How the time from one moment to another was spent. Of spans that overlap, the one that began later counts.
    pub fn over(from: Timestamp, until: Timestamp, spans: &[Span]) -> Self {
        let mut sum = Self::default();
        if until <= from {
            return sum;
        }
        let mut spans = spans.to_vec();
        spans.sort_by_key(|span| span.began);
        let mut known_until = from;
        for (place, span) in spans.iter().enumerate() {
            let next = spans.get(place + 1).map_or(until, |next| next.began);
            let (began, ended) = (span.began.max(known_until), span.ended.unwrap_or(until).min(next).min(until));
            if ended <= began {
                continue;
            }
            sum.unknown += began.duration_since(known_until);
            *sum.part(span.verdict) += ended.duration_since(began);
            known_until = ended;
        }
        sum.unknown += until.duration_since(known_until);
        sum
    }

    /// The part that it answered of the time in which it should have; none where nothing was seen of such time.
    pub fn share(&self) -> Option<Share> {
        let (up, all) = (self.up.as_millis(), (self.up + self.down).as_millis());
        let thousandths = (up.max(0) * 100_000).checked_div(all)?;
        Some(Share(u32::try_from(thousandths.min(100_000)).unwrap_or(0)))
    }

    /// Where time of this kind is added up.
    fn part(&mut self, verdict: Verdict) -> &mut SignedDuration {
        match verdict {
            Verdict::Up => &mut self.up,
            Verdict::Down | Verdict::Unreachable | Verdict::Starting => &mut self.down,
            Verdict::Asleep => &mut self.asleep,
            Verdict::Suspended => &mut self.paused,
            Verdict::Unknown => &mut self.unknown,
        }
    }
}

impl Add for Uptime {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            up: self.up.saturating_add(other.up),
            down: self.down.saturating_add(other.down),
            asleep: self.asleep.saturating_add(other.asleep),
            paused: self.paused.saturating_add(other.paused),
            unknown: self.unknown.saturating_add(other.unknown),
        }
    }
}
