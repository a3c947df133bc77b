//! The main instance: sells, provisions, meters and retires everybody else's.
//!
//! Organised by noun; where things happen:
//! - a customer signs up: `signup.rs`, then the workflow in `instances/provision.rs`
//! - an instance is taken down: `instances/delete.rs`
//! - somebody is invited or removed: `members.rs`, then `members/publish.rs`
//! - an hour is used: `usage/report.rs`; what it costs: `usage.rs`
//! - what runs on a timer: `reconcilers.rs`
//! - which address leads where: `routes.rs`

mod api;
mod app;
mod audit;
mod console;
mod customers;
mod emergencies;
mod error;
mod front;
mod guards;
mod instances;
mod mail;
mod members;
mod operators;
mod person;
mod portal;
mod reconcilers;
mod routes;
mod signup;
mod site;
mod start;
mod text;
mod tokens;
mod usage;
mod workflows;

use store::Migration;

pub use app::{App, Core, Drivers, Settings};
pub use front::serve_people;
pub use guards::serve_guards;
pub use mail::SignInCodes;
pub use reconcilers::Reconcilers;
pub use start::{Started, start};
pub use tokens::{entry_ticket, instance_token, operator_token};

/// Every table of the main instance, its workflows, its edge and its drivers, in order.
pub fn migrations() -> Vec<Migration> {
    [
        workflow::MIGRATIONS,
        edge::MIGRATIONS,
        &providers::MIGRATIONS.concat(),
        customers::store::MIGRATIONS,
        instances::store::MIGRATIONS,
        members::store::MIGRATIONS,
        usage::store::MIGRATIONS,
        operators::store::MIGRATIONS,
        audit::store::MIGRATIONS,
        mail::store::MIGRATIONS,
        emergencies::MIGRATIONS,
    ]
    .concat()
}
