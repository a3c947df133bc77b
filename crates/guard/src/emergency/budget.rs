//! How many guesses are looked at. Every attempt costs, whoever makes it and whatever it claims,
//! before anything of it is compared; only a right one is free.
//!
//! Each bucket is one moment: the one at which it will be full again.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

/// Half of what all have together, so that nobody uses that up alone.
const EACH: Rate = Rate { burst: 6, period: Duration::from_secs(60) };
/// At most one hash in ten seconds in the long run, some 8,700 guesses a day.
const ALL: Rate = Rate { burst: 12, period: Duration::from_secs(10) };

/// So many at once, then one in each period.
struct Rate {
    burst: u32,
    period: Duration,
}

/// What may still be tried.
#[derive(Debug, Default)]
pub(super) struct Budgets {
    all: Option<Instant>,
    /// Only those that are not full: as few as `ALL` lets through while one fills up.
    each: HashMap<IpAddr, Instant>,
}

impl Budgets {
    /// Takes one attempt from the source and from all.
    ///
    /// # Errors
    /// How long to wait, when either has none left; then nothing is taken.
    pub(super) fn take(&mut self, source: IpAddr, now: Instant) -> Result<(), Duration> {
        self.each.retain(|_, full| *full > now);
        let source = bucket(source);
        let each = EACH.after_one(self.each.get(&source).copied(), now)?;
        let all = ALL.after_one(self.all, now)?;
        self.each.insert(source, each);
        self.all = Some(all);
        Ok(())
    }

    /// Gives back what [`Self::take`] took.
    pub(super) fn give_back(&mut self, source: IpAddr) {
        if let Some(full) = self.each.get_mut(&bucket(source)) {
            *full = full.checked_sub(EACH.period).unwrap_or(*full);
        }
        self.all = self.all.and_then(|full| full.checked_sub(ALL.period));
    }
}

impl Rate {
    /// When the bucket is full again after one more is taken from it.
    fn after_one(&self, full: Option<Instant>, now: Instant) -> Result<Instant, Duration> {
        let full = full.map_or(now, |full| full.max(now)) + self.period;
        let short = full.duration_since(now).saturating_sub(self.period * self.burst);
        if short.is_zero() { Ok(full) } else { Err(short) }
    }
}

/// Whoever has one IPv6 address has 2^64 of them.
fn bucket(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (!0 << 64)).into()),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn source(number: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, number])
    }

    #[test]
    fn one_source_has_six_guesses_and_then_one_a_minute() {
        let (mut budgets, start) = (Budgets::default(), Instant::now());
        for _ in 0..6 {
            budgets.take(source(1), start).unwrap();
        }
        assert_eq!(budgets.take(source(1), start), Err(60 * SECOND));
        assert_eq!(budgets.take(source(1), start + 59 * SECOND), Err(SECOND));
        budgets.take(source(1), start + 60 * SECOND).unwrap();
        assert!(budgets.take(source(1), start + 60 * SECOND).is_err());
    }

    #[test]
    fn one_source_leaves_something_to_others_and_all_together_have_twelve() {
        let (mut budgets, start) = (Budgets::default(), Instant::now());
        let tried =
            |budgets: &mut Budgets, number| (0..100).filter(|_| budgets.take(source(number), start).is_ok()).count();
        assert_eq!(tried(&mut budgets, 1), 6);
        assert_eq!(tried(&mut budgets, 2), 6);
        assert_eq!(tried(&mut budgets, 3), 0);
        assert_eq!(budgets.take(source(3), start), Err(10 * SECOND));
        budgets.take(source(3), start + 10 * SECOND).unwrap();
    }

    #[test]
    fn what_was_right_costs_nothing() {
        let (mut budgets, start) = (Budgets::default(), Instant::now());
        for _ in 0..1_000 {
            budgets.take(source(1), start).unwrap();
            budgets.give_back(source(1));
        }
        budgets.take(source(2), start + SECOND).unwrap();
        assert_eq!(budgets.each.len(), 1, "a full bucket is forgotten");
    }

    #[test]
    fn a_network_of_ipv6_is_one_source_and_a_mapped_address_is_what_it_maps() {
        for (one, other, same) in [
            ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8:0:1::1", "2001:db8::1", false),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
        ] {
            let (one, other) = (bucket(one.parse().unwrap()), bucket(other.parse().unwrap()));
            assert_eq!(one == other, same, "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn whoever_tries_whenever_no_more_get_through(attempts in vec((0_u8..40, 0_u64..20_000, any::<bool>()), 1..400)) {
            let (mut budgets, start) = (Budgets::default(), Instant::now());
            let (mut now, mut all, mut each) = (start, 0_u32, HashMap::<u8, u32>::new());
            for (number, pause, right) in attempts {
                now += Duration::from_millis(pause);
                if budgets.take(source(number), now).is_ok() {
                    if right {
                        budgets.give_back(source(number));
                    } else {
                        all += 1;
                        *each.entry(number).or_default() += 1;
                    }
                }
                let passed = now.duration_since(start).as_secs_f64();
                prop_assert!(f64::from(all) <= 12.0 + passed / 10.0);
                prop_assert!(each.values().all(|tried| f64::from(*tried) <= 6.0 + passed / 60.0));
                prop_assert!(budgets.each.len() <= 12 + 6 * 6, "{}", budgets.each.len());
            }
        }
    }
}
