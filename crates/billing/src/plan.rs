use std::fmt;

use domain::{Cents, UsageHour};
use serde::{Deserialize, Serialize};

use crate::period::Period;
use crate::rate::Rate;

/// A price, a coupon's worth or another amount that is nothing or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "Cents", into = "Cents")]
pub struct Price(Cents);

/// An amount below nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is below nothing")]
pub struct BelowNothing(pub Cents);

impl Price {
    /// For free.
    pub const FREE: Self = Self(Cents::ZERO);

    /// So much.
    ///
    /// # Errors
    /// [`BelowNothing`] for a negative amount.
    pub const fn new(amount: Cents) -> Result<Self, BelowNothing> {
        if amount.get() < 0 { Err(BelowNothing(amount)) } else { Ok(Self(amount)) }
    }

    /// The amount.
    pub const fn amount(self) -> Cents {
        self.0
    }
}

impl TryFrom<Cents> for Price {
    type Error = BelowNothing;
    fn try_from(amount: Cents) -> Result<Self, BelowNothing> {
        Self::new(amount)
    }
}

impl From<Price> for Cents {
    fn from(price: Price) -> Self {
        price.0
    }
}

/// What money is meant; ISO 4217, lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// A word that can't name a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a currency: it should be three lower-case letters")]
pub struct UnknownCurrency(pub String);

impl Currency {
    /// Reads three lower-case letters.
    ///
    /// # Errors
    /// [`UnknownCurrency`] for anything else.
    pub fn parse(word: &str) -> Result<Self, UnknownCurrency> {
        let letters = <[u8; 3]>::try_from(word.as_bytes()).ok().filter(|word| word.iter().all(u8::is_ascii_lowercase));
        letters.map(Self).ok_or_else(|| UnknownCurrency(word.to_owned()))
    }

    /// An amount as people write it: `$5.00`, `5.00 CHF`.
    pub fn price(self, amount: Cents) -> String {
        amount.priced(&self.to_string())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

impl TryFrom<String> for Currency {
    type Error = UnknownCurrency;
    fn try_from(word: String) -> Result<Self, UnknownCurrency> {
        Self::parse(&word)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.to_string()
    }
}

/// A tax that is added to what is charged. Prices never include taxes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    /// As it stands on the invoice: `VAT`, `Sales tax (Ohio)`.
    pub name: String,
    /// The part of the net total.
    pub rate: Rate,
}

/// What is charged, from some hour on until the next version begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanVersion {
    /// Names it on invoices; given once.
    pub id: String,
    /// The first hour it may be used for: periods that begin then or later.
    pub valid_from: UsageHour,
    /// For each period, whether anything was used or not.
    pub base: Price,
    /// For each usage hour, of which any part counts whole.
    pub hour: Price,
    /// Of all amounts.
    pub currency: Currency,
    /// How long a new customer pays nothing, in days of 24 hours.
    pub trial_days: u16,
    /// Each is taken of the net total; none of another.
    pub taxes: Vec<Tax>,
}

/// All versions of a plan. Versions are added, and never changed or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<PlanVersion>", into = "Vec<PlanVersion>")]
pub struct PriceBook {
    // By the hour from which they are valid.
    versions: Vec<PlanVersion>,
}

/// Why a version can't be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceBookError {
    /// Periods that have begun keep their price.
    #[error("version {0} would begin in the past: periods that have begun keep their price")]
    InThePast(String),
    /// The new one would begin before, or together with, one that is there.
    #[error("version {0} would not begin after version {1}")]
    NotLast(String, String),
    /// The name belongs to another version.
    #[error("there is a version {0} already, and it is different")]
    Taken(String),
    /// Amounts of two currencies can't be added.
    #[error("version {0} is in {1}, the plan in {2}")]
    OtherCurrency(String, Currency, Currency),
}

impl PriceBook {
    /// No version yet.
    pub const fn empty() -> Self {
        Self { versions: Vec::new() }
    }

    /// Adds a version that begins later than now and than all others. Adding the same one again changes nothing.
    ///
    /// # Errors
    /// When it would change a period that has begun, or does not fit with the others.
    pub fn add(&mut self, version: PlanVersion, now: UsageHour) -> Result<(), PriceBookError> {
        if self.versions.contains(&version) {
            return Ok(());
        }
        if !self.versions.is_empty() && version.valid_from <= now {
            return Err(PriceBookError::InThePast(version.id));
        }
        self.append(version)
    }

    /// The version that an hour falls into; none before the first.
    pub fn in_force(&self, hour: UsageHour) -> Option<&PlanVersion> {
        self.versions.iter().rev().find(|version| version.valid_from <= hour)
    }

    /// The version for all of a period: the one in force when it, or the service in it, began.
    pub fn for_period(&self, period: Period, service_began: UsageHour) -> Option<&PlanVersion> {
        self.in_force(period.start().max(service_began))
    }

    /// All versions, the earliest first.
    pub fn versions(&self) -> &[PlanVersion] {
        &self.versions
    }

    fn append(&mut self, version: PlanVersion) -> Result<(), PriceBookError> {
        if self.versions.iter().any(|known| known.id == version.id) {
            return Err(PriceBookError::Taken(version.id));
        }
        if let Some(last) = self.versions.last() {
            if version.valid_from <= last.valid_from {
                return Err(PriceBookError::NotLast(version.id, last.id.clone()));
            }
            if version.currency != last.currency {
                return Err(PriceBookError::OtherCurrency(version.id, version.currency, last.currency));
            }
        }
        self.versions.push(version);
        Ok(())
    }
}

impl TryFrom<Vec<PlanVersion>> for PriceBook {
    type Error = PriceBookError;
    fn try_from(versions: Vec<PlanVersion>) -> Result<Self, PriceBookError> {
        let mut book = Self::empty();
        versions.into_iter().try_for_each(|version| book.append(version))?;
        Ok(book)
    }
}

impl From<PriceBook> for Vec<PlanVersion> {
    fn from(book: PriceBook) -> Self {
        book.versions
    }
}
