//! The real executable, started as people start it: everything real, nothing replaced.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod crash;
mod journey;
mod support;
