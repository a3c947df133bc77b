use domain::Email;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError, Page, Paging};

/// Somebody who gets no mail that is not about their own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Suppression {
    /// Whose address.
    #[schema(value_type = String, format = Email)]
    pub email: Email,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Who asked for it: `link` in a mail, or whoever entered it.
    pub asked_by: String,
}

/// Sends somebody no more of such mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSuppression {
    /// Whose address.
    #[schema(value_type = String, format = Email)]
    pub email: Email,
}

impl Client {
    /// Who gets no such mail, by address.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn suppressions(&self, paging: &Paging) -> Result<Page<Suppression>, ClientError> {
        self.get(&["suppressions"], paging).await
    }

    /// Sends somebody no more of such mail. Who is on the list stays as it is.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn suppress(&self, new: &NewSuppression) -> Result<Suppression, ClientError> {
        self.post(&["suppressions"], new).await
    }
}
