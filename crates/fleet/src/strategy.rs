use std::num::NonZeroU16;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How a rollout goes through its instances. Left as it is: one by one, stopping at the first failure.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Strategy {
    /// How many at once.
    pub at_once: AtOnce,
    /// For how long each is watched after it was found well, in minutes, before it counts as updated.
    pub soak_minutes: u32,
    /// How many may fail before the rollout halts.
    pub tolerated: Tolerated,
    /// How long before the first one customers are told, in hours.
    pub notice_hours: u32,
    /// Whether instances are updated without a backup: what fails then goes back to its former release, and keeps its
    /// data as it is. For compute providers that can't make backups.
    pub without_backup: bool,
}

/// How many are worked on at a time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtOnce {
    /// One by one: the next begins when the one before has been watched to the end.
    #[default]
    One,
    /// In waves. One wave is over before the next begins; within it, so many are deployed at a time, and all that are
    /// deployed are watched together.
    Waves {
        /// How many of a hundred instances each wave has. What they leave is the last one.
        percents: Vec<u8>,
        /// So many are deployed at a time.
        deploying: NonZeroU16,
    },
}

/// How many failures do not halt a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tolerated {
    /// So many.
    Failures(u32),
    /// So many of a hundred that are planned, rounded down.
    Percent(u8),
}

impl Default for Tolerated {
    fn default() -> Self {
        Self::Failures(0)
    }
}

/// A strategy that can't be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StrategyError {
    /// The waves are more than everybody.
    #[error("the waves add up to {0} per cent; make it 100 at most: the rest is a wave by itself")]
    MoreThanAll(u32),
    /// A wave of nobody.
    #[error("a wave of 0 per cent reaches nobody; leave it out")]
    EmptyWave,
    /// Nobody would wait for it.
    #[error("a soak of {0} minutes is longer than a week; make it 10080 at most")]
    LongSoak(u32),
    /// Nobody would remember.
    #[error("a notice of {0} hours is longer than a month; make it 720 at most")]
    LongNotice(u32),
    /// More failures than instances.
    #[error("{0} per cent of failures are more than all; make it 100 at most")]
    AllFail(u8),
}

const LONGEST_SOAK: u32 = 7 * 24 * 60;
const LONGEST_NOTICE: u32 = 30 * 24;

impl Strategy {
    /// Whether it can be meant.
    ///
    /// # Errors
    /// [`StrategyError`] names what can't.
    pub fn check(&self) -> Result<(), StrategyError> {
        if let AtOnce::Waves { percents, .. } = &self.at_once {
            let sum = percents.iter().map(|percent| u32::from(*percent)).sum();
            if percents.contains(&0) {
                return Err(StrategyError::EmptyWave);
            }
            if sum > 100 {
                return Err(StrategyError::MoreThanAll(sum));
            }
        }
        if self.soak_minutes > LONGEST_SOAK {
            return Err(StrategyError::LongSoak(self.soak_minutes));
        }
        if self.notice_hours > LONGEST_NOTICE {
            return Err(StrategyError::LongNotice(self.notice_hours));
        }
        match self.tolerated {
            Tolerated::Percent(percent) if percent > 100 => Err(StrategyError::AllFail(percent)),
            Tolerated::Percent(_) | Tolerated::Failures(_) => Ok(()),
        }
    }

    /// For how long each is watched.
    pub fn soak(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.soak_minutes))
    }

    /// How long before the first one customers are told.
    pub fn notice(&self) -> SignedDuration {
        SignedDuration::from_hours(i64::from(self.notice_hours))
    }

    /// How many failures do not halt a rollout of so many.
    pub fn tolerated_of(&self, units: u32) -> u32 {
        match self.tolerated {
            Tolerated::Failures(number) => number,
            Tolerated::Percent(percent) => {
                u32::try_from(u64::from(units) * u64::from(percent) / 100).unwrap_or(u32::MAX)
            }
        }
    }

    /// How many of so many units each wave has. No wave is empty, and together they are all. One by one, all are in one.
    pub fn wave_sizes(&self, units: u32) -> Vec<u32> {
        let percents = match &self.at_once {
            AtOnce::One => &[],
            AtOnce::Waves { percents, .. } => percents.as_slice(),
        };
        let (mut sizes, mut reached, mut percent) = (Vec::new(), 0_u32, 0_u64);
        for next in percents.iter().map(|next| u64::from(*next)).chain([100]) {
            percent = (percent + next).min(100);
            let until = u32::try_from((u64::from(units) * percent).div_ceil(100)).unwrap_or(units);
            if until > reached {
                sizes.push(until - reached);
                reached = until;
            }
        }
        sizes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn waves(percents: &[u8]) -> Strategy {
        let deploying = NonZeroU16::new(10).unwrap();
        Strategy { at_once: AtOnce::Waves { percents: percents.to_vec(), deploying }, ..Strategy::default() }
    }

    #[test]
    fn waves_have_the_shares_that_were_named_and_the_rest_is_the_last() {
        assert_eq!(waves(&[1, 10, 20, 30]).wave_sizes(1000), [10, 100, 200, 300, 390]);
        assert_eq!(waves(&[1, 10, 20, 30]).wave_sizes(3), [1, 1, 1]);
        assert_eq!(waves(&[]).wave_sizes(7), [7]);
        assert_eq!(waves(&[100]).wave_sizes(7), [7]);
        assert_eq!(Strategy::default().wave_sizes(3), [3]);
        assert!(waves(&[1]).wave_sizes(0).is_empty());
    }

    #[test]
    fn a_strategy_that_cannot_be_meant_is_refused() {
        assert_eq!(waves(&[60, 50]).check(), Err(StrategyError::MoreThanAll(110)));
        assert_eq!(waves(&[10, 0]).check(), Err(StrategyError::EmptyWave));
        let long = Strategy { soak_minutes: 10_081, ..Strategy::default() };
        assert_eq!(long.check(), Err(StrategyError::LongSoak(10_081)));
        let early = Strategy { notice_hours: 721, ..Strategy::default() };
        assert_eq!(early.check(), Err(StrategyError::LongNotice(721)));
        let careless = Strategy { tolerated: Tolerated::Percent(101), ..Strategy::default() };
        assert_eq!(careless.check(), Err(StrategyError::AllFail(101)));
        assert_eq!(Strategy::default().check(), Ok(()));
        assert!(serde_json::from_str::<Strategy>(r#"{"soak": 5}"#).is_err(), "a misspelt wish is not ignored");
    }

    #[test]
    fn what_is_tolerated_is_a_number_or_a_share_rounded_down() {
        let share = Strategy { tolerated: Tolerated::Percent(2), ..Strategy::default() };
        assert_eq!((share.tolerated_of(49), share.tolerated_of(50), share.tolerated_of(1000)), (0, 1, 20));
        assert_eq!(Strategy::default().tolerated_of(1000), 0);
    }

    proptest! {
        #[test]
        fn waves_are_never_empty_and_together_all(percents in prop::collection::vec(1_u8..=40, 0..8), units in 0_u32..20_000) {
            let sizes = waves(&percents).wave_sizes(units);
            prop_assert_eq!(sizes.iter().sum::<u32>(), units);
            prop_assert!(!sizes.contains(&0));
        }
    }
}
