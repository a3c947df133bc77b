//! The sandbox attacked from inside, by real processes. As root the suite runs twice: with the
//! server as root, and with the server as an ordinary user.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod death;
mod files;
mod harness;
mod limits;
mod network;
mod privileges;
mod processes;
mod stopping;
mod third_wall;
