//! One set of queries for SQLite and PostgreSQL.
//!
//! Every statement is portable text: `$1` placeholders, upserts and `returning`, no date or JSON
//! functions. Columns are TEXT, BIGINT (money in cents, moments in milliseconds UTC, flags 0 or 1)
//! and bytes, which both engines know; the types that mean something are made at the border, in
//! each noun's `store.rs`.

mod contents;
mod db;
mod filling;
mod lines;
mod migration;
mod moment;
mod outcome;
mod table;
#[cfg(feature = "testing")]
pub mod testing;

pub use contents::Contents;
pub use db::{Db, Engine, StoreError, Tx};
pub use filling::{FillError, Filling, copy};
pub use lines::lines;
pub use migration::Migration;
pub use moment::{from_millis, millis, optional_from_millis};
pub use outcome::is_unique_violation;
pub use sqlx;
pub use table::{Cell, Column, ColumnKind, Row, Table, Tally};
