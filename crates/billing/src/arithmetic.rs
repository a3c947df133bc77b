//! What is done with amounts, and the one place in which anything is rounded.

use domain::Cents;

/// An amount became larger than money can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount is larger than money can be")]
pub struct OutOfRange;

pub(crate) fn add(a: Cents, b: Cents) -> Result<Cents, OutOfRange> {
    a.checked_add(b).ok_or(OutOfRange)
}

pub(crate) fn subtract(a: Cents, b: Cents) -> Result<Cents, OutOfRange> {
    a.checked_sub(b).ok_or(OutOfRange)
}

pub(crate) fn times(amount: Cents, count: u32) -> Result<Cents, OutOfRange> {
    amount.checked_mul(count).ok_or(OutOfRange)
}

pub(crate) fn sum(amounts: impl IntoIterator<Item = Cents>) -> Result<Cents, OutOfRange> {
    amounts.into_iter().try_fold(Cents::ZERO, add)
}

/// `amount × part ÷ whole` to the nearest smallest unit, a half away from zero. Nothing, when the whole is nothing.
pub(crate) fn proportion(amount: Cents, part: u64, whole: u64) -> Result<Cents, OutOfRange> {
    if whole == 0 {
        return Ok(Cents::ZERO);
    }
    // 63 and 64 bits fit into 127.
    let product = i128::from(amount.get()) * i128::from(part);
    let whole = i128::from(whole);
    let half = product.signum() * i128::from((product % whole).abs() * 2 >= whole);
    i64::try_from(product / whole + half).map(Cents::new).map_err(|_| OutOfRange)
}

/// The share of an amount that lies between two marks of a whole: what is due up to the second, less what was due up to
/// the first. However a whole is cut, its shares add up to the amount exactly, and none is off by more than one unit.
pub(crate) fn share(amount: Cents, from: u64, to: u64, whole: u64) -> Result<Cents, OutOfRange> {
    subtract(proportion(amount, to, whole)?, proportion(amount, from, whole)?)
}

/// An amount that is known not to be negative, as a measure of a whole.
pub(crate) fn measure(amount: Cents) -> u64 {
    u64::try_from(amount.get()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_half_is_rounded_up_and_its_credit_down() {
        for (amount, part, whole, rounded) in [
            (5, 1, 2, 3),
            (-5, 1, 2, -3),
            (500, 408, 720, 283),
            (100, 1, 3, 33),
            (200, 1, 3, 67),
            (1, 1, 3, 0),
            (7, 0, 9, 0),
            (7, 9, 9, 7),
            (7, 1, 0, 0),
        ] {
            assert_eq!(proportion(Cents::new(amount), part, whole), Ok(Cents::new(rounded)), "{amount}×{part}÷{whole}");
        }
        assert_eq!(proportion(Cents::new(i64::MAX), u64::MAX, 1), Err(OutOfRange));
        assert_eq!(proportion(Cents::new(i64::MIN), u64::MAX, u64::MAX), Ok(Cents::new(i64::MIN)));
    }

    #[test]
    fn shares_add_up_however_a_whole_is_cut() {
        let amount = Cents::new(1000);
        let shares: Vec<Cents> = [(0, 1), (1, 2), (2, 3)].map(|(from, to)| share(amount, from, to, 3).unwrap()).into();
        assert_eq!(shares, [333, 334, 333].map(Cents::new));
        assert_eq!(sum(shares), Ok(amount));
    }
}
