use std::path::PathBuf;

use control_plane::WatchSettings;
use domain::Email;
use secrecy::SecretString;
use serde::Deserialize;

/// `[health]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Health {
    /// How many instances may be asked through their hostnames in a second, all together.
    pub probes_per_second: u32,
}

/// `[alerts]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alerts {
    /// Is told of each alert, signed.
    pub webhook_url: Option<String>,
    /// By what that is signed: `whsec_…`.
    pub webhook_secret: Option<SecretString>,
    pub webhook_secret_file: Option<PathBuf>,
    /// After so many minutes, `escalate_to` is told of what nobody has taken up.
    pub escalate_after_minutes: Option<u32>,
    /// Who that is.
    pub escalate_to: Option<Email>,
}

/// `[status]`: the status pages of the companies that all of it runs at, each the complete address of its JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Status {
    pub railway_url: Option<String>,
    pub cloudflare_url: Option<String>,
    pub stripe_url: Option<String>,
}

impl Default for Health {
    fn default() -> Self {
        Self { probes_per_second: WatchSettings::default().probes_per_second }
    }
}
