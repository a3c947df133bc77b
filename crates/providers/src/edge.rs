//! What stands before the instances: names, routes and the first check of who comes in.

mod builtin;
pub mod cloudflare;
mod discovery;
mod own_access;
mod routed;

use async_trait::async_trait;
use domain::{Email, InstanceId};
use jiff::Timestamp;

use crate::compute::Origin;
use crate::inventory::{Ceiling, Check, Item};
use crate::{ProviderError, Removed};

pub use builtin::Builtin;
pub use cloudflare::Cloudflare;
pub use discovery::discover;
pub use own_access::{IdentityProvider, Oidc, OwnAccess, Stage, Standing};
pub use routed::Routed;

/// Whoever routes hostnames and asks strangers who they are.
#[async_trait]
pub trait Edge: Send + Sync {
    /// How the driver is called in configuration: `builtin`, `cloudflare`.
    fn name(&self) -> &'static str;

    /// Who signs the assertions that guards verify.
    fn issuer(&self) -> String;

    /// For whom the assertions of an instance are made out: its guard takes each of these. Read from the
    /// store; nobody is asked.
    ///
    /// # Errors
    /// When the store can't be used.
    async fn audiences(&self, instance: InstanceId) -> Result<Vec<String>, ProviderError>;

    /// The same edge as one that can set an application of its own before a single instance; `None` where
    /// all of them are entered in the same way.
    fn own_access(&self) -> Option<&dyn OwnAccess> {
        None
    }

    /// Sends the requests for a hostname to an instance, or finds that it does so already.
    ///
    /// # Errors
    /// Refused when the hostname belongs to another instance or cannot be published at all.
    async fn publish(&self, hostname: &str, instance: InstanceId, origin: &Origin) -> Result<(), ProviderError>;

    /// Lets exactly these people as far as the guard of a hostname. A hostname that belongs to
    /// another instance by now is left alone.
    async fn admit(&self, hostname: &str, instance: InstanceId, members: &[Email]) -> Result<(), ProviderError>;

    /// Says what a hostname answers from now on. A hostname that is gone, or belongs to another
    /// instance by now, is left alone.
    async fn set_entry(&self, hostname: &str, instance: InstanceId, entry: Entry) -> Result<(), ProviderError>;

    /// Takes a hostname away with everything that belongs to it. Removing what is gone is success,
    /// and a hostname that belongs to another instance by now is left alone.
    async fn remove(&self, hostname: &str, instance: InstanceId) -> Result<Vec<Removed>, ProviderError>;

    /// Everything that bears our marker, whatever the store says: hostnames by their names, and what
    /// else was made for instances.
    async fn inventory(&self) -> Result<Vec<Item>, ProviderError>;

    /// The limits that the provider sets.
    async fn ceilings(&self) -> Result<Vec<Ceiling>, ProviderError>;

    /// Who signed in since a moment, as far back as the edge's log reaches; `None` where it keeps none.
    async fn sign_ins_since(&self, _moment: Timestamp) -> Result<Option<Vec<SignIn>>, ProviderError> {
        Ok(None)
    }

    /// Whether it can be used: credentials, permissions, quotas, one-time setup. Changes nothing.
    async fn check(&self) -> Vec<Check>;
}

/// Somebody signed in at the edge, or was turned away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Who, in lower case.
    pub email: Email,
    /// At which hostname, where the log tells.
    pub hostname: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Whether they were let in.
    pub allowed: bool,
}

/// What a hostname answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Members get as far as the guard.
    Open,
    /// An explanation: its instance is suspended.
    Suspended,
    /// An explanation: its customer gave the instance up. An edge that has no words of its own leaves it to the guard.
    Cancelled {
        /// What everybody may read about it.
        note: String,
    },
    /// An explanation: its instance is being removed.
    Deleting,
}
