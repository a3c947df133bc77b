use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

/// `[railway]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Railway {
    pub api_url: String,
    pub token: Option<SecretString>,
    pub token_file: Option<PathBuf>,
    /// The workspace in which projects are made.
    pub workspace_id: String,
    /// What instances run: registry, name and digest.
    pub image: String,
    /// The workspace's own choice when it is not given.
    pub region: Option<String>,
    /// What one instance may use up; what the plan allows when these are not given.
    pub vcpus: Option<f64>,
    pub memory_gb: Option<f64>,
    /// How much the plan lets us ask of the API.
    pub calls_per_hour: u32,
    /// For rehearsals: where instances are reached, without TLS, instead of at Railway's edge.
    pub edge_address: Option<SocketAddr>,
}

impl Default for Railway {
    fn default() -> Self {
        Self {
            api_url: "https://backboard.railway.com".to_owned(),
            token: None,
            token_file: None,
            workspace_id: String::new(),
            image: String::new(),
            region: None,
            vcpus: None,
            memory_gb: None,
            calls_per_hour: 10_000,
            edge_address: None,
        }
    }
}
