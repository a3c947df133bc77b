use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Cents;

/// Millionths in a hundredth.
const PER_CENT: i64 = 10_000;
const PER_UNIT: i64 = 1_000_000;

/// Why a text is not a price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a price: expected a number with at most six decimals, such as 12 or 0.15")]
pub struct MicrosError(pub String);

/// An amount in millionths of a currency's unit, for what costs less than a cent. Exact; never a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(i64);

impl Micros {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many millionths.
    pub const fn new(micros: i64) -> Self {
        Self(micros)
    }

    /// The number of millionths, as stored.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The same amount; `None` when it leaves the range of the type.
    pub fn of(amount: Cents) -> Option<Self> {
        amount.get().checked_mul(PER_CENT).map(Self)
    }

    /// To the nearest hundredth, a half away from zero: for showing, not for computing on.
    pub fn to_cents(self) -> Cents {
        let (whole, rest) = (self.0 / PER_CENT, self.0 % PER_CENT);
        Cents::new(whole + rest.signum() * i64::from(rest.abs() * 2 >= PER_CENT))
    }

    /// Reads a price as people write it: `12`, `0.15`. Never below nothing.
    ///
    /// # Errors
    /// [`MicrosError`] for anything else, and for what is larger than money can be.
    pub fn parse(text: &str) -> Result<Self, MicrosError> {
        let fail = || MicrosError(text.to_owned());
        let (whole, decimals) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > 6 {
            return Err(fail());
        }
        let rest: i64 = format!("{decimals:0<6}").parse().map_err(|_| fail())?;
        let micros = whole.parse::<i64>().ok().and_then(|whole| whole.checked_mul(PER_UNIT)?.checked_add(rest));
        micros.map(Self).ok_or_else(fail)
    }

    /// The sum, or `None` when it leaves the range of the type.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` when it leaves the range of the type.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl fmt::Display for Micros {
    /// With two to six decimals and no currency sign: `12.00`, `0.000231`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let rest = format!("{:06}", micros % PER_UNIT.unsigned_abs());
        let shown = rest.trim_end_matches('0').len().max(2);
        write!(f, "{sign}{}.{}", micros / PER_UNIT.unsigned_abs(), &rest[..shown])
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From a text; settings give a number as one.
impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_price_is_read_exactly_or_refused() {
        for (text, micros) in [("12", 12_000_000), (" 0.15 ", 150_000), ("0.000231", 231), ("0", 0), ("7.5", 7_500_000)]
        {
            assert_eq!(Micros::parse(text), Ok(Micros::new(micros)), "{text}");
        }
        for text in ["", ".", "5.", ".5", "-1", "+1", "0.0000001", "1,5", "$5", "1e3", "٣", "99999999999999"] {
            assert!(Micros::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_price_is_written_with_as_many_decimals_as_it_has() {
        for (micros, text) in
            [(12_000_000, "12.00"), (231, "0.000231"), (-150_000, "-0.15"), (1, "0.000001"), (0, "0.00")]
        {
            assert_eq!(Micros::new(micros).to_string(), text);
        }
    }

    #[test]
    fn a_half_cent_is_shown_as_a_whole_one() {
        for (micros, cents) in [(4_999, 0), (5_000, 1), (-5_000, -1), (14_999, 1), (i64::MAX, 922_337_203_685_478)] {
            assert_eq!(Micros::new(micros).to_cents(), Cents::new(cents), "{micros}");
        }
        assert_eq!(Micros::of(Cents::new(30)), Some(Micros::new(300_000)));
        assert_eq!(Micros::of(Cents::new(i64::MAX)), None);
    }
}
