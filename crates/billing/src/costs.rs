//! What running instances costs us, in millionths of the currency's unit.
//!
//! **Rounding** is stated once, here: each product of a quantity and a price is rounded to the nearest millionth, a half
//! away from zero, and never again. What is shared is cut so that the parts add up to the whole exactly.

use domain::Micros;

use crate::arithmetic::OutOfRange;

/// Providers count the minutes of a month of 30 days.
const MINUTES_OF_A_MONTH: i128 = 43_200;
/// Quantities are counted in millionths.
const MILLION: i128 = 1_000_000;

/// What a quantity costs that is measured in millionths of a unit held for a minute, at the price of a unit and month.
///
/// # Errors
/// When it is more than money can be.
pub fn cost_of_time(quantity: u64, month: Micros) -> Result<Micros, OutOfRange> {
    rounded(i128::from(quantity) * i128::from(month.get()), MINUTES_OF_A_MONTH * MILLION)
}

/// What a quantity costs that is measured in millionths of a unit, at the price of a unit.
///
/// # Errors
/// When it is more than money can be.
pub fn cost_of(quantity: u64, unit: Micros) -> Result<Micros, OutOfRange> {
    rounded(i128::from(quantity) * i128::from(unit.get()), MILLION)
}

/// An amount of one currency in another, at the price of one unit of the first.
///
/// # Errors
/// When it is more than money can be.
pub fn converted(amount: Micros, unit: Micros) -> Result<Micros, OutOfRange> {
    rounded(i128::from(amount.get()) * i128::from(unit.get()), MILLION)
}

/// The part of a month's price that falls on a part of the month.
///
/// # Errors
/// When it is more than money can be.
pub fn part_of(month: Micros, part: u64, whole: u64) -> Result<Micros, OutOfRange> {
    if whole == 0 {
        return Ok(Micros::ZERO);
    }
    rounded(i128::from(month.get()) * i128::from(part), i128::from(whole))
}

/// Shares an amount by weight. The shares add up to it exactly, unless nobody has any weight: then nobody gets any.
///
/// # Errors
/// When the weights together are more than can be counted.
pub fn share_out(amount: Micros, weights: &[u64]) -> Result<Vec<Micros>, OutOfRange> {
    let whole = weights.iter().try_fold(0_u64, |sum, weight| sum.checked_add(*weight)).ok_or(OutOfRange)?;
    let (mut passed, mut given) = (0_u64, Micros::ZERO);
    let mut shares = Vec::with_capacity(weights.len());
    for weight in weights {
        passed += weight;
        let due = part_of(amount, passed, whole)?;
        shares.push(due.checked_sub(given).ok_or(OutOfRange)?);
        given = due;
    }
    Ok(shares)
}

fn rounded(product: i128, whole: i128) -> Result<Micros, OutOfRange> {
    let half = product.signum() * i128::from((product % whole).abs() * 2 >= whole);
    i64::try_from(product / whole + half).map(Micros::new).map_err(|_| OutOfRange)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_a_gigabyte_held_for_a_month_costs_half_its_price() {
        let ten_dollars = Micros::new(10_000_000);
        assert_eq!(cost_of_time(43_200 * 500_000, ten_dollars), Ok(Micros::new(5_000_000)));
        // One minute of one GB: 0.000231… dollars.
        assert_eq!(cost_of_time(1_000_000, ten_dollars), Ok(Micros::new(231)));
        assert_eq!(cost_of(2_500_000, Micros::new(50_000)), Ok(Micros::new(125_000)));
        assert_eq!(converted(Micros::new(10_000_000), Micros::new(920_000)), Ok(Micros::new(9_200_000)));
        assert_eq!(cost_of(u64::MAX, Micros::new(i64::MAX)), Err(OutOfRange));
    }

    proptest! {
        #[test]
        fn shares_conserve_the_amount_and_nobody_is_off_by_more_than_a_millionth(
            amount in 0..1_000_000_000_000_i64,
            weights in prop::collection::vec(0..50_000_u64, 0..60),
        ) {
            let shares = share_out(Micros::new(amount), &weights).unwrap();
            let whole: u64 = weights.iter().sum();
            let sum: i64 = shares.iter().map(|share| share.get()).sum();
            prop_assert_eq!(sum, if whole == 0 { 0 } else { amount });
            for (share, weight) in shares.iter().zip(&weights) {
                let exact = i128::from(amount) * i128::from(*weight);
                let off = (i128::from(share.get()) * i128::from(whole) - exact).abs();
                prop_assert!(off <= i128::from(whole), "{share:?} for {weight} of {whole}");
                prop_assert!(*weight > 0 || *share == Micros::ZERO);
            }
        }

        #[test]
        fn more_is_never_cheaper_and_two_halves_cost_what_the_whole_does(
            quantity in 0..1_000_000_000_000_u64, more in 0..1_000_000_u64, price in 0..1_000_000_000_i64,
        ) {
            let price = Micros::new(price);
            let cost = |quantity| cost_of_time(quantity, price).unwrap().get();
            prop_assert!(cost(quantity) <= cost(quantity + more));
            let halves = cost(quantity / 2) + cost(quantity - quantity / 2);
            prop_assert!((halves - cost(quantity)).abs() <= 1, "each is rounded once");
        }
    }
}
