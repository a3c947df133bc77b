//! The main instance: sells, provisions, meters and retires everybody else's.
//!
//! Organised by noun; where things happen:
//! - a customer signs up: `signup.rs`, then the workflow in `instances/provision.rs`; where the payment
//!   provider asks for the card, `signup/checkout.rs` comes before it
//! - a provider tells something: `webhooks.rs`, then `payment_events.rs`
//! - instances are made ahead of their customers: `pool.rs`
//! - an instance is given up: `instances/cancellation.rs`; it is taken down: `instances/{deletion,delete}.rs`
//! - another one begins with what it keeps: `instances/copy.rs`
//! - it moves to another region or compute driver: `instances/moves.rs`
//! - it gets another name: `instances/rename.rs`, then `instances/retire_address.rs`
//! - somebody is invited or removed: `members.rs`, then `members/publish.rs`
//! - an hour is used: `usage/report.rs`; what it costs: `usage.rs`; invoices and books: `billing.rs`
//! - what instances keep is kept a second time: `backups.rs`
//! - what the store holds is kept a second time: `store_backups.rs`; which key belongs to it: `installation_key.rs`
//! - what is left behind at providers: `inventory.rs`; how much more they take: `limits.rs`; what they cost: `costs.rs`
//! - what instances run: `releases.rs`; how a release reaches everyone: `rollouts.rs`
//! - what waits for an operator: `alerts.rs`; what everybody is told: `incidents.rs` and `site/status.rs`; what providers
//!   say of themselves: `provider_status.rs`
//! - how instances are, and what share of the time they answered: `health.rs`
//! - a model is offered to instances, with an allowance for each: `model.rs`
//! - support is let into an instance for a while: `support_access.rs`
//! - somebody asks support, in the portal or by mail: `tickets.rs`; mail that comes: `tickets/inbound.rs`
//! - it is tried whether instances are walled off from each other: `isolation.rs`
//! - what the business is run by, and why customers leave: `analytics.rs`
//! - what runs on a timer: `reconcilers.rs`
//! - which address leads where: `routes.rs`

mod alerts;
mod analytics;
mod api;
mod app;
mod audit;
mod backups;
mod billing;
mod console;
mod costs;
mod customers;
mod emergencies;
mod error;
mod front;
mod guards;
mod health;
mod incidents;
mod installation_key;
mod instances;
mod inventory;
mod isolation;
mod limits;
mod mail;
mod members;
mod model;
mod operators;
mod payment_events;
mod person;
mod pool;
mod portal;
mod provider_status;
mod reconcilers;
mod releases;
mod rollouts;
mod routes;
mod routing;
mod search;
mod signup;
mod site;
mod start;
mod store_backups;
mod support_access;
mod text;
mod tickets;
mod tokens;
mod usage;
mod webhooks;
mod workflows;

use store::Migration;

pub use self::backups::BackupSettings;
pub use self::backups::proofs::prove_due as prove_backups;
pub use self::backups::prune::{prune as prune_backups, remove_leftovers as remove_leftover_backups};
pub use self::backups::schedule::take_due as take_due_backups;
pub use self::billing::closing::close_if_due;
pub use self::billing::dunning::reconcile::dun_if_due;
pub use self::billing::spending::watch::look_at_all as watch_spending;
pub use self::billing::{BillingCycle, BillingSettings, LeavingSettings, Seller, Taxes};
pub use self::instances::cancellation::reconcile::cancel_if_due;
pub use self::instances::deletion::reconcile::delete_if_due;
pub use self::instances::moves::remind::remind_if_due as remind_of_moves;
pub use alerts::tend::tend as tend_alerts;
pub use alerts::{AlertSettings, Escalation};
pub use analytics::win_back::write_if_due as write_win_backs;
pub use app::{App, Core, Drivers, Settings, WatchSettings};
pub use costs::reading::read_if_due as read_costs;
pub use costs::{CostSettings, FixedCost, Prices};
pub use front::serve_people;
pub use guards::serve_guards;
pub use health::probe::ask_due as probe_instances;
pub use health::uptime::add_up as add_up_uptime;
pub use health::watch::judge_all as judge_instances;
pub use incidents::tell::tell_due as tell_subscribers;
pub use installation_key::{KeyTrouble, belongs as key_belongs, open as open_key};
pub use instances::observe::observe_all as observe_instances;
pub use isolation::round::begin_if_due as prove_isolation_if_due;
pub use mail::SignInCodes;
pub use model::{ModelGateway, ModelSettings, ModelSettingsError, OfferedModel};
pub use pool::keeper::keep as keep_pool;
pub use provider_status::read_if_due as read_provider_status;
pub use reconcilers::{Reconciler, Reconcilers, all as reconcilers};
pub use releases::settings::Application;
pub use rollouts::roll_out::look_after as look_after_rollouts;
pub use start::{Started, assemble, start};
pub use store_backups::schedule::take_if_due as take_due_store_backup;
pub use store_backups::{
    KeptStoreBackup, PutBack, PutBackError, TableTally, Taken, kept as kept_store_backups, put_back as put_back_store,
    take as take_store_backup,
};
pub use support_access::end_if_due as end_support_access_if_due;
pub use support_access::hours::waive_if_due as waive_support_hours_if_due;
pub use tickets::closing::close_if_due as close_solved_tickets;
pub use tickets::settings::{Strangers, SupportSettings};
pub use tokens::{entry_ticket, instance_token, operator_token, railway_webhook_secret};

/// Every table of the main instance, its workflows, its edge and its drivers, in order.
pub fn migrations() -> Vec<Migration> {
    [
        workflow::MIGRATIONS,
        edge::MIGRATIONS,
        &providers::MIGRATIONS.concat(),
        installation_key::store::MIGRATIONS,
        customers::store::MIGRATIONS,
        instances::store::MIGRATIONS,
        instances::observe::store::MIGRATIONS,
        instances::suspension::store::MIGRATIONS,
        instances::holds::store::MIGRATIONS,
        instances::cancellation::store::MIGRATIONS,
        instances::deletion::store::MIGRATIONS,
        instances::copy::MIGRATIONS,
        instances::moves::store::MIGRATIONS,
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
        isolation::store::MIGRATIONS,
        support_access::store::MIGRATIONS,
        tickets::store::MIGRATIONS,
        tickets::conversation::store::MIGRATIONS,
        tickets::thread::store::MIGRATIONS,
        tickets::canned::store::MIGRATIONS,
        pool::store::MIGRATIONS,
        releases::store::MIGRATIONS,
        rollouts::store::MIGRATIONS,
        backups::store::MIGRATIONS,
        store_backups::store::MIGRATIONS,
        &self::billing::MIGRATIONS.concat(),
        &costs::MIGRATIONS.concat(),
        model::store::MIGRATIONS,
        health::store::MIGRATIONS,
        health::uptime::store::MIGRATIONS,
        alerts::store::MIGRATIONS,
        incidents::store::MIGRATIONS,
        provider_status::store::MIGRATIONS,
        mail::suppressions::store::MIGRATIONS,
        &analytics::MIGRATIONS.concat(),
    ]
    .concat()
}
