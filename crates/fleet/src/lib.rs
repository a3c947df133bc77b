//! How a release of the application reaches many instances: the rules, and nothing else.
//!
//! Nothing here performs I/O, waits, or asks for the time or for chance. What is stored, deployed or mailed is done by
//! whoever calls this, with what it returns.
//!
//! # The model on one page
//!
//! A **release** is one version of the application ([`Version`]), which never changes. It reaches instances in
//! **stages** ([`Stage`]): those on which the business tries things out, those that it works with itself, those of its
//! customers. A release gets to the next stage by being *promoted* ([`Stage::promoted`]), which takes a *proof*: that it
//! was rolled out to the stage before, and every instance of it that was to run it did.
//!
//! A **rollout** brings the instances of one stage to a release. Its [`Plan`] says which, in what order, and how long
//! that takes, before anything happens: those that are asleep or in a quiet hour of theirs come first, those that have
//! a maintenance window ([`Window`]) last, and those that are pinned ([`Pin`]) not at all. A [`Strategy`] says how
//! many at once: one by one, or in waves that grow.
//!
//! Each instance is a **unit** of the rollout ([`UnitState`]). Its update is backed up, deployed, seen healthy, asked for
//! its version, and watched for a while; if any of that fails it goes back to its former release and data by itself.
//! After each, [`next`] says what the rollout does: begin more, wait, halt because more failed than was tolerated, or
//! finish. A rollout ([`RolloutState`]) can be paused, resumed, cancelled and rolled back; nothing is ever between two
//! versions but the units that are being worked on at the moment.

mod next;
mod plan;
mod quiet;
mod rollout;
mod rules;
mod stage;
mod strategy;
mod unit;
mod version;
mod window;

pub use next::{Next, Progress, Wave, next};
pub use plan::{Candidate, Estimate, Left, Pace, Plan, PlannedUnit, Rest, plan};
pub use quiet::UseByHour;
pub use rollout::{InvalidCommand, RolloutCommand, RolloutState};
pub use rules::{Pin, UpdateRules, UpdateRulesError};
pub use stage::{NotPromoted, Stage, UnknownStage};
pub use strategy::{AtOnce, Strategy, StrategyError, Tolerated};
pub use unit::{InvalidUnitEvent, UnitEvent, UnitState};
pub use version::{UpgradesFrom, Version, VersionError};
pub use window::{Opening, Window, WindowError};
