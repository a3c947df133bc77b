//! The driver `cloudflare` against a Cloudflare on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod harness;
mod hostnames;
mod own_access;
mod sign_ins;
mod wildcard;
