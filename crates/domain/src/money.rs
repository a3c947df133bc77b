use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in the plan's currency, in its smallest unit. Exact; never a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(i64);

impl Cents {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many hundredths.
    pub const fn new(cents: i64) -> Self {
        Self(cents)
    }

    /// The number of hundredths, as stored.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or `None` when it leaves the range of the type.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` when it leaves the range of the type.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// So many times the amount, or `None` when it leaves the range of the type.
    pub fn checked_mul(self, count: u32) -> Option<Self> {
        self.0.checked_mul(i64::from(count)).map(Self)
    }

    /// As people write it: `$5.00`, or `5.00 CHF` where there is no common sign. The currency is ISO 4217, lower case.
    pub fn priced(self, currency: &str) -> String {
        let sign = match currency {
            "usd" => "$",
            "eur" => "€",
            "gbp" => "£",
            other => return format!("{self} {}", other.to_ascii_uppercase()),
        };
        match self.to_string().strip_prefix('-') {
            Some(positive) => format!("-{sign}{positive}"),
            None => format!("{sign}{self}"),
        }
    }
}

impl fmt::Display for Cents {
    /// With two decimals and no currency sign: `12.05`, `-0.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_two_decimals() {
        for (cents, text) in
            [(500, "5.00"), (5, "0.05"), (-50, "-0.50"), (123_456, "1234.56"), (i64::MIN, "-92233720368547758.08")]
        {
            assert_eq!(Cents::new(cents).to_string(), text);
        }
    }

    #[test]
    fn arithmetic_never_wraps() {
        assert_eq!(Cents::new(i64::MAX).checked_add(Cents::new(1)), None);
        assert_eq!(Cents::new(i64::MAX).checked_mul(2), None);
        assert_eq!(Cents::new(i64::MIN).checked_sub(Cents::new(1)), None);
        assert_eq!(Cents::new(100).checked_sub(Cents::new(250)), Some(Cents::new(-150)));
        assert_eq!(Cents::new(100).checked_mul(744), Some(Cents::new(74_400)));
    }
}
