//! The records of the zone, and what a resolver would find.

pub(super) mod batch;
mod body;
mod filters;
mod lookup;
pub(super) mod records;
mod rules;
mod table;

pub use body::Record;
pub use lookup::Target;
pub(super) use table::Records;
