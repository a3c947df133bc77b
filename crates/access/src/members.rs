//! The list of who may enter one instance.

use domain::{Email, InstanceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::MemberRule;

/// Who may enter `instance`, as the main instance knew it at `serial`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberList {
    /// The instance the list is for. A guard refuses a list for another one.
    pub instance: InstanceId,
    /// Grows with every change; a guard never goes back to a smaller one.
    pub serial: u64,
    /// Whether the instance lets anybody in at all.
    pub state: ListState,
    /// Who belongs.
    pub members: Vec<MemberRule>,
    /// Who may come in for a while. A guard that knows of no guests reads such a list all the same, and lets
    /// none of them in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guests: Vec<Guest>,
}

/// Somebody whom an instance's customer lets in for a while, without making them a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// Exactly this address.
    pub email: Email,
    /// From then on they are a stranger again, whether anybody says so or not.
    pub until: Timestamp,
    /// Whether they may do more than look.
    pub may_change: bool,
}

/// Whether an instance is open to its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListState {
    /// Members may enter.
    Active,
    /// Nobody enters; data is kept.
    Suspended,
    /// Nobody enters; the instance is being removed.
    Deleting,
}

impl MemberList {
    /// Whether `email` belongs. Says nothing about [`MemberList::state`].
    #[must_use]
    pub fn includes(&self, email: &Email) -> bool {
        self.members.iter().any(|rule| rule.admits(email))
    }
}
