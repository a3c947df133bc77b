//! What billing promises, as sentences about hours and money.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cancellation;
mod caps;
mod closing;
mod dunning;
mod examples;
mod given;
mod guide;
mod invoices;
mod ledger;
mod offers;
mod periods;
mod prices;
mod taxes;
mod usage;
