//! The third wall attacked from inside, by real processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod escapes;
mod harness;
mod leaving;
mod limits;
mod network;
mod work;
