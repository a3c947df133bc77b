use ::providers::ProviderError;
use ::providers::edge::cloudflare::Ready;
use ::providers::setup::{Known, State, Step};
use secrecy::ExposeSecret as _;

use super::plan::Part;
use super::{Planned, Provider};
use crate::up::config::Config;
use crate::up::drivers::{self, AUDIENCE, CLOUDFLARE, POLICY, ROUTER, TEAM};
use crate::up::home::Home;

pub async fn plan(config: &Config, home: &Home) -> Planned<Part> {
    let known = home.findings.of(CLOUDFLARE).await?;
    let driver = drivers::cloudflare(config, &known, &home.parts)?;
    let railway = drivers::railway(config, &home.parts)?;
    let planned = async {
        // A wildcard record beside hostnames that have their own would be half of each.
        railway.keeps_to_its_routing().await?;
        driver.can_begin().await?;
        let mut steps = driver.plan().await?;
        let state = match driver.found().await? {
            Some(ready) if is_known(config, &ready, &known) => State::Present,
            _ if known.is_empty() => State::Missing,
            _ => State::Differs,
        };
        steps.push(Step { what: "what was found out, in this installation's record".to_owned(), state });
        Ok(Part { provider: Provider::Cloudflare, steps, notes: overridden(config) })
    };
    Ok(planned.await)
}

pub async fn apply(config: &Config, home: &Home) -> Planned<Vec<String>> {
    let known = home.findings.of(CLOUDFLARE).await?;
    let driver = drivers::cloudflare(config, &known, &home.parts)?;
    let ready = match driver.apply().await {
        Ok(ready) => ready,
        Err(error) => return Ok(Err(error)),
    };
    Ok(keep(config, home, ready).await.map(|()| overridden(config)))
}

async fn keep(config: &Config, home: &Home, ready: Ready) -> Result<(), ProviderError> {
    let router = drivers::router(config).map(|router| (ROUTER, router.to_owned()));
    let found = [(AUDIENCE, ready.audience), (POLICY, ready.policy_id), (TEAM, ready.team_domain)];
    for (name, value) in found.into_iter().chain(router) {
        home.findings.keep(CLOUDFLARE, name, &value.into()).await?;
    }
    Ok(())
}

fn is_known(config: &Config, ready: &Ready, known: &Known) -> bool {
    let is = |name: &str, value: &str| known.get(name).is_some_and(|held| held.expose_secret() == value);
    let router = drivers::router(config).is_none_or(|router| is(ROUTER, router));
    is(AUDIENCE, &ready.audience) && is(POLICY, &ready.policy_id) && is(TEAM, &ready.team_domain) && router
}

/// What the settings say goes before what is found out here.
fn overridden(config: &Config) -> Vec<String> {
    let section = &config.cloudflare;
    let all = [(AUDIENCE, &section.audience), (POLICY, &section.policy_id), (TEAM, &section.team_domain)];
    let set = all.into_iter().filter(|(_, value)| value.as_ref().is_some_and(|value| !value.is_empty()));
    set.map(|(name, _)| format!("[cloudflare] {name} is set and goes before what was found out; remove it to use that"))
        .collect()
}
