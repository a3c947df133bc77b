use std::collections::BTreeSet;

use domain::{CustomerId, InstanceId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::history::ClosedPeriod;
use crate::arithmetic::OutOfRange;
use crate::discount::Coupon;
use crate::hours::HourSet;
use crate::period::Period;
use crate::plan::Price;
use crate::terms::Terms;
use crate::usage::Usage;

/// Everything that an invoice depends on. Kept beside the invoice, it computes it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvoiceInputs {
    /// As it will stand on the invoice; given once.
    pub number: String,
    /// Who pays.
    pub customer: CustomerId,
    /// What is paid for.
    pub instance: InstanceId,
    /// What the customer pays in the period.
    pub terms: Terms,
    /// Of the period and of the closed ones; whatever else it holds is left alone.
    pub usage: Usage,
    /// Earlier periods that may have got late hours or waived ones, in any order. Those left out are left alone.
    pub closed: Vec<ClosedPeriod>,
    /// What the customer has of coupons, in any order.
    pub coupons: Vec<Coupon>,
    /// What the customer has of credit.
    pub credit_balance: Price,
    /// The day the invoice bears.
    pub issued: Date,
    /// The day by which it is to be paid.
    pub due: Date,
    /// Who sells.
    pub seller: Party,
    /// Who buys.
    pub buyer: Party,
}

/// A seller or buyer as the tax office wants them named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Of the person or company.
    pub name: String,
    /// Line by line.
    pub address: Vec<String>,
    /// The number under which they are known to the tax office, if they have one.
    pub tax_id: Option<String>,
}

/// Why inputs give no invoice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvoiceError {
    /// Some amount became too large.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// The period, or a part of it, has an invoice already, or a closed period was given twice.
    #[error("{0} is closed already")]
    ClosedAlready(Period),
    /// A closed period is said to have billed an hour that is not in it.
    #[error("an hour billed for {0} does not belong to it")]
    HourOutside(Period),
    /// A closed period is said to have billed an hour twice.
    #[error("an hour of {0} was billed twice")]
    BilledTwice(Period),
    /// A closed period is said to have credited an hour that it did not bill.
    #[error("an hour of {0} was credited that was not billed")]
    NeverBilled(Period),
    /// Two coupons have the same id.
    #[error("coupon {0} was given twice")]
    SameCoupon(String),
    /// It would be due before the day it bears.
    #[error("an invoice can't be due before the day on which it is issued")]
    DueBeforeIssued,
    /// A closed period is said to have charged less than nothing.
    #[error("an amount of a closed period is below nothing")]
    BelowNothing,
}

impl InvoiceInputs {
    pub(super) fn check(&self) -> Result<(), InvoiceError> {
        if self.due < self.issued {
            return Err(InvoiceError::DueBeforeIssued);
        }
        let mut coupons = BTreeSet::new();
        if let Some(twice) = self.coupons.iter().find(|coupon| !coupons.insert(&coupon.id)) {
            return Err(InvoiceError::SameCoupon(twice.id.clone()));
        }
        let mut earlier = vec![self.terms.period];
        for closed in &self.closed {
            if earlier.iter().any(|period| period.overlaps(closed.period)) {
                return Err(InvoiceError::ClosedAlready(closed.period));
            }
            earlier.push(closed.period);
            check_charges(closed)?;
        }
        Ok(())
    }

    /// The closed periods, the earliest first, whatever their order was.
    pub(super) fn closed_in_order(&self) -> Vec<&ClosedPeriod> {
        let mut closed: Vec<&ClosedPeriod> = self.closed.iter().collect();
        closed.sort_by_key(|closed| closed.period);
        closed
    }
}

fn check_charges(closed: &ClosedPeriod) -> Result<(), InvoiceError> {
    let period = closed.period;
    let mut billed = HourSet::none();
    for charge in &closed.charges {
        if charge.hours.within(period.start(), period.end()) != charge.hours {
            return Err(InvoiceError::HourOutside(period));
        }
        if !billed.intersection(&charge.hours).is_empty() {
            return Err(InvoiceError::BilledTwice(period));
        }
        if !charge.credited.difference(&charge.hours).is_empty() {
            return Err(InvoiceError::NeverBilled(period));
        }
        let shares = charge.taxes.iter().map(|share| share.amount);
        if shares.chain([charge.net]).any(|amount| amount.get() < 0) {
            return Err(InvoiceError::BelowNothing);
        }
        billed.union(&charge.hours);
    }
    Ok(())
}
