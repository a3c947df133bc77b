//! From a used hour to an issued invoice and the customer's books, with storage and workflows around the rules that
//! the crate `billing` states.
//!
//! - what is charged from when: `plans.rs`, `taxes.rs`; to whom invoices are made out: `details.rs`
//! - what is promised and taken off: `coupons.rs`; hours that nobody pays for: `waivers.rs`, `contests.rs`
//! - one period becomes one invoice, in one transaction: `close.rs`; all that are due: `closing.rs`
//! - what would be issued: `preview.rs`, which closes in transactions that are never committed
//! - a customer's book, and what it says about each invoice: `accounts.rs`, `settlement.rs`
//! - money that came, or will not: `payments.rs`; what the payment provider charges: `collection.rs`, or takes
//!   on a page of its own: `pay_page.rs`,
//!   and whether it says the same as the books: `comparison.rs`
//! - money that goes back: `refunds.rs`, or that a bank takes back: `disputes.rs`, after which it is collected under
//!   another name: `rounds.rs`; what becomes of those who do not pay: `dunning.rs`
//! - an invoice as people read and print it: `paper.rs`; sums for the operator: `figures.rs`
//! - caps and budgets: `spending.rs`, for the period that runs: `running.rs`; a single hour: `hours.rs`
//! - everything computed again and compared: `books.rs`
//!
//! Whoever changes a customer's book holds its row first (`accounts::open`), so that of two replicas one waits.

pub(crate) mod accounts;
pub(crate) mod books;
pub(crate) mod close;
pub(crate) mod closing;
pub(crate) mod collection;
pub(crate) mod comparison;
pub(crate) mod contests;
pub(crate) mod coupons;
pub(crate) mod details;
pub(crate) mod disputes;
pub(crate) mod dunning;
pub(crate) mod figures;
pub(crate) mod hours;
pub(crate) mod invoices;
mod letter;
pub(crate) mod paper;
pub(crate) mod pay_page;
pub(crate) mod payments;
pub(crate) mod plans;
pub(crate) mod preview;
pub(crate) mod refunds;
mod rounds;
pub(crate) mod running;
mod settings;
mod settlement;
pub(crate) mod spending;
pub(crate) mod taxes;
pub(crate) mod waivers;

use ::store::Migration;

pub use settings::{BillingCycle, BillingSettings, LeavingSettings, Seller, Taxes};

/// Every table of billing.
pub(crate) const MIGRATIONS: &[&[Migration]] = &[
    plans::store::MIGRATIONS,
    taxes::store::MIGRATIONS,
    details::store::MIGRATIONS,
    waivers::store::MIGRATIONS,
    invoices::store::MIGRATIONS,
    accounts::store::MIGRATIONS,
    coupons::store::MIGRATIONS,
    contests::store::MIGRATIONS,
    closing::store::MIGRATIONS,
    collection::store::MIGRATIONS,
    comparison::store::MIGRATIONS,
    refunds::store::MIGRATIONS,
    refunds::elsewhere::store::MIGRATIONS,
    disputes::store::MIGRATIONS,
    figures::store::MIGRATIONS,
    spending::store::MIGRATIONS,
    dunning::store::MIGRATIONS,
];
