use serde::{Deserialize, Serialize};

/// In which hours of the day (UTC) an instance is used: on how many of the days looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UseByHour(pub [u16; 24]);

impl UseByHour {
    /// Counts days by their used hours, as hours since 1970.
    pub fn of(hours: impl IntoIterator<Item = i64>) -> Self {
        let mut counts = [0_u16; 24];
        for hour in hours {
            let of_day = usize::try_from(hour.rem_euclid(24)).unwrap_or(0);
            if let Some(count) = counts.get_mut(of_day) {
                *count = count.saturating_add(1);
            }
        }
        Self(counts)
    }

    /// Whether it is used as little in this hour of the day as in any. One that was never used is always quiet.
    pub fn is_quiet(&self, hour_of_day: u8) -> bool {
        let least = self.0.iter().min();
        self.0.get(usize::from(hour_of_day)) == least
    }

    /// The first hour of the day in which it is used as little as in any, from an hour on.
    pub fn next_quiet(&self, from: u8) -> u8 {
        (0..24).map(|later| (from + later) % 24).find(|hour| self.is_quiet(*hour)).unwrap_or(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_hour_is_one_in_which_it_is_used_least() {
        // From nine to five, on three days.
        let worked = (0..3).flat_map(|day| (9..17).map(move |hour| day * 24 + hour));
        let used = UseByHour::of(worked);
        assert!(used.is_quiet(8) && used.is_quiet(17) && !used.is_quiet(9));
        assert_eq!((used.next_quiet(9), used.next_quiet(3)), (17, 3));
    }

    #[test]
    fn one_that_is_used_around_the_clock_is_quiet_when_it_is_used_least_and_an_unused_one_always() {
        let always = UseByHour::of((0..48).filter(|hour| *hour != 28));
        assert!(always.is_quiet(4) && !always.is_quiet(5));
        assert!((0..24).all(|hour| UseByHour::default().is_quiet(hour)));
    }
}
