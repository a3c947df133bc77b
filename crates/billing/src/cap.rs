use domain::{Cents, UsageHour};
use serde::{Deserialize, Serialize};

use crate::arithmetic::OutOfRange;
use crate::hours::HourSet;
use crate::plan::Price;
use crate::terms::Terms;
use crate::words;

/// The most that a customer wants to use, or to pay, in each period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cap {
    /// So many hours that cost something.
    Hours(u32),
    /// So much money for the period: base fee, hours and their taxes, before coupons and credits. A base fee that is
    /// larger leaves no hour.
    Spend(Price),
}

impl Cap {
    /// How many hours of the period may be charged under it: the largest number that does not exceed it.
    pub fn hours_allowed(self, terms: &Terms) -> u32 {
        let possible = terms.hours_charged();
        match self {
            Self::Hours(hours) => hours.min(possible),
            Self::Spend(most) => {
                // More hours never cost less, so the border is found by halving: `fits` hours fit, `beyond` do not.
                let (mut fits, mut beyond) = (0, possible + 1);
                while beyond - fits > 1 {
                    let middle = fits + (beyond - fits) / 2;
                    if is_within(terms, middle, most) { fits = middle } else { beyond = middle }
                }
                fits
            }
        }
    }

    /// Whether an hour may begin. One that is charged already may go on, and one that costs nothing may always.
    pub fn may_begin(self, terms: &Terms, billable: &HourSet, hour: UsageHour) -> bool {
        let charged = terms.charged(billable);
        hour < terms.charged_from() || charged.contains(hour) || charged.count() < self.hours_allowed(terms)
    }

    /// What it means, to be read before it is chosen.
    pub fn in_words(self, terms: &Terms) -> String {
        let allowed = words::hours(self.hours_allowed(terms));
        let chosen = match self {
            // The first period may be shorter than what was chosen; the next ones are not.
            Self::Hours(hours) => format!("You are charged for at most {} in each period.", words::hours(hours)),
            Self::Spend(most) => {
                let words = terms.plan.currency.price(most.amount());
                if is_within(terms, 0, most) {
                    format!("You pay at most {words} for each period, taxes included: the base fee and {allowed}.")
                } else {
                    format!("The base fee alone is more than {words}, so you pay it and no hour begins.")
                }
            }
        };
        format!(
            "{chosen} Once they are used, your workspace closes at the end of the hour that is running and opens again \
             with the next period, or at once when you raise the cap. Your data is kept. Work that is under way is \
             interrupted. An hour that begins all the same is not charged."
        )
    }
}

/// Whether base fee and so many hours come to no more with their taxes. What is larger than money can be is more.
fn is_within(terms: &Terms, hours: u32, most: Price) -> bool {
    let cost: Result<Cents, OutOfRange> = terms.price_of(hours).and_then(|net| terms.with_taxes(net));
    cost.is_ok_and(|cost| cost <= most.amount())
}
