//! The guard as a program: real processes, real sockets, an application behind it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod activity;
mod app_site;
mod clients;
mod corpus;
mod cross_site;
mod custody;
mod egress;
mod emergency;
mod entry;
mod guests;
mod keys;
mod layer;
mod life;
mod live;
mod model;
mod observability;
mod origin;
mod sharing;
mod streams;
mod support;
mod usage;
