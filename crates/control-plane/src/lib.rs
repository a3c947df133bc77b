//! The main instance: sells, provisions, meters and retires everybody else's.
//!
//! Organised by noun; where things happen:
//! - a customer signs up: `signup.rs`, then the workflow in `instances/provision.rs`; where the payment
//!   provider asks for the card, `signup/checkout.rs` comes before it
//! - a provider tells something: `webhooks.rs`, then `payment_events.rs`
//! - instances are made ahead of their customers: `pool.rs`
//! - an instance is given up: `instances/cancellation.rs`; it is taken down: `instances/delete.rs`
//! - it gets another name: `instances/rename.rs`, then `instances/retire_address.rs`
//! - somebody is invited or removed: `members.rs`, then `members/publish.rs`
//! - an hour is used: `usage/report.rs`; what it costs: `usage.rs`; invoices and books: `billing.rs`
//! - what is left behind at providers: `inventory.rs`; how much more they take: `limits.rs`; what they cost: `costs.rs`
//! - what runs on a timer: `reconcilers.rs`
//! - which address leads where: `routes.rs`

mod api;
mod app;
mod audit;
mod billing;
mod console;
mod costs;
mod customers;
mod emergencies;
mod error;
mod front;
mod guards;
mod instances;
mod inventory;
mod limits;
mod mail;
mod members;
mod operators;
mod payment_events;
mod person;
mod pool;
mod portal;
mod reconcilers;
mod routes;
mod signup;
mod site;
mod start;
mod text;
mod tokens;
mod usage;
mod webhooks;
mod workflows;

use store::Migration;

pub use self::billing::closing::close_if_due;
pub use self::billing::dunning::reconcile::dun_if_due;
pub use self::billing::spending::watch::look_at_all as watch_spending;
pub use self::billing::{BillingCycle, BillingSettings, Seller, Taxes};
pub use self::instances::cancellation::reconcile::cancel_if_due;
pub use app::{App, Core, Drivers, Settings};
pub use costs::reading::read_if_due as read_costs;
pub use costs::{CostSettings, FixedCost, Prices};
pub use front::serve_people;
pub use guards::serve_guards;
pub use mail::SignInCodes;
pub use pool::keeper::keep as keep_pool;
pub use reconcilers::Reconcilers;
pub use start::{Started, assemble, start};
pub use tokens::{entry_ticket, instance_token, operator_token, railway_webhook_secret};

/// Every table of the main instance, its workflows, its edge and its drivers, in order.
pub fn migrations() -> Vec<Migration> {
    [
        workflow::MIGRATIONS,
        edge::MIGRATIONS,
        &providers::MIGRATIONS.concat(),
        customers::store::MIGRATIONS,
        instances::store::MIGRATIONS,
        instances::suspension::store::MIGRATIONS,
        instances::holds::store::MIGRATIONS,
        instances::cancellation::store::MIGRATIONS,
        instances::names::store::MIGRATIONS,
        members::store::MIGRATIONS,
        usage::store::MIGRATIONS,
        usage::sign_ins::store::MIGRATIONS,
        operators::store::MIGRATIONS,
        audit::store::MIGRATIONS,
        mail::store::MIGRATIONS,
        mail::bounces::store::MIGRATIONS,
        emergencies::MIGRATIONS,
        payment_events::store::MIGRATIONS,
        inventory::store::MIGRATIONS,
        limits::store::MIGRATIONS,
        pool::store::MIGRATIONS,
        &self::billing::MIGRATIONS.concat(),
        &costs::MIGRATIONS.concat(),
    ]
    .concat()
}
