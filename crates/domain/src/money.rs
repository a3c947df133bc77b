use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an amount: expected a number with at most two decimals, such as 12 or 12.50")]
pub struct CentsError(pub String);

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

    /// Reads an amount as people enter it: `12`, `12.5`, `12,50`. Never below nothing.
    ///
    /// # Errors
    /// [`CentsError`] for anything else, and for what is larger than money can be.
    pub fn parse(text: &str) -> Result<Self, CentsError> {
        let fail = || CentsError(text.to_owned());
        let (whole, decimals) = text.trim().split_once(['.', ',']).unwrap_or((text.trim(), "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > 2 {
            return Err(fail());
        }
        let hundredths: i64 = format!("{decimals:0<2}").parse().map_err(|_| fail())?;
        let cents = whole.parse::<i64>().ok().and_then(|whole| whole.checked_mul(100)?.checked_add(hundredths));
        cents.map(Self).ok_or_else(fail)
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
    fn an_amount_is_read_as_people_enter_it() {
        for (text, cents) in [("12", 1200), ("12.5", 1250), (" 12,50 ", 1250), ("0.05", 5), ("007.00", 700)] {
            assert_eq!(Cents::parse(text), Ok(Cents::new(cents)), "{text}");
        }
        for text in ["", ".", "5.", ".5", "-1", "+1", "1.234", "1,000.00", "$5", "1e3", "٣", "99999999999999999999"] {
            assert!(Cents::parse(text).is_err(), "{text}");
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
