//! Proof that instances are walled off from each other: with one test identity for each instance it is
//! tried to get into all the others, and whatever is no refusal pages the operator.
//!
//! What holds here:
//! - Only a refusal that edge or guard signed counts as one. No answer, an answer of somebody unknown, or a
//!   door that does not even let its own identity in is *not tried*, with the reason, and proves nothing.
//! - An identity's refusal elsewhere counts once it was seen to be good at home.
//! - Nothing is woken, nothing counts as use, and all rounds together ask at a bounded rate, since there is
//!   never more than one.
//!
//! What is tried is in `trial.rs`, by whom in `sample.rs`, what an answer means in `verdict.rs`, what that
//! adds up to in `tally.rs`: all without I/O. `doors.rs` knocks, `round.rs` keeps it going.

mod doors;
pub(crate) mod report;
pub(crate) mod round;
mod sample;
pub(crate) mod store;
pub(crate) mod tally;
pub(crate) mod trial;
mod verdict;

use access::TestIdentity;
use domain::{Email, InstanceId};

use crate::app::Core;
use crate::error::AppError;
use trial::Power;

/// What can be tried where this edge signs, or somebody else does.
pub(crate) fn power(core: &Core) -> Power {
    if core.drivers.edge.issuer() == core.gate.issuer() { Power::Identities } else { Power::Forgeries }
}

/// Who belongs to an instance beside its members, so that walls can be tried; nobody where no identity can be
/// made.
pub(crate) fn identity_in_list(core: &Core, instance: InstanceId) -> Result<Option<Email>, AppError> {
    if power(core) == Power::Forgeries {
        return Ok(None);
    }
    let identity = TestIdentity::of(instance).map_err(AppError::internal)?;
    Ok(Some(identity.email().clone()))
}
