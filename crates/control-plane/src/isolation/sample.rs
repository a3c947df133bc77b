//! Which instance is tried by which others.

/// Up to so many instances, every pair is tried in every round.
pub(crate) const WHOLE: usize = 100;

/// Pairs in a round of more than that, about.
const PAIRS: usize = WHOLE * (WHOLE - 1);

/// The pairs of one round. Instances sit in a circle; each is tried by those who sit at certain distances, and
/// the distances move on from turn to turn, so that every pair has its turn within [`Sample::turns_for_all`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    instances: usize,
    /// How many try each.
    each: usize,
    turn: u64,
}

impl Sample {
    pub(crate) fn of(instances: usize, turn: u64) -> Self {
        let others = instances.saturating_sub(1);
        let each = if instances <= WHOLE { others } else { (PAIRS / instances).clamp(1, others) };
        Self { instances, each, turn }
    }

    /// How many others try each instance.
    pub(crate) fn each(&self) -> usize {
        self.each
    }

    /// In how many turns in a row every pair comes up.
    pub(crate) fn turns_for_all(&self) -> u64 {
        let others = self.instances.saturating_sub(1);
        if self.each == 0 { 1 } else { others.div_ceil(self.each) as u64 }
    }

    /// Who tries the instance at a seat.
    pub(crate) fn neighbours_of(&self, seat: usize) -> impl Iterator<Item = usize> + use<> {
        let Self { instances, each, turn } = *self;
        let others = instances.saturating_sub(1).max(1);
        let past = usize::try_from(turn % others as u64).unwrap_or(0) * each;
        (0..each).map(move |place| (seat + 1 + (past + place) % others) % instances)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_pair_has_its_turn_and_nobody_tries_themselves(instances in 0_usize..260, first in 0_u64..1_000) {
            let turns = Sample::of(instances, first).turns_for_all();
            let mut tried = BTreeSet::new();
            for turn in first..first + turns {
                let sample = Sample::of(instances, turn);
                for seat in 0..instances {
                    let neighbours: Vec<usize> = sample.neighbours_of(seat).collect();
                    prop_assert_eq!(neighbours.iter().collect::<BTreeSet<_>>().len(), sample.each());
                    prop_assert!(neighbours.iter().all(|other| *other != seat && *other < instances));
                    tried.extend(neighbours.into_iter().map(|other| (other, seat)));
                }
            }
            prop_assert_eq!(tried.len(), instances * instances.saturating_sub(1));
        }

        #[test]
        fn a_round_is_whole_up_to_a_hundred_and_bounded_beyond(instances in 0_usize..200_000) {
            let sample = Sample::of(instances, 7);
            let whole = instances.saturating_sub(1);
            prop_assert_eq!(sample.each() == whole, instances <= WHOLE || whole == sample.each());
            prop_assert!(sample.each() * instances <= PAIRS.max(instances));
            prop_assert_eq!(sample.turns_for_all() == 1, sample.each() == whole);
        }
    }
}
