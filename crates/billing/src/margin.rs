//! What is left of a customer's revenue after what serving the customer costs.

use domain::{Cents, Micros};

use crate::arithmetic::OutOfRange;

/// Revenue and costs of one customer, or of all, in a month. What is not known makes whatever rests on it unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Margin {
    /// Without taxes, less what was credited, given back and written off.
    pub revenue: Option<Cents>,
    /// Of all kinds together.
    pub costs: Option<Micros>,
}

impl Margin {
    /// The sum of costs of several kinds; not known unless each is.
    ///
    /// # Errors
    /// When it is more than money can be.
    pub fn total(costs: &[Option<Micros>]) -> Result<Option<Micros>, OutOfRange> {
        let Some(known) = costs.iter().copied().collect::<Option<Vec<_>>>() else { return Ok(None) };
        known.into_iter().try_fold(Micros::ZERO, Micros::checked_add).map(Some).ok_or(OutOfRange)
    }

    /// Revenue less costs.
    ///
    /// # Errors
    /// When it is more than money can be.
    pub fn profit(&self) -> Result<Option<Micros>, OutOfRange> {
        let (Some(revenue), Some(costs)) = (self.revenue, self.costs) else { return Ok(None) };
        let revenue = Micros::of(revenue).ok_or(OutOfRange)?;
        revenue.checked_sub(costs).map(Some).ok_or(OutOfRange)
    }

    /// The profit in tenths of a percent of the revenue, rounded down, so that what misses a target by a hair does not
    /// seem to reach it. Nothing without revenue.
    ///
    /// # Errors
    /// When it is more than money can be.
    pub fn permille(&self) -> Result<Option<i64>, OutOfRange> {
        let Some(revenue) = self.revenue.filter(|revenue| *revenue > Cents::ZERO) else { return Ok(None) };
        let Some(profit) = self.profit()? else { return Ok(None) };
        let revenue = i128::from(Micros::of(revenue).ok_or(OutOfRange)?.get());
        let permille = (i128::from(profit.get()) * 1_000).div_euclid(revenue);
        i64::try_from(permille).map(Some).map_err(|_| OutOfRange)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn margin(cents: i64, micros: i64) -> Margin {
        Margin { revenue: Some(Cents::new(cents)), costs: Some(Micros::new(micros)) }
    }

    #[test]
    fn a_target_that_is_missed_by_a_hair_is_missed() {
        assert_eq!(margin(1_000, 2_000_000).permille(), Ok(Some(800)));
        assert_eq!(margin(1_000, 2_000_001).permille(), Ok(Some(799)));
        assert_eq!(margin(1_000, 15_000_000).permille(), Ok(Some(-500)));
    }

    #[test]
    fn nothing_is_known_of_what_rests_on_something_unknown() {
        let unknown = Margin { revenue: Some(Cents::new(500)), costs: None };
        assert_eq!((unknown.profit(), unknown.permille()), (Ok(None), Ok(None)));
        let open = Margin { revenue: None, costs: Some(Micros::ZERO) };
        assert_eq!((open.profit(), open.permille()), (Ok(None), Ok(None)));
        assert_eq!(Margin::total(&[Some(Micros::new(1)), None]), Ok(None));
        assert_eq!(Margin::total(&[]), Ok(Some(Micros::ZERO)));
        // Costs without revenue are a loss, of which no percentage says anything.
        assert_eq!(margin(0, 7).profit(), Ok(Some(Micros::new(-7))));
        assert_eq!(margin(0, 7).permille(), Ok(None));
    }

    proptest! {
        #[test]
        fn the_sum_of_the_parts_is_the_whole(
            parts in prop::collection::vec((0..10_000_000_i64, 0..10_000_000_000_i64), 1..40),
        ) {
            let profits = parts.iter().map(|(cents, micros)| margin(*cents, *micros).profit().unwrap().unwrap().get());
            let each: i64 = profits.sum();
            let whole = margin(parts.iter().map(|it| it.0).sum(), parts.iter().map(|it| it.1).sum());
            prop_assert_eq!(whole.profit().unwrap().unwrap().get(), each);
        }
    }
}
