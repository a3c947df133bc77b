//! The real workflows with the real drivers, at a simulated Railway, Cloudflare and Stripe with their
//! throttles, lags and delays, on a clock that is moved from one due date to the next.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backups;
mod costs;
mod disaster;
mod faults;
mod leftovers;
mod own_access;
mod pool;
mod rollouts;
mod seeds;
mod signups;
mod support;
