//! One customer's isolated copy of the application, from its request to the record of its end.

pub(crate) mod delete;
pub(crate) mod probe;
pub(crate) mod provision;
pub(crate) mod store;
pub(crate) mod suspension;

use domain::{CustomerId, Email, InstanceId, InstanceState, ProjectName, Subdomain};
use jiff::Timestamp;
use providers::compute::Observation;

/// An instance as it stands in the store.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub id: InstanceId,
    pub customer: CustomerId,
    pub customer_name: String,
    pub customer_email: Email,
    pub subdomain: Subdomain,
    pub project: ProjectName,
    pub state: InstanceState,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    pub members_serial: u64,
    pub deletion_requested_by: Option<String>,
    pub observed: Option<Observed>,
}

/// What was last seen of an instance, and by whom.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    pub by: String,
    pub observation: Observation,
}
