use domain::Cents;
use serde::{Deserialize, Serialize};

use super::credits::CreditLine;
use super::lines::{Line, LineKind};
use super::taxes::TaxShare;
use super::{Invoice, not_negative};
use crate::InvoiceError;
use crate::hours::HourSet;
use crate::period::Period;
use crate::plan::Price;

/// A period that has its invoice, and what became of its hours so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedPeriod {
    /// Which.
    pub period: Period,
    /// What an hour of it costs, also one that arrives years later.
    pub hour: Price,
    /// Every line, on whichever invoice, that billed hours of it.
    pub charges: Vec<HourCharge>,
}

/// Hours that stand together in one line of one invoice, and what was charged for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HourCharge {
    /// The number of the invoice.
    pub invoice: String,
    /// The hours billed.
    pub hours: HourSet,
    /// What was charged for all of them, after discounts and before taxes.
    pub net: Cents,
    /// The taxes on that.
    pub taxes: Vec<TaxShare>,
    /// Those of the hours that were waived later and credited.
    pub credited: HourSet,
}

impl ClosedPeriod {
    /// All hours of it that stand on some invoice.
    pub fn billed(&self) -> HourSet {
        let mut billed = HourSet::none();
        self.charges.iter().for_each(|charge| billed.union(&charge.hours));
        billed
    }
}

/// What an instance's invoices say about the periods that they closed. To leave out the oldest invoices leaves their
/// periods alone; of the rest none may be missing, since an hour of an earlier period may stand on a later invoice.
///
/// # Errors
/// [`InvoiceError::BelowNothing`] when an invoice has a negative price.
pub fn closed_by(invoices: &[Invoice]) -> Result<Vec<ClosedPeriod>, InvoiceError> {
    let mut closed: Vec<ClosedPeriod> = Vec::with_capacity(invoices.len());
    for invoice in invoices {
        let price = invoice.lines.iter().find(|line| line.kind == LineKind::Hours).map(|line| line.unit);
        let hour = not_negative(price.unwrap_or(Cents::ZERO))?;
        closed.push(ClosedPeriod { period: invoice.period, hour, charges: Vec::new() });
    }
    for invoice in invoices {
        for line in invoice.lines.iter().filter(|line| !line.hours.is_empty()) {
            if let Some(its) = closed.iter_mut().find(|closed| closed.period == line.period) {
                its.charges.push(charge(&invoice.number, line));
            }
        }
    }
    let credits = invoices.iter().flat_map(|invoice| &invoice.credits);
    credits.for_each(|credit| note_credit(&mut closed, credit));
    Ok(closed)
}

fn charge(number: &str, line: &Line) -> HourCharge {
    HourCharge {
        invoice: number.to_owned(),
        hours: line.hours.clone(),
        net: line.net,
        taxes: line.taxes.clone(),
        credited: HourSet::none(),
    }
}

fn note_credit(closed: &mut [ClosedPeriod], credit: &CreditLine) {
    let charges = closed.iter_mut().flat_map(|closed| &mut closed.charges);
    for charge in charges.filter(|charge| charge.invoice == credit.invoice) {
        charge.credited.union(&charge.hours.intersection(&credit.hours));
    }
}
