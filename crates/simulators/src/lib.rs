//! Stateful stand-ins for the companies that Spinoff speaks to: Railway, Cloudflare, Stripe, an object store and models, on
//! loopback. They hold what was made, refuse what the real services refuse, and fail on request.
//!
//! Used by tests and by rehearsals (`spinoff up --simulate`). Nothing in here is reached in production.

mod faults;
mod journal;
mod serve;

pub mod cloudflare;
pub mod model;
pub mod railway;
pub mod s3;
pub mod status_page;
pub mod stripe;

pub use faults::{Fault, Faults};
pub use journal::{Call, Journal};
pub use serve::{Answer, Pace, Request, Served, Simulator, serve};
