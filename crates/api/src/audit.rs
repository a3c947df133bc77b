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
    /// Who: the e-mail address of a person in a browser, `api` for a program with
    /// the operator's token, the command line included, or the work that went on by itself, such as
    /// `provisioning` or `deletion`.
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
