use domain::Cents;
use serde::{Deserialize, Serialize};

use super::InvoiceInputs;
use super::history::HourCharge;
use super::taxes::TaxShare;
use crate::arithmetic::{OutOfRange, add, share, sum};
use crate::hours::HourSet;
use crate::period::Period;
use crate::words;

/// What is given back for hours that were waived after they had been billed.
///
/// All hours of one line cost the same: an hour's credit is its equal share of what was charged for the line, after
/// discounts and with taxes. Shares are cut so that crediting every hour of a line, one by one or at once, gives back
/// exactly what was charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreditLine {
    /// The number of the invoice that billed the hours.
    pub invoice: String,
    /// The period that the hours belong to.
    pub period: Period,
    /// In words.
    pub description: String,
    /// The hours.
    pub hours: HourSet,
    /// What was charged for them, after discounts.
    pub net: Cents,
    /// The taxes on that.
    pub taxes: Vec<TaxShare>,
    /// Net and taxes: what goes to the customer's balance.
    pub amount: Cents,
}

/// One line for each charge of which hours were waived and not credited yet.
pub(super) fn credits(inputs: &InvoiceInputs) -> Result<Vec<CreditLine>, OutOfRange> {
    let waived = inputs.usage.waived();
    let mut lines = Vec::new();
    for closed in inputs.closed_in_order() {
        for charge in &closed.charges {
            let hours = charge.hours.intersection(&waived).difference(&charge.credited);
            if !hours.is_empty() {
                lines.push(credit(closed.period, charge, hours)?);
            }
        }
    }
    Ok(lines)
}

fn credit(period: Period, charge: &HourCharge, hours: HourSet) -> Result<CreditLine, OutOfRange> {
    let before = charge.credited.count();
    let after = before + hours.count();
    let part = |amount| share(amount, u64::from(before), u64::from(after), u64::from(charge.hours.count()));
    let net = part(charge.net)?;
    let shares = charge.taxes.iter().map(|tax| Ok(TaxShare { name: tax.name.clone(), amount: part(tax.amount)? }));
    let taxes = shares.collect::<Result<Vec<_>, OutOfRange>>()?;
    let amount = add(net, sum(taxes.iter().map(|tax| tax.amount))?)?;
    let count = words::hours(hours.count());
    let description = format!("Credit for {count} of {period}, waived after invoice {}", charge.invoice);
    Ok(CreditLine { invoice: charge.invoice.clone(), period, description, hours, net, taxes, amount })
}
