//! The simulated Stripe over a real socket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod billing;
mod checkout;
mod disputes;
mod dunning;
mod keys;
mod meters;
mod misdelivery;
mod money;
mod pages;
mod prices;
mod receiver;
mod requests;
mod scene;
mod spec;
mod story;
mod webhooks;
