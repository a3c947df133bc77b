use ::providers::ProviderError;
use ::providers::compute::Compute as _;
use ::providers::inventory::Verdict;
use ::providers::setup::{State, Step};
use secrecy::ExposeSecret as _;

use super::plan::Part;
use super::{Planned, Provider};
use crate::up::config::{Config, EdgeDriver, host_of};
use crate::up::drivers;
use crate::up::home::Home;

/// Nothing is made at Railway before the first instance; token and workspace are looked at.
pub async fn plan(config: &Config, home: &Home) -> Planned<Part> {
    let driver = drivers::railway(config, &home.parts)?;
    let mut steps = Vec::new();
    for check in driver.check().await {
        if check.verdict == Verdict::Fail {
            return Ok(Err(ProviderError::refused(check.name, check.found, check.advice)));
        }
        let advice = if check.advice.is_empty() { String::new() } else { format!("; {}", check.advice) };
        steps.push(Step { what: format!("{}: {}{advice}", check.name, check.found), state: State::Present });
    }
    Ok(Ok(Part { provider: Provider::Railway, steps, notes: notes(config, home) }))
}

/// The webhook is entered by hand: it only makes things quicker, since everything is looked at anyway.
pub fn notes(config: &Config, home: &Home) -> Vec<String> {
    let Some(url) = config.site.public_url() else { return Vec::new() };
    let mut notes = Vec::new();
    if config.edge.driver == EdgeDriver::Builtin {
        let (base, site) = (&config.site.base_domain, host_of(url));
        notes.push(format!(
            "make a DNS record *.{base} that leads where {site} does; `spinoff doctor` looks whether it does"
        ));
    }
    let Some(sealer) = &home.sealer else { return notes };
    let secret = control_plane::railway_webhook_secret(sealer);
    let address = format!("{url}/webhooks/railway/{}", secret.expose_secret());
    notes.push(format!(
        "to learn of deployments at once, enter this address (keep it secret) as a webhook in the workspace's settings \
         at railway.com: {address}"
    ));
    notes
}
