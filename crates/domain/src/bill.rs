use serde::{Deserialize, Serialize};

use crate::{Cents, Month, Plan};

/// What one instance costs in one month, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// The month billed.
    pub month: Month,
    /// Base fee first, then hours.
    pub lines: Vec<BillLine>,
    /// The sum of the lines.
    pub total: Cents,
}

/// One line of a bill: so many times a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillLine {
    /// What it is for.
    pub what: String,
    /// How many.
    pub quantity: u32,
    /// Each.
    pub unit: Cents,
    /// All.
    pub amount: Cents,
}

impl Bill {
    /// The bill for so many usage hours, or `None` when the amounts leave the range of money.
    pub fn of(plan: &Plan, month: Month, hours: u32) -> Option<Self> {
        let line = |what: &str, quantity, unit: Cents| {
            Some(BillLine { what: what.to_owned(), quantity, unit, amount: unit.checked_mul(quantity)? })
        };
        let lines = vec![line("Base fee", 1, plan.base_cents)?, line("Usage hours", hours, plan.hour_cents)?];
        let total = lines.iter().try_fold(Cents::ZERO, |sum, line| sum.checked_add(line.amount))?;
        Some(Self { month, lines, total })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_month_costs_its_base_fee_and_each_hour_once() {
        let month = Month::parse("2026-11").unwrap();
        let bill = Bill::of(&Plan::default(), month, 12).unwrap();
        assert_eq!(bill.total, Cents::new(500 + 1200));
        assert_eq!(Bill::of(&Plan::default(), month, 0).unwrap().total, Cents::new(500));
        let huge = Plan { hour_cents: Cents::new(i64::MAX), ..Plan::default() };
        assert_eq!(Bill::of(&huge, month, 2), None);
    }

    #[test]
    fn prices_read_as_people_write_them() {
        let plan = Plan::default();
        assert_eq!(plan.price(Cents::new(1234)), "$12.34");
        assert_eq!(plan.price(Cents::new(-50)), "-$0.50");
        assert_eq!(Plan { currency: "chf".into(), ..plan }.price(Cents::new(500)), "5.00 CHF");
    }
}
