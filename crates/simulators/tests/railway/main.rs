//! The simulated Railway over a real socket, asked as a client asks the real one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod containers;
mod deployments;
mod domains;
mod harness;
mod limits;
mod projects;
mod requests;
mod services;
mod tokens;
