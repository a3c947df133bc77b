//! What a call takes: tokens and money. All arithmetic saturates, so that a budget is rather kept too
//! early than not at all.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

/// Money, in millionths of the currency that prices and budgets are in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cost(u64);

/// What a model costs, for a million tokens each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// What is asked.
    pub input: Cost,
    /// What is answered.
    pub output: Cost,
}

/// How many tokens a call took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// What was asked.
    pub input: u64,
    /// What was answered.
    pub output: u64,
    /// Who counted.
    pub counted: Counted,
}

/// Who counted tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// The provider.
    #[default]
    Told,
    /// This program, from the length of the texts, since the provider did not say.
    Estimated,
}

impl Cost {
    /// Nothing.
    pub const NOTHING: Self = Self(0);

    /// So many millionths.
    #[must_use]
    pub const fn millionths(millionths: u64) -> Self {
        Self(millionths)
    }

    /// How many millionths it is.
    #[must_use]
    pub const fn as_millionths(self) -> u64 {
        self.0
    }

    /// What is left of this after `other`, at least nothing.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Reads a decimal such as `2.50`; with more than six decimals it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replace(',', ".");
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + part.len() == 0 || part.len() > 6 || !digits(whole) || !digits(part) {
            return None;
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let part: u64 = format!("{part:0<6}").parse().ok()?;
        Some(Self(whole.checked_mul(1_000_000)?.checked_add(part)?))
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::NOTHING, Add::add)
    }
}

impl fmt::Display for Cost {
    /// At least two decimals, more where they are not zero: `0.25`, `0.000123`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1_000_000, format!("{:06}", self.0 % 1_000_000));
        let part = part.trim_end_matches('0');
        write!(f, "{whole}.{part:0<2}")
    }
}

impl Price {
    /// What so many tokens cost, rounded up.
    #[must_use]
    pub fn of(self, tokens: Tokens) -> Cost {
        let part = |count: u64, price: Cost| count.saturating_mul(price.0).div_ceil(1_000_000);
        Cost(part(tokens.input, self.input).saturating_add(part(tokens.output, self.output)))
    }

    /// How many tokens of an answer can be had for `money`; `None` when they cost nothing.
    #[must_use]
    pub fn answer_for(self, money: Cost) -> Option<u64> {
        money.0.saturating_mul(1_000_000).checked_div(self.output.0)
    }
}

/// How many tokens a text of so many bytes is, rather too many than too few: English takes about
/// four bytes for one, code and other languages less.
#[must_use]
pub fn estimate(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(3)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn money_is_read_and_shown_as_people_write_it() {
        for (text, millionths, shown) in [
            ("2.5", 2_500_000, "2.50"),
            ("0,000123", 123, "0.000123"),
            ("10", 10_000_000, "10.00"),
            (" .5 ", 500_000, "0.50"),
        ] {
            let cost = Cost::parse(text).unwrap();
            assert_eq!((cost.as_millionths(), cost.to_string().as_str()), (millionths, shown));
        }
        for text in ["", ".", "-1", "1e3", "1.2345678", "1.2.3", "99999999999999999999"] {
            assert_eq!(Cost::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_part_of_a_millionth_is_charged_as_one() {
        let price = Price { input: Cost::parse("3").unwrap(), output: Cost::parse("15").unwrap() };
        let tokens = Tokens { input: 1_000, output: 1_000, counted: Counted::Told };
        assert_eq!(price.of(tokens).to_string(), "0.018");
        let cheap = Price { input: Cost::millionths(1), output: Cost::NOTHING };
        assert_eq!(cheap.of(Tokens { input: 1, ..tokens }), Cost::millionths(1));
        assert_eq!((price.answer_for(Cost::millionths(15)), cheap.answer_for(Cost::NOTHING)), (Some(1), None));
    }
}
