//! Drivers: the only code that talks to other companies, or to what stands in for them here.
//!
//! Each seam is a small trait in our words. Every call may be made twice: it looks before it
//! creates, and removing what is gone already is success. What changes something is called only from
//! workflow steps and reconcilers, never from a request handler; [`model`] says why it is another matter.

pub mod backup;
pub mod budget;
pub mod compute;
pub mod costs;
pub mod edge;
mod error;
pub mod http;
pub mod inventory;
pub mod mail;
pub mod model;
pub mod payments;
mod removed;
pub mod resources;
mod routing;
pub mod setup;
pub mod status_feed;
pub mod storage;
pub mod webhook;

pub use error::ProviderError;
pub use removed::Removed;
pub use routing::Routing;

use store::Migration;

/// The tables of the drivers that keep their own record.
pub const MIGRATIONS: &[&[Migration]] = &[
    payments::ledger::MIGRATIONS,
    budget::MIGRATIONS,
    resources::MIGRATIONS,
    edge::cloudflare::MIGRATIONS,
    setup::MIGRATIONS,
];
