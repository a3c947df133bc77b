//! The driver `stripe` against a simulated Stripe, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cancelling;
mod charging;
mod checkout;
mod collecting;
mod disputes;
mod events;
mod fees;
mod harness;
mod inspection;
mod lost_answers;
mod postbox;
mod setup;
