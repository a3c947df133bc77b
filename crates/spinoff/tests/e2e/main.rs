//! The real executable, started as people start it: everything real, nothing replaced.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod analytics;
mod backups;
mod bills;
mod cli;
mod console;
mod crash;
mod disputed;
mod documents;
mod failed_card;
mod fleet;
mod hostile;
mod isolation;
mod journey;
mod leaving;
mod looks;
mod made_app;
mod model;
mod moving;
mod neighbours;
mod pool;
mod postgres;
mod rollouts;
mod second_thoughts;
mod simulation;
mod status_page;
mod support;
mod support_access;
mod third_party;
mod tickets;
mod wildcard;
