use std::fmt;

use domain::Cents;
use serde::{Deserialize, Serialize};

use crate::arithmetic::{OutOfRange, proportion};

/// A part of an amount, in parts per million: 190,000 is 19 %. At most the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Rate(u32);

/// More than the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} parts per million is more than the whole")]
pub struct TooMuch(pub u32);

/// A text that is no part of a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no percentage: it should be a number from 0 to 100 with at most four decimals, such as 19 or 7.75")]
pub struct NoPercentage(pub String);

impl Rate {
    /// The whole, in parts per million.
    pub const WHOLE: u32 = 1_000_000;

    /// So many parts per million.
    ///
    /// # Errors
    /// [`TooMuch`] beyond the whole.
    pub const fn new(ppm: u32) -> Result<Self, TooMuch> {
        if ppm > Self::WHOLE { Err(TooMuch(ppm)) } else { Ok(Self(ppm)) }
    }

    /// Reads a percentage: `19`, `7.75`.
    ///
    /// # Errors
    /// [`NoPercentage`] for anything that is not written like that.
    pub fn parse_percent(text: &str) -> Result<Self, NoPercentage> {
        let no_percentage = || NoPercentage(text.to_owned());
        let (whole, rest) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|letter| letter.is_ascii_digit())
        };
        if !digits(whole, 3) || !digits(rest, 4) {
            return Err(no_percentage());
        }
        let ppm = format!("{whole}{rest:0<4}").parse().map_err(|_| no_percentage())?;
        Self::new(ppm).map_err(|_| no_percentage())
    }

    /// In parts per million.
    pub const fn ppm(self) -> u32 {
        self.0
    }

    /// This part of an amount, rounded.
    ///
    /// # Errors
    /// Never in fact, since a part is no larger than the whole.
    pub fn of(self, amount: Cents) -> Result<Cents, OutOfRange> {
        proportion(amount, u64::from(self.0), u64::from(Self::WHOLE))
    }
}

impl TryFrom<u32> for Rate {
    type Error = TooMuch;
    fn try_from(ppm: u32) -> Result<Self, TooMuch> {
        Self::new(ppm)
    }
}

impl From<Rate> for u32 {
    fn from(rate: Rate) -> Self {
        rate.0
    }
}

impl fmt::Display for Rate {
    /// In percent: `19 %`, `7.75 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        let rest = format!("{rest:04}");
        match rest.trim_end_matches('0') {
            "" => write!(f, "{whole} %"),
            rest => write!(f, "{whole}.{rest} %"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_percentage_is_read_exactly_or_refused() {
        for (text, ppm) in [("19", 190_000), (" 7.75 ", 77_500), ("0.0001", 1), ("100", Rate::WHOLE), ("0", 0)] {
            assert_eq!(Rate::parse_percent(text).unwrap().ppm(), ppm, "{text}");
        }
        for wrong in ["", ".", "19.", ".5", "-1", "+1", "1e2", "100.0001", "101", "19 %", "7,75", "1.00001", "١٩"] {
            assert_eq!(Rate::parse_percent(wrong), Err(NoPercentage(wrong.to_owned())));
        }
    }

    #[test]
    fn a_rate_is_written_in_percent_and_never_more_than_the_whole() {
        for (ppm, text) in [(190_000, "19 %"), (77_500, "7.75 %"), (1, "0.0001 %"), (0, "0 %"), (Rate::WHOLE, "100 %")]
        {
            assert_eq!(Rate::new(ppm).unwrap().to_string(), text);
        }
        assert_eq!(Rate::new(1_000_001), Err(TooMuch(1_000_001)));
        assert!(serde_json::from_str::<Rate>("1000001").is_err());
    }
}
