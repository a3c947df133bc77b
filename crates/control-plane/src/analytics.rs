//! What the business is run by: numbers with their definitions and targets, month by month.
//!
//! - everything of a month put together, as programs and pages read it: `report.rs`; each number, with its definition and
//!   its target: `figures.rs`; as comma-separated values: `csv.rs`
//! - the rules of revenue, churn and cohorts: `billing::growth`; what they are computed from: `store.rs`
//! - how the machinery fares (provisioning, updates, work that needed a hand): `operations.rs`
//! - from a visit to a first payment: `funnel.rs`; visits, counted without telling visitors apart: `visits.rs`
//! - what was spent to win customers: `spend.rs`
//! - why customers leave: `leavings.rs`; the one mail that asks them back: `win_back.rs`

pub(crate) mod csv;
mod figures;
mod funnel;
pub(crate) mod leavings;
mod operations;
pub(crate) mod report;
pub(crate) mod spend;
mod store;
pub(crate) mod visits;
pub(crate) mod win_back;

use ::store::Migration;

/// Every table of analytics.
pub(crate) const MIGRATIONS: &[&[Migration]] = &[
    store::MIGRATIONS,
    visits::store::MIGRATIONS,
    spend::store::MIGRATIONS,
    leavings::store::MIGRATIONS,
    win_back::store::MIGRATIONS,
];
