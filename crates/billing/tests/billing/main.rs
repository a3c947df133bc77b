//! What billing promises, as sentences about hours and money.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod caps;
mod closing;
mod dunning;
mod examples;
mod given;
mod invoices;
mod ledger;
mod periods;
mod prices;
mod usage;
