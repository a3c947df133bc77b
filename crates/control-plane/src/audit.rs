//! Who changed what, and when. Entries are only ever added.

pub(crate) mod store;

use jiff::Timestamp;

pub(crate) use store::{list, record};

/// One entry.
#[derive(Debug, Clone)]
pub(crate) struct AuditEvent {
    pub id: String,
    pub at: Timestamp,
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub detail: String,
}
