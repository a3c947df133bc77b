//! Cloudflare's simulator over a real socket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod applications;
mod batches;
mod browser;
mod harness;
mod limits;
mod lookups;
mod records;
mod seats;
mod sign_in;
mod tokens;
