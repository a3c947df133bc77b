//! The real executable against a real HTTP server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod analytics;
mod bills;
mod coupons;
mod discovery;
mod doctor;
mod importing;
mod lasting;
mod money;
mod own_access;
mod rollouts;
mod server;
mod serving;
mod setup;
mod showing;
mod spinoff;
mod tickets;
mod watching;
