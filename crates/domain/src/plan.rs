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
}

impl Default for Plan {
    fn default() -> Self {
        Self { base_cents: Cents::new(500), hour_cents: Cents::new(100), currency: "usd".to_owned() }
    }
}

impl Plan {
    /// An amount as people write it: `$5.00`, or `5.00 CHF` where there is no common sign.
    pub fn price(&self, amount: Cents) -> String {
        amount.priced(&self.currency)
    }
}
