//! The program on trial: killed at any moment, set against the weaknesses that the public AI-DIY is
//! known for, and given projects of every stack it knows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod app_port;
mod journal;
mod kills;
mod program;
mod provider;
mod recorded;
mod stacks;
mod takeaway;
mod visit;
mod weaknesses;
