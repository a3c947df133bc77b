use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Url;
use secrecy::SecretString;

use crate::ProviderError;
use crate::budget::Rate;
use crate::http::Observer;

/// How the driver uses Cloudflare.
#[derive(Clone)]
pub struct CloudflareSettings {
    /// Where the API is: `https://api.cloudflare.com/client/v4`.
    pub api: Url,
    /// A token for the zone's records and for Access.
    pub token: SecretString,
    /// The zone in which hostnames are published.
    pub zone_id: String,
    /// The account that the zone and Access belong to.
    pub account_id: String,
    /// The team, as `name`, as its whole domain, or as an address where it is rehearsed.
    pub team_domain: String,
    /// The tag (`aud`) of the wildcard application; empty until the setup gave it.
    pub audience: String,
    /// The reusable policy that lets members through; empty until the setup gave it.
    pub policy_id: String,
    /// Below which hostnames are: `ai-diy.ai`.
    pub base_domain: String,
    /// The name of the machine that the wildcard record leads to, where one record serves all hostnames; `None`
    /// where each has records of its own.
    pub router: Option<String>,
    /// How many people the plan of Access has seats for.
    pub seats: u64,
    /// How much may be asked of the API.
    pub rate: Rate,
    /// How long an answer may take.
    pub deadline: Duration,
    /// The longest pause before what is safe is asked again.
    pub pause: Duration,
    /// Is told of each call.
    pub observer: Observer,
}

impl CloudflareSettings {
    /// The usual settings, with the limits of the plan Free. What the setup finds out is empty.
    ///
    /// # Errors
    /// Refused when the address is none.
    pub fn new(
        api: &str,
        token: SecretString,
        zone_id: impl Into<String>,
        account_id: impl Into<String>,
        base_domain: impl Into<String>,
    ) -> Result<Self, ProviderError> {
        let wrong = |error| ProviderError::refused("read Cloudflare's address", error, "write it as https://host/path");
        Ok(Self {
            api: api.parse().map_err(wrong)?,
            token,
            zone_id: zone_id.into(),
            account_id: account_id.into(),
            team_domain: String::new(),
            audience: String::new(),
            policy_id: String::new(),
            base_domain: base_domain.into(),
            router: None,
            seats: 50,
            rate: Rate { number: 1200, per: SignedDuration::from_mins(5), burst: 100 },
            deadline: Duration::from_secs(30),
            pause: Duration::from_secs(2),
            observer: Arc::new(|_| ()),
        })
    }

    /// Who signs the assertions, without a slash at its end.
    pub(super) fn issuer(&self) -> String {
        let team = self.team_domain.trim_end_matches('/');
        match team {
            address if address.contains("://") => address.to_owned(),
            domain if domain.contains('.') => format!("https://{domain}"),
            name => format!("https://{name}.cloudflareaccess.com"),
        }
    }
}

impl std::fmt::Debug for CloudflareSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CloudflareSettings").field("zone_id", &self.zone_id).finish_non_exhaustive()
    }
}
