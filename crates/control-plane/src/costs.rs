//! What serving customers costs, and how near the providers are to the limits at which they stop.
//!
//! - what is read at the providers, and how often: `reading.rs`; kept so that reading twice changes nothing: `store.rs`
//! - revenue less costs, for each customer and all of them: `margins.rs`
//! - how much of a provider's own limit is used, and who is told: `spend.rs`
//! - prices and limits as the operator set them: `settings.rs`

pub(crate) mod margins;
pub(crate) mod reading;
mod settings;
pub(crate) mod spend;
pub(crate) mod store;

use ::store::Migration;

pub use settings::{CostSettings, FixedCost, Prices};

/// Every table of costs.
pub(crate) const MIGRATIONS: &[&[Migration]] = &[store::MIGRATIONS, spend::store::MIGRATIONS];
