//! The main instance with a real store, edge, ledger and outbox, and with a compute provider that
//! keeps its projects in memory and can be told to fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod alerts;
mod authority;
mod backups;
mod billing_accounts;
mod billing_books;
mod billing_clients;
mod billing_closing;
mod billing_money;
mod billing_terms_year;
mod billing_year;
mod console_money;
mod copying;
mod coupons;
mod deletion;
mod documents;
mod dunning;
mod emergencies;
mod health;
mod incidents;
mod isolation;
mod leaving;
mod margins;
mod members;
mod model;
mod moving;
mod observing;
mod outbox;
mod own_access;
mod portal_bills;
mod providers;
mod provisioning;
mod releases;
mod renaming;
mod rollouts;
mod signup_form;
mod spend_limits;
mod spending;
mod support;
mod support_access;
mod suspension;
mod undoing;
mod updates;
mod usage;
