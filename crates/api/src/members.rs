use domain::{Email, MemberRole};
use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError, Page};

/// Somebody who may enter an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// The address that the member signs in with.
    #[schema(value_type = String, format = Email)]
    pub email: Email,
    /// What the member may do beside entering: `owner` or `member`.
    #[schema(value_type = String, example = "member")]
    pub role: MemberRole,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub added_at: Timestamp,
}

/// Lets somebody in. Adding a member again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// The address to let in.
    #[schema(value_type = String, format = Email)]
    pub email: Email,
}

impl Client {
    /// Who may enter an instance. `instance` is an id, a project name or a subdomain.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance.
    pub async fn members(&self, instance: &str) -> Result<Page<Member>, ClientError> {
        self.get(&["instances", instance, "members"], &()).await
    }

    /// Lets somebody in.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance.
    pub async fn add_member(&self, instance: &str, email: &Email) -> Result<Member, ClientError> {
        self.post(&["instances", instance, "members"], &NewMember { email: email.clone() }).await
    }

    /// Shuts somebody out, from the next request on.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance or member.
    pub async fn remove_member(&self, instance: &str, email: &Email) -> Result<(), ClientError> {
        self.quietly(Method::DELETE, &["instances", instance, "members", email.as_str()]).await
    }
}
