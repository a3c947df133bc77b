use serde::{Deserialize, Serialize};

use crate::Cents;

/// What an instance costs. The operator's configuration; these are the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// For each month, whether used or not.
    pub base_cents: Cents,
    /// For each usage hour, of which any part counts whole.
    pub hour_cents: Cents,
    /// ISO 4217, lower case.
    pub currency: String,
    /// How long a new customer pays nothing, in days of 24 hours from when their first instance is ready.
    pub trial_days: u16,
}

impl Default for Plan {
    fn default() -> Self {
        Self { base_cents: Cents::new(500), hour_cents: Cents::new(100), currency: "usd".to_owned(), trial_days: 0 }
    }
}

impl Plan {
    /// An amount as people write it: `$5.00`, or `5.00 CHF` where there is no common sign.
    pub fn price(&self, amount: Cents) -> String {
        amount.priced(&self.currency)
    }

    /// How long a new customer pays nothing, if they ever do: `14 days`.
    pub fn trial_in_words(&self) -> Option<String> {
        match self.trial_days {
            0 => None,
            1 => Some("1 day".to_owned()),
            days => Some(format!("{days} days")),
        }
    }
}
