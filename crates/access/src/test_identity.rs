//! Somebody who belongs to one instance and is nobody: with whom it is tried whether instances are
//! walled off from each other.

use domain::{Email, EmailError, InstanceId};

/// Reserved by RFC 2606: no mail gets there, so nobody can own an address below it.
const DOMAIN: &str = "isolation.invalid";

/// The test identity of one instance. It stands in the signed list of that instance and in no other,
/// is shown to nobody as a member, and never takes a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestIdentity(Email);

impl TestIdentity {
    /// The one of an instance; its address follows from the instance's id.
    ///
    /// # Errors
    /// When an id could not be part of an address, which no id of ours is.
    pub fn of(instance: InstanceId) -> Result<Self, EmailError> {
        Email::parse(&format!("{instance}@{DOMAIN}")).map(Self)
    }

    /// Whether an address is one of those that only test identities have. Nobody may be invited by such
    /// an address, and no code is mailed to it.
    #[must_use]
    pub fn is_one(email: &Email) -> bool {
        email.domain() == DOMAIN
    }

    /// Its address.
    #[must_use]
    pub fn email(&self) -> &Email {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn every_instance_has_an_identity_of_its_own_at_an_address_that_nobody_can_have() {
        let [one, other] = [1, 2].map(|byte| InstanceId::new(Timestamp::UNIX_EPOCH, [byte; 10]));
        let [mine, theirs] = [one, other].map(|id| TestIdentity::of(id).unwrap());
        assert_ne!(mine, theirs);
        assert!(TestIdentity::is_one(mine.email()));
        for real in ["ada@example.com", "a@isolation.invalid.example.com", "a@sub.isolation.invalid"] {
            assert!(!TestIdentity::is_one(&Email::parse(real).unwrap()), "{real}");
        }
    }
}
