//! What verdicts add up to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::trial::Power;
use super::verdict::{Reason, Verdict, Wall};

/// How many trials ended how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub refused_by_edge: u64,
    pub refused_by_guard: u64,
    pub admitted: u64,
    pub not_tried: BTreeMap<Reason, u64>,
    /// Of those that the guard refused, the ones of a neighbour whose identity was seen to be good at home.
    pub neighbours_at_guard: u64,
}

/// What a round says of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It waits for its turn.
    Waiting,
    /// All that was tried was refused.
    Proven,
    /// Nothing can be said.
    NotProven,
    /// Somebody got in.
    Breached,
}

impl Tally {
    pub(crate) fn count(&mut self, verdict: Verdict, is_neighbours: bool) {
        match verdict {
            Verdict::Refused(wall) => match wall {
                Wall::Edge => self.refused_by_edge += 1,
                Wall::Guard => {
                    self.refused_by_guard += 1;
                    self.neighbours_at_guard += u64::from(is_neighbours);
                }
            },
            Verdict::Admitted { .. } => self.admitted += 1,
            Verdict::NotTried(reason) => self.leave_out(reason, 1),
        }
    }

    /// Counts so many as not tried.
    pub(crate) fn leave_out(&mut self, reason: Reason, number: u64) {
        if number > 0 {
            *self.not_tried.entry(reason).or_default() += number;
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.refused_by_edge += other.refused_by_edge;
        self.refused_by_guard += other.refused_by_guard;
        self.admitted += other.admitted;
        self.neighbours_at_guard += other.neighbours_at_guard;
        for (reason, number) in &other.not_tried {
            self.leave_out(*reason, *number);
        }
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused_by_edge + self.refused_by_guard
    }

    /// Those that were really made.
    pub(crate) fn attempts(&self) -> u64 {
        self.refused() + self.admitted
    }

    pub(crate) fn left_out(&self) -> u64 {
        self.not_tried.values().sum()
    }

    /// What it says of an instance that has neighbours, or none. It is the guard that has to refuse: an edge does so
    /// for all of them, and can be gone round.
    pub(crate) fn standing(&self, power: Power, has_neighbours: bool) -> Standing {
        let neighbours_matter = power == Power::Identities && has_neighbours;
        if self.admitted > 0 {
            Standing::Breached
        } else if self.refused_by_guard == 0 || (neighbours_matter && self.neighbours_at_guard == 0) {
            Standing::NotProven
        } else {
            Standing::Proven
        }
    }
}

impl Standing {
    /// The stored word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Proven => "proven",
            Self::NotProven => "not-proven",
            Self::Breached => "breached",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Waiting, Self::Proven, Self::NotProven, Self::Breached].into_iter().find(|one| one.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn verdicts() -> impl Strategy<Value = Verdict> {
        prop_oneof![
            Just(Verdict::Refused(Wall::Edge)),
            Just(Verdict::Refused(Wall::Guard)),
            Just(Verdict::Admitted { status: 200 }),
            Just(Verdict::NotTried(Reason::Asleep)),
            Just(Verdict::NotTried(Reason::Unreachable)),
        ]
    }

    proptest! {
        #[test]
        fn the_counts_add_up_however_they_are_put_together(
            trials in prop::collection::vec((verdicts(), any::<bool>()), 0..60),
            cut in 0_usize..60,
        ) {
            let tally = |trials: &[(Verdict, bool)]| {
                let mut tally = Tally::default();
                trials.iter().for_each(|(verdict, is_neighbours)| tally.count(*verdict, *is_neighbours));
                tally
            };
            let whole = tally(&trials);
            prop_assert_eq!(whole.attempts() + whole.left_out(), trials.len() as u64);
            let (head, tail) = trials.split_at(cut.min(trials.len()));
            let mut parts = tally(head);
            parts.add(&tally(tail));
            prop_assert_eq!(&parts, &whole);
            let stored: Tally = serde_json::from_str(&serde_json::to_string(&whole).unwrap()).unwrap();
            prop_assert_eq!(&stored, &whole);
            let breached = trials.iter().any(|(verdict, _)| matches!(verdict, Verdict::Admitted { .. }));
            for power in [Power::Identities, Power::Forgeries] {
                prop_assert_eq!(whole.standing(power, true) == Standing::Breached, breached);
            }
        }
    }

    #[test]
    fn what_only_strangers_were_refused_proves_nothing_between_neighbours() {
        let mut tally = Tally::default();
        assert_eq!(tally.standing(Power::Identities, false), Standing::NotProven, "nothing was tried");
        tally.count(Verdict::Refused(Wall::Guard), false);
        assert_eq!(tally.standing(Power::Identities, false), Standing::Proven, "there is nobody else");
        assert_eq!(tally.standing(Power::Identities, true), Standing::NotProven);
        assert_eq!(tally.standing(Power::Forgeries, true), Standing::Proven, "as far as that goes");
        tally.count(Verdict::Refused(Wall::Edge), true);
        assert_eq!(tally.standing(Power::Identities, true), Standing::NotProven, "an edge can be gone round");
        tally.count(Verdict::Refused(Wall::Guard), true);
        assert_eq!(tally.standing(Power::Identities, true), Standing::Proven);
    }
}
