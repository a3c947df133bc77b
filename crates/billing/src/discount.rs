//! What makes an invoice smaller: trials, coupons, credits.

use std::num::NonZeroU32;

use domain::{Cents, UsageHour};
use serde::{Deserialize, Serialize};

use crate::arithmetic::{OutOfRange, subtract};
use crate::period::{Cycle, Period};
use crate::plan::{BelowNothing, PlanVersion, Price};
use crate::rate::Rate;

/// A time at the beginning of a service for which neither hours nor base fee are charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The first hour that is charged.
    pub ends: UsageHour,
}

impl Trial {
    /// The trial that a plan gives whoever begins in an hour; none where it gives no days.
    pub fn of(plan: &PlanVersion, service_began: UsageHour) -> Option<Self> {
        let hours = i64::from(plan.trial_days) * 24;
        let ends = UsageHour::from_number(service_began.get().saturating_add(hours))?;
        (hours > 0).then_some(Self { ends })
    }
}

/// A promise to charge less. What is left of it after an invoice is [`Coupon::after`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coupon {
    /// Names it among the customer's coupons.
    pub id: String,
    /// As it stands on the invoice: `Spring offer`.
    pub name: String,
    /// What it is worth.
    pub worth: Worth,
}

/// What a coupon is worth. On one invoice free hours come first, then percentages one after another, each of what is
/// left, then amounts; within a kind by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Worth {
    /// So many usage hours for nothing, in the order of the invoice's lines.
    Hours {
        /// Not used yet.
        left: u32,
    },
    /// A part of whatever belongs to certain periods. Hours that arrive late belong to the period they were used in.
    Percent {
        /// The part that is not charged.
        rate: Rate,
        /// Periods that begin before this hour are charged whole.
        from: UsageHour,
        /// So are periods that begin at this hour or later; none when it lasts for ever.
        until: Option<UsageHour>,
    },
    /// So much money off, before taxes.
    Amount {
        /// Not used yet.
        left: Price,
    },
}

/// For how long a percentage lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// For so many periods, the first included.
    Periods(NonZeroU32),
    /// For as long as the customer stays.
    Forever,
}

impl Worth {
    /// A percentage from a period on.
    pub fn percent(rate: Rate, first: Period, lasting: Lasting, cycle: Cycle) -> Self {
        let until = match lasting {
            Lasting::Forever => None,
            Lasting::Periods(count) => {
                let after_first = (1..count.get()).fold(first, |period, _| cycle.after(period));
                Some(after_first.end())
            }
        };
        Self::Percent { rate, from: first.start(), until }
    }

    /// Whether no later invoice can take anything of it. A percentage is never used up, it only ends.
    pub fn is_used_up(self) -> bool {
        match self {
            Self::Hours { left } => left == 0,
            Self::Amount { left } => left == Price::FREE,
            Self::Percent { .. } => false,
        }
    }
}

impl Coupon {
    /// What is left after an invoice took so much: an amount, and for free hours their number.
    ///
    /// # Errors
    /// [`CouponError`] when the invoice took more than there was.
    pub fn after(&self, taken: &Taken) -> Result<Self, CouponError> {
        let worth = match self.worth {
            Worth::Hours { left } => {
                Worth::Hours { left: left.checked_sub(taken.hours).ok_or(CouponError::Overdrawn)? }
            }
            Worth::Amount { left } => {
                let left = subtract(left.amount(), taken.amount).map_err(|_| CouponError::Overdrawn)?;
                Worth::Amount { left: Price::new(left).map_err(|_: BelowNothing| CouponError::Overdrawn)? }
            }
            lasting @ Worth::Percent { .. } => lasting,
        };
        Ok(Self { worth, ..self.clone() })
    }
}

/// What one invoice took of a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Taken {
    /// Off the invoice, before taxes.
    pub amount: Cents,
    /// Hours that were free; zero for other kinds.
    pub hours: u32,
}

/// Why a coupon can't have been used like that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CouponError {
    /// More was taken than was left.
    #[error("an invoice took more of the coupon than was left")]
    Overdrawn,
}

/// How a credit balance meets a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditUse {
    /// Of the total, so much is settled.
    pub applied: Cents,
    /// The rest of the balance, for later invoices.
    pub left: Cents,
}

impl CreditUse {
    /// As much of a balance as the total takes; neither falls below nothing.
    ///
    /// # Errors
    /// Never in fact, since no more is taken than there is.
    pub fn of(balance: Price, total: Price) -> Result<Self, OutOfRange> {
        let applied = balance.min(total).amount();
        Ok(Self { applied, left: subtract(balance.amount(), applied)? })
    }
}
