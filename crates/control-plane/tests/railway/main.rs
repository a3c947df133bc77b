//! The real workflows with the real Railway driver, at a simulated Railway with its throttles, lags
//! and delays, on a clock that is moved from one due date to the next.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod names;
mod signups;
mod town;
