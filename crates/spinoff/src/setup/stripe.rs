use ::providers::ProviderError;
use ::providers::payments::stripe::Wanted;
use ::providers::setup::{Known, State, Step};
use secrecy::ExposeSecret as _;

use super::plan::Part;
use super::{Planned, Provider};
use crate::up::config::Config;
use crate::up::drivers::{self, BASE_PRICE, STRIPE, WEBHOOK_SECRET};
use crate::up::home::Home;

/// Which endpoint the kept secret belongs to.
const ENDPOINT: &str = "webhook_endpoint";

pub async fn plan(config: &Config, home: &Home) -> Planned<Part> {
    let known = home.findings.of(STRIPE).await?;
    let driver = drivers::stripe(config, &known, &home.parts)?;
    let steps = match driver.plan(&wanted(config, &known)).await {
        Ok(steps) => steps,
        Err(error) => return Ok(Err(error)),
    };
    let is_kept = drivers::stripe_is_set_up(config, &known).is_ok();
    let state = if is_kept { State::Present } else { State::Missing };
    let kept = Step { what: "what was made, in this installation's record".to_owned(), state };
    let steps = steps.into_iter().chain([kept]).collect();
    Ok(Ok(Part { provider: Provider::Stripe, steps, notes: Vec::new() }))
}

pub async fn apply(config: &Config, home: &Home) -> Planned<Vec<String>> {
    let known = home.findings.of(STRIPE).await?;
    let driver = drivers::stripe(config, &known, &home.parts)?;
    let keep = async |ready: &::providers::payments::stripe::Ready| {
        home.findings.keep(STRIPE, BASE_PRICE, &ready.base_price.as_str().into()).await?;
        let Some((id, secret)) = &ready.endpoint else { return Ok::<(), ProviderError>(()) };
        // A secret that belongs to another endpoint would be worse than none.
        home.findings.keep_all(STRIPE, &[(WEBHOOK_SECRET, secret), (ENDPOINT, &id.as_str().into())]).await
    };
    let done = driver.apply(&wanted(config, &known), keep).await;
    let portal = "save the settings of the customer portal once: dashboard.stripe.com/settings/billing/portal";
    Ok(done.map(|_| vec![portal.to_owned()]))
}

fn wanted(config: &Config, known: &Known) -> Wanted {
    let endpoint = known.get(ENDPOINT).filter(|_| known.contains_key(WEBHOOK_SECRET));
    Wanted {
        product: config.site.product.clone(),
        endpoint: endpoint.map(|id| id.expose_secret().to_owned()),
        keeps_endpoint: config.stripe.webhook_secret.is_some() || config.stripe.webhook_secret_file.is_some(),
    }
}
