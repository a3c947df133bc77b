use jiff::Timestamp;

use crate::inventory::Role;

/// A limit of a provider's, as it was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ceiling {
    pub role: Role,
    pub provider: String,
    /// `records in the zone`, …
    pub name: String,
    pub used: u64,
    pub limit: u64,
    /// How much one more instance takes.
    pub per_instance: u64,
    pub advice: String,
    /// When what is used comes back by itself.
    pub renews_at: Option<Timestamp>,
    pub observed_at: Timestamp,
}

impl Ceiling {
    /// Whether one more instance fits beside what was used when it was looked, and beside those that
    /// were begun since, which may not have been counted yet.
    ///
    /// What renews itself turns nobody away: whoever needs it waits.
    pub(crate) fn has_room_after(&self, begun: u64) -> bool {
        if self.renews_at.is_some() || self.per_instance == 0 {
            return true;
        }
        let wanted = begun.saturating_add(1).saturating_mul(self.per_instance);
        self.used.saturating_add(wanted) <= self.limit
    }

    /// Whether four fifths of it are used.
    pub(crate) fn is_near(&self) -> bool {
        u128::from(self.used) * 5 >= u128::from(self.limit) * 4
    }

    /// What an operator is told of it.
    pub(crate) fn in_words(&self) -> String {
        let Self { provider, name, used, limit, advice, .. } = self;
        format!("{provider}: {used} of {limit} {name} are used. What to do: {advice}.")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ceiling(used: u64, limit: u64, per_instance: u64) -> Ceiling {
        Ceiling {
            role: Role::Edge,
            provider: "cloudflare".to_owned(),
            name: "records in the zone".to_owned(),
            used,
            limit,
            per_instance,
            advice: "take a larger plan".to_owned(),
            renews_at: None,
            observed_at: Timestamp::UNIX_EPOCH,
        }
    }

    proptest! {
        #[test]
        fn whoever_is_let_in_fits_below_the_ceiling(
            used in 0..2_000_u64, limit in 0..2_000_u64, per in 1..5_u64, begun in 0..500_u64,
        ) {
            let fits = ceiling(used, limit, per).has_room_after(begun);
            prop_assert_eq!(fits, used + (begun + 1) * per <= limit);
            // Who comes later never has more room.
            prop_assert!(fits || !ceiling(used, limit, per).has_room_after(begun + 1));
        }

        #[test]
        fn as_many_are_let_in_as_fit_and_no_more(used in 0..50_u64, limit in 0..200_u64, per in 1..5_u64) {
            let ceiling = ceiling(used, limit, per);
            let admitted = (0..).take_while(|begun| ceiling.has_room_after(*begun)).count() as u64;
            prop_assert_eq!(admitted, limit.saturating_sub(used) / per);
        }

        #[test]
        fn no_number_is_too_large(used: u64, limit: u64, per: u64, begun: u64) {
            let mut ceiling = ceiling(used, limit, per);
            let fits = ceiling.has_room_after(begun);
            let wanted = u128::from(used) + (u128::from(begun) + 1) * u128::from(per);
            if limit < u64::MAX {
                prop_assert_eq!(fits, per == 0 || wanted <= u128::from(limit));
            }
            let _ = ceiling.is_near();
            ceiling.renews_at = Some(Timestamp::UNIX_EPOCH);
            prop_assert!(ceiling.has_room_after(begun));
        }
    }

    #[test]
    fn four_fifths_are_near() {
        assert!(!ceiling(79, 100, 1).is_near());
        assert!(ceiling(80, 100, 1).is_near() && ceiling(0, 0, 1).is_near());
    }
}
