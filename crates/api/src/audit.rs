use domain::AuditId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError, Page, Paging};

/// Somebody changed something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEvent {
    /// Names the entry.
    #[schema(value_type = String)]
    pub id: AuditId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who: an e-mail address, or the name of the part of the system that acted on its own.
    pub actor: String,
    /// What was done, as `noun.verb`.
    pub action: String,
    /// To what: an id or a name.
    pub subject: String,
    /// The rest, in words.
    pub detail: String,
}

impl Client {
    /// What was changed, newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn audit_events(&self, paging: &Paging) -> Result<Page<AuditEvent>, ClientError> {
        self.get(&["audit-events"], paging).await
    }
}
