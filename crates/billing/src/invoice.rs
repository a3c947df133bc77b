//! An invoice is a pure function of its inputs: computed again, it is the same to the byte.

mod credits;
mod discounts;
mod history;
mod inputs;
mod lines;
mod refunds;
mod taxes;

pub use credits::CreditLine;
pub use discounts::Discount;
pub use history::{ClosedPeriod, HourCharge, closed_by};
pub use inputs::{InvoiceError, InvoiceInputs, Party};
pub use lines::{Line, LineKind};
pub use taxes::{TaxLine, TaxShare};

use domain::{Cents, CustomerId, InstanceId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::arithmetic::{OutOfRange, add, subtract, sum};
use crate::discount::CreditUse;
use crate::hours::HourSet;
use crate::period::Period;
use crate::plan::{Currency, Price};

/// What one instance costs in one period, with what came late of earlier ones. Fields are in the order in which they
/// are written; changing it changes every invoice's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invoice {
    /// As it stands on the invoice; given once.
    pub number: String,
    /// Who pays.
    pub customer: CustomerId,
    /// What is paid for.
    pub instance: InstanceId,
    /// The version of the plan.
    pub plan: String,
    /// Of all amounts.
    pub currency: Currency,
    /// What the base fee is for.
    pub period: Period,
    /// The day it bears.
    pub issued: Date,
    /// The day by which it is to be paid.
    pub due: Date,
    /// Who sells.
    pub seller: Party,
    /// Who buys.
    pub buyer: Party,
    /// Why no tax is charged, where that is so.
    pub tax_exempt: Option<String>,
    /// Base fee first, then hours, then late hours.
    pub lines: Vec<Line>,
    /// The sum of the lines.
    pub subtotal: Cents,
    /// What coupons took off it.
    pub discounts: Vec<Discount>,
    /// What is left: the amount that taxes are of.
    pub net: Cents,
    /// Each tax.
    pub taxes: Vec<TaxLine>,
    /// Net and taxes.
    pub total: Cents,
    /// For hours that were waived after they had been billed. They are no part of the total: they go to the balance.
    pub credits: Vec<CreditLine>,
    /// The customer's balance before this invoice.
    pub credit_before: Cents,
    /// What was taken of the balance and of this invoice's credits.
    pub credit_applied: Cents,
    /// What later invoices can take.
    pub credit_left: Cents,
    /// What is to be paid: the total less the credit applied.
    pub amount_due: Cents,
}

impl Invoice {
    /// Computes the invoice.
    ///
    /// # Errors
    /// When the inputs contradict each other, or an amount becomes too large.
    pub fn of(inputs: &InvoiceInputs) -> Result<Self, InvoiceError> {
        inputs.check()?;
        let terms = &inputs.terms;
        let mut lines = lines::lines(inputs)?;
        let subtotal = sum(lines.iter().map(|line| line.amount))?;
        let discounts = discounts::take(&mut lines, &inputs.coupons)?;
        let net = sum(lines.iter().map(|line| line.net))?;
        let taxes = taxes::charge(&mut lines, net, terms.taxes())?;
        let total = add(net, sum(taxes.iter().map(|tax| tax.amount))?)?;
        let credits = credits::credits(inputs)?;
        let granted = sum(credits.iter().map(|credit| credit.amount))?;
        let credit_before = inputs.credit_balance.amount();
        let credit = CreditUse::of(not_negative(add(credit_before, granted)?)?, not_negative(total)?)?;
        Ok(Self {
            number: inputs.number.clone(),
            customer: inputs.customer,
            instance: inputs.instance,
            plan: terms.plan.id.clone(),
            currency: terms.plan.currency,
            period: terms.period,
            issued: inputs.issued,
            due: inputs.due,
            seller: inputs.seller.clone(),
            buyer: inputs.buyer.clone(),
            tax_exempt: terms.tax_exempt.clone(),
            lines,
            subtotal,
            discounts,
            net,
            taxes,
            total,
            credits,
            credit_before,
            credit_applied: credit.applied,
            credit_left: credit.left,
            amount_due: subtract(total, credit.applied)?,
        })
    }

    /// The one form in which it is stored, compared and digested.
    ///
    /// # Errors
    /// Never in fact: there is nothing in it that JSON can't say.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// All hours that it bills, at whatever price.
    pub fn hours(&self) -> HourSet {
        let mut hours = HourSet::none();
        self.lines.iter().for_each(|line| hours.union(&line.hours));
        hours
    }

    /// The sum of its taxes.
    ///
    /// # Errors
    /// Never in fact, since they are part of the total.
    pub fn tax(&self) -> Result<Cents, OutOfRange> {
        subtract(self.total, self.net)
    }
}

/// Sums of amounts that are nothing or more are so too, unless a sum's parts were invented.
fn not_negative(amount: Cents) -> Result<Price, InvoiceError> {
    Price::new(amount).map_err(|_| InvoiceError::BelowNothing)
}
