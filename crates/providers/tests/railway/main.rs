//! The Railway driver against the simulated Railway, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod costs;
mod deploying;
mod harness;
mod homes;
mod inventory;
mod life;
mod lost_answers;
mod projects;
mod schema;
mod wildcard;
