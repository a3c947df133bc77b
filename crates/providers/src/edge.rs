//! What stands before the instances: names, routes and the first check of who comes in.

mod builtin;

use async_trait::async_trait;
use domain::{Email, InstanceId};

use crate::compute::Origin;
use crate::{ProviderError, Removed};

pub use builtin::Builtin;

/// Whoever routes hostnames and asks strangers who they are.
#[async_trait]
pub trait Edge: Send + Sync {
    /// How the driver is called in configuration: `builtin`, `cloudflare`.
    fn name(&self) -> &'static str;

    /// Who signs the assertions that guards verify.
    fn issuer(&self) -> String;

    /// For whom the assertions of an instance are made out.
    fn audience(&self, instance: InstanceId) -> String;

    /// Sends the requests for a hostname to an instance, or finds that it does so already.
    ///
    /// # Errors
    /// Refused when the hostname belongs to another instance or cannot be published at all.
    async fn publish(&self, hostname: &str, instance: InstanceId, origin: &Origin) -> Result<(), ProviderError>;

    /// Lets exactly these people as far as the guard of a hostname.
    async fn admit(&self, hostname: &str, members: &[Email]) -> Result<(), ProviderError>;

    /// Lets a person sign in to the site itself.
    async fn admit_to_site(&self, person: &Email) -> Result<(), ProviderError>;

    /// Answers a hostname with an explanation from now on: the instance is being removed.
    /// A hostname that is gone, or belongs to another instance by now, is left alone.
    async fn close(&self, hostname: &str, instance: InstanceId) -> Result<(), ProviderError>;

    /// Takes a hostname away with everything that belongs to it. Removing what is gone is success,
    /// and a hostname that belongs to another instance by now is left alone.
    async fn remove(&self, hostname: &str, instance: InstanceId) -> Result<Vec<Removed>, ProviderError>;

    /// Every hostname of an instance that is served now, whatever the store says.
    async fn list_hostnames(&self) -> Result<Vec<String>, ProviderError>;
}
