use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Month, UsageHour};

/// 744 hours is the longest month; one bit each.
const BYTES: usize = 93;

/// Which hours of one month were used, one bit an hour.
///
/// What is reported is combined by union alone, so a report that comes late, twice or out of order
/// changes nothing that a single timely one would not. Difference and intersection are for what is
/// worked out from it, such as the hours that are yet to be billed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageHours {
    month: Month,
    bits: [u8; BYTES],
}

/// Why bytes are not the usage of a month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// The hour lies in another month.
    #[error("that hour is not in {0}")]
    OtherMonth(Month),
    /// Two sets of different months were to be merged.
    #[error("usage of {0} can't be merged with usage of {1}")]
    MonthsDiffer(Month, Month),
    /// Not base64url of at most 93 bytes.
    #[error("usage hours must be base64url of at most {BYTES} bytes")]
    Malformed,
    /// A bit beyond the end of the month is set.
    #[error("an hour after the end of {0} is marked as used")]
    BeyondMonth(Month),
}

impl UsageHours {
    /// A month in which nothing was used.
    pub fn none(month: Month) -> Self {
        Self { month, bits: [0; BYTES] }
    }

    /// The month these hours lie in.
    pub fn month(&self) -> Month {
        self.month
    }

    /// Marks an hour as used. Doing so again changes nothing.
    ///
    /// # Errors
    /// [`UsageError::OtherMonth`] when the hour lies outside the month.
    pub fn insert(&mut self, hour: UsageHour) -> Result<(), UsageError> {
        let index = self.index(hour).ok_or(UsageError::OtherMonth(self.month))?;
        self.bits[index / 8] |= 1 << (index % 8);
        Ok(())
    }

    /// Whether the hour was used.
    pub fn contains(&self, hour: UsageHour) -> bool {
        self.index(hour).is_some_and(|index| self.is_marked(index))
    }

    /// Adds all hours of another set of the same month.
    ///
    /// # Errors
    /// [`UsageError::MonthsDiffer`] when the other set is of another month.
    pub fn union(&mut self, other: &Self) -> Result<(), UsageError> {
        if self.month != other.month {
            return Err(UsageError::MonthsDiffer(self.month, other.month));
        }
        for (mine, theirs) in self.bits.iter_mut().zip(other.bits) {
            *mine |= theirs;
        }
        Ok(())
    }

    /// Takes out the hours of another set. One of another month has none of these.
    pub fn difference(&mut self, other: &Self) {
        if self.month == other.month {
            for (mine, theirs) in self.bits.iter_mut().zip(other.bits) {
                *mine &= !theirs;
            }
        }
    }

    /// Keeps only the hours that are in another set as well. One of another month has none of these.
    pub fn intersection(&mut self, other: &Self) {
        let shared = if self.month == other.month { other.bits } else { [0; BYTES] };
        for (mine, theirs) in self.bits.iter_mut().zip(shared) {
            *mine &= theirs;
        }
    }

    /// Keeps only the hours from `start` up to, and without, `end`.
    pub fn restrict(&mut self, start: UsageHour, end: UsageHour) {
        let first = self.month.first_hour().get();
        let offset = |hour: UsageHour| {
            let offset = hour.get().saturating_sub(first).clamp(0, i64::from(self.month.hours()));
            usize::try_from(offset).unwrap_or(0)
        };
        let (start, end) = (offset(start), offset(end));
        for (index, byte) in self.bits.iter_mut().enumerate() {
            let below = |offset: usize| (1_u16 << offset.saturating_sub(index * 8).min(8)) - 1;
            *byte &= (below(end) & !below(start)).to_le_bytes()[0];
        }
    }

    /// Whether no hour was used.
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|byte| *byte == 0)
    }

    /// How many hours were used.
    pub fn count(&self) -> u32 {
        self.bits.iter().map(|byte| byte.count_ones()).sum()
    }

    /// The hours used, earliest first.
    pub fn iter(&self) -> impl Iterator<Item = UsageHour> + '_ {
        let first = self.month.first_hour().get();
        let numbered = (first..).zip(0..usize::from(self.month.hours()));
        numbered.filter(|(_, index)| self.is_marked(*index)).filter_map(|(number, _)| UsageHour::from_number(number))
    }

    /// The bitmap as stored: 93 bytes, the first hour in the lowest bit of the first byte.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bits
    }

    /// Reads a bitmap; missing bytes at the end count as unused.
    ///
    /// # Errors
    /// When there are too many bytes, or an hour beyond the month's end is marked.
    pub fn from_bytes(month: Month, bytes: &[u8]) -> Result<Self, UsageError> {
        let mut bits = [0; BYTES];
        bits.get_mut(..bytes.len()).ok_or(UsageError::Malformed)?.copy_from_slice(bytes);
        let end = usize::from(month.hours());
        let beyond = (end..BYTES * 8).any(|index| bits[index / 8] & (1 << (index % 8)) != 0);
        if beyond { Err(UsageError::BeyondMonth(month)) } else { Ok(Self { month, bits }) }
    }

    /// The wire form: base64url without padding, trailing unused bytes left out.
    pub fn encode(&self) -> String {
        let used = self.bits.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        URL_SAFE_NO_PAD.encode(&self.bits[..used])
    }

    /// Reads the wire form.
    ///
    /// # Errors
    /// As [`UsageHours::from_bytes`], and [`UsageError::Malformed`] when it is no base64url.
    pub fn decode(month: Month, text: &str) -> Result<Self, UsageError> {
        // Checked before decoding, so that a hostile report costs nothing.
        if text.len() > BYTES.div_ceil(3) * 4 {
            return Err(UsageError::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| UsageError::Malformed)?;
        Self::from_bytes(month, &bytes)
    }

    fn is_marked(&self, index: usize) -> bool {
        self.bits[index / 8] & (1 << (index % 8)) != 0
    }

    fn index(&self, hour: UsageHour) -> Option<usize> {
        let offset = usize::try_from(hour.get() - self.month.first_hour().get()).ok()?;
        (offset < usize::from(self.month.hours())).then_some(offset)
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    month: Month,
    hours: String,
}

impl Serialize for UsageHours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire { month: self.month, hours: self.encode() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for UsageHours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        Self::decode(wire.month, &wire.hours).map_err(serde::de::Error::custom)
    }
}
