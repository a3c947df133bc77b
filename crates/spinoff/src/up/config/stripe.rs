use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

use super::Secrets;

/// `[stripe]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stripe {
    pub api_url: String,
    pub secret_key: Option<SecretString>,
    pub secret_key_file: Option<PathBuf>,
    /// These two are what `spinoff setup stripe` makes; what is given here wins.
    pub webhook_secret: Option<Secrets>,
    pub webhook_secret_file: Option<PathBuf>,
    pub base_price: Option<String>,
}

impl Default for Stripe {
    fn default() -> Self {
        Self {
            api_url: "https://api.stripe.com".to_owned(),
            secret_key: None,
            secret_key_file: None,
            webhook_secret: None,
            webhook_secret_file: None,
            base_price: None,
        }
    }
}
