//! A fleet of instances, releases that are good or bad, and main instances that die, on a clock that is moved from one
//! moment to the next.
//!
//! What happens to an instance follows from the seed. In which order the workflows of one moment take turns does not: the
//! store's threads decide that, as they do in life. So a run with a seed is much like another one with it, but not the
//! same, and only what must hold whatever the order is looked at.

mod chance;
mod figures;
mod fleet;
mod guards;
mod host;
mod meter;
mod people;
mod project;
mod proof;
mod release;
mod replicas;
mod scale;
mod vault;

pub use chance::Chance;
pub use figures::Figures;
pub use fleet::Fleet;
pub use host::Host;
pub use scale::Scale;
