use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::{HomeName, InstanceId};
use jiff::SignedDuration;
use reqwest::Url;
use secrecy::SecretString;

use crate::budget::Rate;
use crate::compute::ModelOffer;
use crate::http::Observer;
use crate::{ProviderError, Routing};

/// With what orders are proven to the guard of an instance.
pub type Tokens = Arc<dyn Fn(InstanceId) -> SecretString + Send + Sync>;

/// How the driver uses Railway.
#[derive(Clone)]
pub struct RailwaySettings {
    /// Where the API is, without its path: `https://backboard.railway.com`.
    pub api: Url,
    /// A workspace token.
    pub token: SecretString,
    /// The workspace in which projects are made.
    pub workspace_id: String,
    /// Which of the installation's homes this is. Several of them share the workspace.
    pub home: HomeName,
    /// Where instances run; the workspace's own choice when it is not given.
    pub region: Option<String>,
    /// What one instance may use up; what the plan allows when it is not given.
    pub limits: Option<Limits>,
    /// How requests find an instance: by hostnames that are registered here, or by a name that Railway
    /// chooses, which only the router knows.
    pub routing: Routing,
    /// What applications are told of models, from their next deployment on.
    pub model: Option<ModelOffer>,
    /// How much may be asked of the API.
    pub rate: Rate,
    /// How long an answer may take.
    pub deadline: Duration,
    /// The longest pause before what is safe is asked again.
    pub pause: Duration,
    /// Knock here, without TLS, instead of at Railway's edge: for rehearsals.
    pub edge_address: Option<SocketAddr>,
    /// The tokens that guards were configured with; none while the installation has no key.
    pub tokens: Option<Tokens>,
    /// Is told of each call.
    pub observer: Observer,
}

/// What one instance may use up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Processor cores.
    pub vcpus: f64,
    /// Memory in GB.
    pub memory_gb: f64,
}

impl RailwaySettings {
    /// The usual settings, with the limits of the plan Pro.
    ///
    /// # Errors
    /// Refused when the address is none.
    pub fn new(api: &str, token: SecretString, workspace_id: impl Into<String>) -> Result<Self, ProviderError> {
        let wrong = |error| ProviderError::refused("read Railway's address", error, "write it as https://host");
        Ok(Self {
            api: api.parse().map_err(wrong)?,
            token,
            workspace_id: workspace_id.into(),
            home: HomeName::the_default(),
            region: None,
            limits: None,
            routing: Routing::Records,
            model: None,
            rate: Rate { number: 10_000, per: SignedDuration::from_hours(1), burst: 50 },
            // Railway was seen to take up to 90 s for an answer that came in the end.
            deadline: Duration::from_secs(90),
            pause: Duration::from_secs(2),
            edge_address: None,
            tokens: None,
            observer: Arc::new(|_| ()),
        })
    }
}

impl std::fmt::Debug for RailwaySettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RailwaySettings").field("workspace_id", &self.workspace_id).finish_non_exhaustive()
    }
}
