use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use crate::{Client, ClientError, WorkflowAccepted};

/// Which application asks people who they are before they come to an instance, where the edge can set one of
/// its own before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Access {
    /// The one that all share, or its own.
    pub application: AccessApplication,
    /// Who tells its own application who somebody is; absent where the shared one stands before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_provider: Option<String>,
    /// Whether that changes at this moment.
    pub changing: bool,
}

/// Whose application it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessApplication {
    /// The one that all instances share.
    Shared,
    /// The instance's own.
    Own,
}

impl AccessApplication {
    /// The word that is sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Own => "own",
        }
    }
}

/// Asks for an Access application of an instance's own.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccess {
    /// Who is to tell it who somebody is.
    pub identity_provider: IdentityProvider,
}

/// An identity provider: one that the edge knows, or one that is made for the instance.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityProvider {
    /// The name or id of one that the edge knows.
    Existing(String),
    /// One that speaks OpenID Connect. It is removed together with the application.
    Oidc(OidcClient),
}

/// How an identity provider knows the edge.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OidcClient {
    /// Where `/.well-known/openid-configuration` is found.
    #[schema(example = "https://login.acme.example")]
    pub issuer: String,
    /// As whom the edge asks.
    pub client_id: String,
    /// With what it proves that. It is stored sealed, and told to nobody but the edge.
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String, format = Password, write_only)]
    pub client_secret: SecretString,
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

impl Client {
    /// Asks for an Access application of an instance's own.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when it can't have one now, 422 when the
    /// identity provider can't be used.
    pub async fn give_own_access(&self, instance: &str, new: &NewAccess) -> Result<WorkflowAccepted, ClientError> {
        self.put(&["instances", instance, "access"], new).await
    }

    /// Asks for the shared application to stand before an instance again.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when it has none of its own.
    pub async fn give_shared_access(&self, instance: &str) -> Result<WorkflowAccepted, ClientError> {
        self.delete(&["instances", instance, "access"], &()).await
    }
}
