//! What an operator promises with a coupon, before anybody has it.

use std::num::NonZeroU32;

use domain::UsageHour;
use serde::{Deserialize, Serialize};

use crate::discount::{Lasting, Worth};
use crate::period::Cycle;
use crate::plan::{Currency, Price};
use crate::rate::Rate;
use crate::words;

/// What a coupon gives to each customer who has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Offer {
    /// A part of everything.
    Percent {
        /// The part that is not charged.
        rate: Rate,
        /// Of so many periods; without a number, for as long as the customer stays.
        periods: Option<NonZeroU32>,
    },
    /// So much money, before taxes.
    Amount {
        /// In all.
        worth: Price,
    },
    /// So many usage hours.
    Hours {
        /// In all.
        number: NonZeroU32,
    },
}

impl Offer {
    /// What it is worth on the invoices of one service before anything was taken of it. A percentage begins with the
    /// service's period that an hour falls into.
    pub fn worth(self, from: UsageHour, cycle: Cycle) -> Worth {
        match self {
            Self::Percent { rate, periods } => {
                let lasting = periods.map_or(Lasting::Forever, Lasting::Periods);
                Worth::percent(rate, cycle.period_of(from), lasting, cycle)
            }
            Self::Amount { worth } => Worth::Amount { left: worth },
            Self::Hours { number } => Worth::Hours { left: number.get() },
        }
    }

    /// Whether it gives anything at all.
    pub fn is_worth_something(self) -> bool {
        match self {
            Self::Percent { rate, .. } => rate.ppm() > 0,
            Self::Amount { worth } => worth > Price::FREE,
            Self::Hours { .. } => true,
        }
    }

    /// As customers and operators read it: `20 % off for 3 periods`.
    pub fn in_words(self, currency: Currency) -> String {
        match self {
            Self::Percent { rate, periods: None } => format!("{rate} off, for good"),
            Self::Percent { rate, periods: Some(one) } if one == NonZeroU32::MIN => {
                format!("{rate} off for one period")
            }
            Self::Percent { rate, periods: Some(number) } => format!("{rate} off for {number} periods"),
            Self::Amount { worth } => format!("{} off", currency.price(worth.amount())),
            Self::Hours { number } => format!("{} for free", words::hours(number.get())),
        }
    }
}
