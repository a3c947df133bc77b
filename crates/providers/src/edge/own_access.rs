//! An application of its own before a single instance, with the identity provider of its customer.

use async_trait::async_trait;
use domain::InstanceId;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{ProviderError, Removed};

/// An edge that can set an application of its own before an instance, in stages, so that at each of them
/// whoever gets through also passes the guard.
#[async_trait]
pub trait OwnAccess: Send + Sync {
    /// The identity provider that the edge knows by this id or name.
    ///
    /// # Errors
    /// Refused when there is none, or more than one of that name.
    async fn known_provider(&self, reference: &str) -> Result<IdentityProvider, ProviderError>;

    /// Whether what one more instance needs still fits. Changes nothing.
    ///
    /// # Errors
    /// Refused when it does not.
    async fn has_room(&self, provider: &IdentityProvider) -> Result<(), ProviderError>;

    /// How far an instance's own application got. Read from the store; nobody is asked.
    ///
    /// # Errors
    /// When the store can't be used.
    async fn standing(&self, instance: InstanceId) -> Result<Option<Standing>, ProviderError>;

    /// Makes the application, on a path of the hostname that nobody visits. What is there stays as it is.
    ///
    /// # Errors
    /// Refused when the edge has no room, or does not know the identity provider.
    async fn make(
        &self,
        hostname: &str,
        instance: InstanceId,
        provider: &IdentityProvider,
    ) -> Result<Standing, ProviderError>;

    /// Puts the application before the whole hostname. Whether an instance is well is still told to anybody.
    ///
    /// # Errors
    /// Not found when the application is gone.
    async fn put_before(&self, hostname: &str, instance: InstanceId) -> Result<(), ProviderError>;

    /// Notes whether the guard is to take nothing but assertions of the own application from now on.
    ///
    /// # Errors
    /// Not found when there is no application before the instance.
    async fn rely_on_it(&self, instance: InstanceId, alone: bool) -> Result<(), ProviderError>;

    /// Takes the application away with all that was made for it, so that the shared one stands before the
    /// instance again. Removing what is gone is success.
    ///
    /// # Errors
    /// Not yet while something may still appear that was made without an answer.
    async fn take_away_own(&self, instance: InstanceId) -> Result<Vec<Removed>, ProviderError>;
}

/// Who tells the edge who somebody is.
#[derive(Debug, Clone)]
pub enum IdentityProvider {
    /// One that the edge has already.
    Known {
        /// The edge's id of it.
        id: String,
        /// What people call it.
        name: String,
    },
    /// One that is made for the instance, and removed with its application.
    Oidc(Oidc),
}

/// An identity provider that speaks OpenID Connect.
#[derive(Debug, Clone)]
pub struct Oidc {
    /// Who it is: `https://login.acme.example`.
    pub issuer: String,
    /// Where people sign in.
    pub auth_url: String,
    /// Where the edge redeems what they bring back.
    pub token_url: String,
    /// Its key set.
    pub certs_url: String,
    /// As whom the edge asks.
    pub client_id: String,
    /// With what it proves that.
    pub client_secret: SecretString,
}

impl IdentityProvider {
    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Known { name, .. } => name,
            Self::Oidc(oidc) => &oidc.issuer,
        }
    }
}

/// An instance's own application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// For whom its assertions are made out.
    pub audience: String,
    /// Who tells it who somebody is, as people call that.
    pub identity_provider: String,
    /// How far it got.
    pub stage: Stage,
}

/// How far an instance's own application got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It exists, and the shared one is before the hostname.
    Aside,
    /// It is before the hostname; the guard takes assertions of both.
    Before,
    /// It is before the hostname, and the guard takes no others.
    Alone,
}
