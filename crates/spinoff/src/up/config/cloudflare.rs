use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

/// `[cloudflare]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cloudflare {
    pub api_url: String,
    pub token: Option<SecretString>,
    pub token_file: Option<PathBuf>,
    pub zone_id: String,
    pub account_id: String,
    /// These three are what `spinoff setup cloudflare` finds out; what is given here wins.
    pub team_domain: Option<String>,
    pub audience: Option<String>,
    pub policy_id: Option<String>,
    /// How many people the plan of Access has seats for.
    pub seats: u64,
    /// For rehearsals: where hostnames are reached, without TLS, instead of at Cloudflare's edge.
    pub edge_address: Option<SocketAddr>,
}

impl Default for Cloudflare {
    fn default() -> Self {
        Self {
            api_url: "https://api.cloudflare.com/client/v4".to_owned(),
            token: None,
            token_file: None,
            zone_id: String::new(),
            account_id: String::new(),
            team_domain: None,
            audience: None,
            policy_id: None,
            seats: 50,
            edge_address: None,
        }
    }
}
