//! Signups through a payment provider's page: the real workflows with the real Stripe driver, at a
//! simulated Stripe, on a clock that is moved.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod city;
mod collecting;
mod disputing;
#[path = "../house/support/doorman.rs"]
#[allow(dead_code, reason = "it is the house's, which looks at more of it")]
mod doorman;
mod fees;
#[path = "../house/support/host.rs"]
#[allow(dead_code, reason = "it is the house's, which looks at more of it")]
mod host;
mod interruptions;
mod leaving;
mod orders;
mod portal;
mod recovering;
mod refunding;
mod repayments;
mod trial;
mod webhooks;
mod year;
