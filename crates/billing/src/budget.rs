use std::collections::BTreeSet;

use domain::Cents;
use serde::{Deserialize, Serialize};

use crate::plan::{Currency, Price};
use crate::rate::Rate;

/// What a customer means to spend in a period, and when to tell. It stops nothing; a [`Cap`](crate::Cap) does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The whole.
    pub amount: Price,
    /// Parts of it that are told when they are reached.
    pub thresholds: BTreeSet<Rate>,
}

/// The thresholds of one period that were told already. Begins empty with each period, and only grows.
pub type Announced = BTreeSet<Rate>;

/// That a part of a budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Which part.
    pub threshold: Rate,
    /// How much is spent.
    pub spent: Cents,
    /// The whole.
    pub budget: Price,
}

impl Budget {
    /// What is to be told now, the smallest threshold first, and what was told after that.
    pub fn announce(&self, spent: Cents, before: &Announced) -> (Announced, Vec<Announcement>) {
        let new =
            self.thresholds.iter().filter(|threshold| !before.contains(threshold) && self.reaches(spent, **threshold));
        let announcements: Vec<Announcement> =
            new.map(|threshold| Announcement { threshold: *threshold, spent, budget: self.amount }).collect();
        let told = announcements.iter().map(|announcement| announcement.threshold);
        (before.iter().copied().chain(told).collect(), announcements)
    }

    /// Without rounding: spent ÷ budget ≥ ppm ÷ 1,000,000, multiplied out.
    fn reaches(&self, spent: Cents, threshold: Rate) -> bool {
        let (spent, whole) = (i128::from(spent.get()), i128::from(self.amount.amount().get()));
        spent * i128::from(Rate::WHOLE) >= whole * i128::from(threshold.ppm())
    }
}

impl Announcement {
    /// In one sentence.
    pub fn in_words(&self, currency: Currency) -> String {
        let (spent, budget) = (currency.price(self.spent), currency.price(self.budget.amount()));
        format!("You have spent {spent}, {} or more of your budget of {budget} for this period.", self.threshold)
    }
}
