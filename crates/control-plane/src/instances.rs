//! One customer's isolated copy of the application, from its request to the record of its end.

pub(crate) mod access;
pub(crate) mod cancellation;
pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod deletion;
pub(crate) mod export;
pub(crate) mod holds;
pub(crate) mod moves;
pub(crate) mod names;
pub(crate) mod observe;
pub(crate) mod place;
pub(crate) mod probe;
pub(crate) mod provision;
pub(crate) mod rename;
pub(crate) mod retire_address;
pub(crate) mod store;
pub(crate) mod suspension;

use domain::{CustomerId, Email, InstanceId, InstanceState, ProjectName, Subdomain};
use jiff::Timestamp;
use providers::compute::Observation;

pub(crate) use place::Place;

/// An instance as it stands in the store.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub id: InstanceId,
    pub customer: CustomerId,
    pub customer_name: String,
    pub customer_email: Email,
    pub subdomain: Subdomain,
    /// The one it moves to.
    pub next_subdomain: Option<Subdomain>,
    /// The instance that it was made a copy of.
    pub copied_from: Option<InstanceId>,
    pub project: ProjectName,
    pub state: InstanceState,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    pub members_serial: u64,
    pub deletion_requested_by: Option<String>,
    /// Why it is suspended, in words for its customer.
    pub suspended_because: Option<String>,
    pub observed: Option<Observed>,
}

/// What was last seen of an instance, and by whom.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    pub by: String,
    pub observation: Observation,
}

impl Instance {
    /// Where it lives at the providers.
    pub(crate) fn place(&self) -> Place {
        Place { id: self.id, subdomain: self.subdomain.clone(), project: self.project.clone() }
    }

    /// The name that its customer wants: the one it moves to, else the one it has.
    pub(crate) fn chosen(&self) -> &Subdomain {
        self.next_subdomain.as_ref().unwrap_or(&self.subdomain)
    }

    /// The same instance, called otherwise: for what works on its next hostname.
    fn at(&self, subdomain: &Subdomain) -> Self {
        Self { subdomain: subdomain.clone(), ..self.clone() }
    }
}
