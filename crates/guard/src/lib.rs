//! The guard: the reverse proxy inside every instance. Nothing reaches the application but
//! through it.
//!
//! What holds here:
//! - Refusal is the default. Only [`gate::Gate::decide`] makes a `Pass`, only a `Pass` becomes an
//!   `Admitted`, and only an `Admitted` can be forwarded.
//! - A bad assertion is never rescued: not by a cookie, not by another method, not by a retry.
//! - Keys, members and use are kept on disk, so that a restart needs neither issuer nor main
//!   instance; without them nobody enters.
//! - The app that the application makes is shown to everybody where the operator lets the application say so, and it
//!   has; nothing else of the instance is opened by that.
//! - Pages of other hostnames act in nobody's name, whatever cookies browsers add to their requests.
//! - While nobody visits, the guard makes no request and runs no timer, but for the one that looks
//!   whether an app is running, where it was told of one.
//! - What the application keeps is touched by order of the main instance alone; each order proves itself, and is taken
//!   once.
//! - The way out, if there is one, is passed on as it comes: whoever started the guard judges it.

mod access_log;
mod activity;
mod admit;
mod answers;
mod app_site;
mod application;
mod args;
mod check;
mod child;
mod command_line;
mod cookies;
mod cross_site;
mod custody;
mod disk;
mod egress;
mod emergency;
#[cfg(fuzzing)]
pub mod fuzzing;
mod gate;
mod hash_password;
mod headers;
mod identities;
mod keeper;
mod keyring;
mod layer;
mod ledger;
mod link;
mod member_push;
mod members_file;
mod metrics;
mod model;
mod notices;
mod observed;
mod own;
mod peers;
mod remembered;
mod reporter;
mod roster;
mod routed;
mod run;
mod server;
mod settings;
mod visitor;

pub use activity::{RulesError, check_activity_rules};
pub use args::{AppSharing, Args};
pub use check::check;
pub use command_line::CommandLine;
pub use gate::Denied;
pub use hash_password::hash_password;
pub use keeper::{Keeper, KeeperSettings};
pub use layer::{GuardLayer, Guarded, KeySource};
pub use run::run;
pub use settings::SettingsError;
pub use visitor::Visitor;
