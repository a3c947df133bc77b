use domain::{Cents, UsageHour};
use serde::{Deserialize, Serialize};

use super::InvoiceInputs;
use super::history::ClosedPeriod;
use super::taxes::TaxShare;
use crate::arithmetic::{OutOfRange, add, subtract, times};
use crate::hours::HourSet;
use crate::period::Period;
use crate::plan::Price;
use crate::terms::Terms;
use crate::words;

/// So many late hours are named in a line's text; all of them are in its set.
const NAMED: usize = 6;

/// What a line charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// The fee of the period, used or not.
    BaseFee,
    /// Hours of a trial, which cost nothing.
    TrialHours,
    /// Hours of the period.
    Hours,
    /// Hours of an earlier period that were not known when it was closed.
    LateHours,
}

/// So many times a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What it charges.
    pub kind: LineKind,
    /// In words.
    pub description: String,
    /// The period that it belongs to; an earlier one than the invoice's for late hours.
    pub period: Period,
    /// The hours billed, each of which is billed nowhere else. None for the base fee.
    pub hours: HourSet,
    /// How many.
    pub quantity: u32,
    /// Each.
    pub unit: Cents,
    /// All.
    pub amount: Cents,
    /// How many of the hours a coupon made free.
    pub free_hours: u32,
    /// What coupons took off, those hours included.
    pub discount: Cents,
    /// The amount without that.
    pub net: Cents,
    /// Its share of each tax of the invoice.
    pub taxes: Vec<TaxShare>,
}

impl Line {
    fn new(kind: LineKind, period: Period, quantity: u32, unit: Cents, what: String) -> Result<Self, OutOfRange> {
        let amount = times(unit, quantity)?;
        Ok(Self {
            kind,
            description: what,
            period,
            hours: HourSet::none(),
            quantity,
            unit,
            amount,
            free_hours: 0,
            discount: Cents::ZERO,
            net: amount,
            taxes: Vec::new(),
        })
    }

    fn of_hours(kind: LineKind, period: Period, hours: HourSet, unit: Cents, what: String) -> Result<Self, OutOfRange> {
        let line = Self::new(kind, period, hours.count(), unit, what)?;
        Ok(Self { hours, ..line })
    }

    /// Takes something off.
    pub(super) fn take(&mut self, amount: Cents) -> Result<(), OutOfRange> {
        self.discount = add(self.discount, amount)?;
        self.net = subtract(self.net, amount)?;
        Ok(())
    }
}

pub(super) fn lines(inputs: &InvoiceInputs) -> Result<Vec<Line>, OutOfRange> {
    let terms = &inputs.terms;
    let billable = inputs.usage.billable();
    let mut lines = vec![base_fee(terms)?];
    let served = terms.served(&billable);
    let charged = terms.charged(&served);
    let free = served.difference(&charged);
    if !free.is_empty() {
        let what = format!("Usage hours during the trial, {}", terms.period);
        lines.push(Line::of_hours(LineKind::TrialHours, terms.period, free, Cents::ZERO, what)?);
    }
    let what = format!("Usage hours, {}", terms.period);
    lines.push(Line::of_hours(LineKind::Hours, terms.period, charged, terms.plan.hour.amount(), what)?);
    for closed in inputs.closed_in_order() {
        lines.extend(late_hours(terms, closed, &billable)?);
    }
    Ok(lines)
}

fn base_fee(terms: &Terms) -> Result<Line, OutOfRange> {
    let (charged, whole) = (terms.hours_charged(), terms.period.hours());
    let what = match charged {
        0 => format!("Base fee, {}: nothing, since the trial lasts", terms.period),
        all if all == whole => format!("Base fee, {}", terms.period),
        part => {
            let from = words::moment(terms.charged_from());
            format!("Base fee, {}: {part} of {whole} hours, from {from} UTC", terms.period)
        }
    };
    Line::new(LineKind::BaseFee, terms.period, 1, terms.base_fee()?, what)
}

/// What is billable of a closed period and was not billed, at the price of that period.
fn late_hours(terms: &Terms, closed: &ClosedPeriod, billable: &HourSet) -> Result<Vec<Line>, OutOfRange> {
    let period = closed.period;
    let since = |from: UsageHour| billable.within(period.start().max(from), period.end()).difference(&closed.billed());
    let served = since(terms.service_began);
    let charged = since(terms.charged_from());
    let free = served.difference(&charged);
    let prices = [(charged, closed.hour), (free, Price::FREE)];
    let late = prices.into_iter().filter(|(hours, _)| !hours.is_empty());
    late.map(|(hours, price)| {
        let what = format!("Late usage hours of {period}, reported after its close: {}", named(&hours));
        Line::of_hours(LineKind::LateHours, period, hours, price.amount(), what)
    })
    .collect()
}

fn named(hours: &HourSet) -> String {
    let names: Vec<String> = hours.iter().take(NAMED).map(words::moment).collect();
    let rest = usize::try_from(hours.count()).unwrap_or(usize::MAX) - names.len();
    let names = names.join(", ");
    if rest == 0 { format!("{names} UTC") } else { format!("{names} UTC and {rest} more") }
}
