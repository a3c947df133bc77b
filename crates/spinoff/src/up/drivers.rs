//! Builds the drivers of other companies from the settings and from what their setups found out.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use domain::HomeName;
use providers::Routing;
use providers::compute::railway::{Limits, Railway, RailwaySettings, Tokens};
use providers::edge::Cloudflare;
use providers::edge::cloudflare::CloudflareSettings;
use providers::mail::Smtp;
use providers::payments::stripe::{Stripe, StripeSettings};
use providers::setup::Known;
use providers::storage::{FolderStorage, S3Settings, S3Storage, Storage};
use secrecy::{ExposeSecret as _, SecretString};
use store::Db;
use world::{Clock, Entropy, Sealer};

use super::config::homes::Home;
use super::config::{Config, Secrets, StorageDriver, host_of, secret};
use crate::data_folder::DataFolder;

/// How the providers are called in the record of what their setups found out.
pub const CLOUDFLARE: &str = "cloudflare";
/// As above.
pub const STRIPE: &str = "stripe";

/// What of Cloudflare is kept.
pub const AUDIENCE: &str = "audience";
/// As above.
pub const POLICY: &str = "policy_id";
/// As above.
pub const TEAM: &str = "team_domain";
/// As above: where the wildcard record was led.
pub const ROUTER: &str = "router";
/// What of Stripe is kept.
pub const BASE_PRICE: &str = "base_price";
/// As above.
pub const WEBHOOK_SECRET: &str = "webhook_secret";

const CLOUDFLARE_TOKEN: &str = "make one at dash.cloudflare.com → My Profile → API Tokens with the permissions “DNS: \
    Edit” and “Zone Settings: Edit” on the zone, and “Access: Apps and Policies: Edit” and “Access: Organizations, \
    Identity Providers, and Groups: Edit” on the account; “Access: Audit Logs: Read” as well if the record shall show who \
    signed in";

/// What every driver is made with.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Keeps their record.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub entropy: Entropy,
    /// What guards' tokens follow from, where there is a key already.
    pub sealer: Option<Arc<Sealer>>,
}

/// A driver for Railway.
///
/// # Errors
/// When a setting is missing: which, and where to get it.
pub fn railway(config: &Config, parts: &Parts) -> anyhow::Result<Railway> {
    let settings = railway_settings(config, parts)?;
    Ok(Railway::new(settings, parts.db.clone(), parts.clock.clone(), parts.entropy.clone())?)
}

/// A driver for one of several homes at Railway: the same workspace, and another region.
///
/// # Errors
/// As [`railway`].
pub fn railway_home(config: &Config, parts: &Parts, name: &HomeName, home: &Home) -> anyhow::Result<Railway> {
    let settings = railway_settings(config, parts)?;
    let settings = RailwaySettings { home: name.clone(), region: home.region.clone(), ..settings };
    Ok(Railway::new(settings, parts.db.clone(), parts.clock.clone(), parts.entropy.clone())?)
}

fn railway_settings(config: &Config, parts: &Parts) -> anyhow::Result<RailwaySettings> {
    const CHOSEN: &str = "[compute] driver is railway";
    let section = &config.railway;
    let advice = "make a workspace token at railway.com, in the settings of the workspace in which instances shall run";
    let token = token(CHOSEN, "[railway] token", section.token.as_ref(), section.token_file.as_ref(), advice)?;
    let advice = "copy the workspace's id from its settings at railway.com";
    let workspace = given(CHOSEN, "[railway] workspace_id", &section.workspace_id, advice)?;
    let mut settings = RailwaySettings::new(&section.api_url, token, workspace)?;
    settings.region.clone_from(&section.region);
    settings.limits = section.vcpus.zip(section.memory_gb).map(|(vcpus, memory_gb)| Limits { vcpus, memory_gb });
    settings.routing = config.edge.routing;
    settings.model = config.model.offer();
    settings.rate.number = section.calls_per_hour;
    settings.edge_address = section.edge_address;
    settings.tokens = parts
        .sealer
        .clone()
        .map(|sealer| -> Tokens { Arc::new(move |instance| control_plane::instance_token(&sealer, instance)) });
    settings.observer = Arc::new(workflow::note);
    Ok(settings)
}

/// A driver for Cloudflare. What its setup finds out may be unknown yet.
///
/// # Errors
/// When another setting is missing: which, and where to get it.
pub fn cloudflare(config: &Config, known: &Known, parts: &Parts) -> anyhow::Result<Cloudflare> {
    const CHOSEN: &str = "[edge] driver is cloudflare";
    let section = &config.cloudflare;
    let (value, file) = (section.token.as_ref(), section.token_file.as_ref());
    let token = token(CHOSEN, "[cloudflare] token", value, file, CLOUDFLARE_TOKEN)?;
    let advice = "copy it from the zone's overview at dash.cloudflare.com";
    let zone = given(CHOSEN, "[cloudflare] zone_id", &section.zone_id, advice)?;
    let account = given(CHOSEN, "[cloudflare] account_id", &section.account_id, advice)?;
    let mut settings = CloudflareSettings::new(&section.api_url, token, zone, account, &config.site.base_domain)?;
    let found = Found::at_cloudflare(config, known);
    settings.audience = found.audience.unwrap_or_default();
    settings.policy_id = found.policy.unwrap_or_default();
    settings.team_domain = found.team.unwrap_or_default();
    settings.router = router(config).map(str::to_owned);
    settings.seats = section.seats;
    settings.observer = Arc::new(workflow::note);
    Ok(Cloudflare::new(settings, parts.db.clone(), parts.clock.clone(), parts.entropy.clone())?)
}

/// A driver for Stripe. What its setup makes may be unknown yet.
///
/// # Errors
/// When another setting is missing: which, and where to get it.
pub fn stripe(config: &Config, known: &Known, parts: &Parts) -> anyhow::Result<Stripe> {
    const CHOSEN: &str = "[payments] driver is stripe";
    let section = &config.stripe;
    let advice = "make one at dashboard.stripe.com → Developers → API keys";
    let (value, file) = (section.secret_key.as_ref(), section.secret_key_file.as_ref());
    let key = token(CHOSEN, "[stripe] secret_key", value, file, advice)?;
    let is_live = key.expose_secret().contains("_live_");
    let price = base_price(config, known).unwrap_or_default();
    let mut settings = StripeSettings::new(&section.api_url, key, webhook_secrets(config, known)?, price)?;
    settings.webhook_url = webhook_url(config);
    settings.currency = Some(config.plan.currency.clone());
    if is_live {
        // Stripe answers 100 a second then; the rest is for whoever else uses the account.
        (settings.rate.number, settings.rate.burst) = (80, 80);
    }
    settings.observer = Arc::new(workflow::note);
    Ok(Stripe::new(settings, parts.db.clone(), parts.clock.clone(), parts.entropy.clone())?)
}

/// Where backups are kept.
///
/// # Errors
/// When a setting is missing or can't be meant.
pub fn storage(config: &Config, data: &DataFolder) -> anyhow::Result<Arc<dyn Storage>> {
    let section = &config.backups;
    match section.driver {
        StorageDriver::Folder => {
            Ok(Arc::new(FolderStorage::new(section.folder.clone().unwrap_or_else(|| data.backups()))))
        }
        StorageDriver::S3 => {
            const CHOSEN: &str = "[backups] driver is s3";
            let (value, file) = (section.secret_access_key.as_ref(), section.secret_access_key_file.as_ref());
            let advice = "it belongs to the access_key_id";
            let settings = S3Settings {
                endpoint: section.endpoint.clone(),
                bucket: section.bucket.clone(),
                prefix: section.prefix.clone(),
                region: section.region.clone(),
                access_key_id: section.access_key_id.clone(),
                secret_access_key: token(CHOSEN, "[backups] secret_access_key", value, file, advice)?,
            };
            Ok(Arc::new(S3Storage::new(&settings)?))
        }
    }
}

/// A way for mail to leave by SMTP.
///
/// # Errors
/// When a setting is missing or can't be read.
pub fn smtp(config: &Config) -> anyhow::Result<Smtp> {
    let url = secret(config.smtp.url.as_ref(), config.smtp.url_file.as_ref())?
        .context("[mail] driver is smtp, but [smtp] url (or url_file) is missing")?;
    let from = config.mail.from.as_deref().context("[mail] driver is smtp, but [mail] from is missing")?;
    Ok(Smtp::new(&url, from)?)
}

/// Refuses to go on before the setup at Cloudflare was done.
pub fn cloudflare_is_set_up(config: &Config, known: &Known) -> anyhow::Result<()> {
    let Found { audience, policy, team } = Found::at_cloudflare(config, known);
    let missing = [(AUDIENCE, audience), (POLICY, policy), (TEAM, team)].into_iter().find(|(_, held)| held.is_none());
    let record = router(config).filter(|router| known.get(ROUTER).is_none_or(|held| held.expose_secret() != *router));
    let name = match (missing, record) {
        (Some((name, _)), _) => name.to_owned(),
        (None, Some(router)) => format!("record *.{}, which leads to {router},", config.site.base_domain),
        (None, None) => return Ok(()),
    };
    bail!("[edge] driver is cloudflare, but its {name} is not known yet; run `spinoff setup cloudflare` first")
}

/// The name of the machine that the wildcard record leads to, where one record serves all hostnames: the
/// site's own.
pub fn router(config: &Config) -> Option<&str> {
    let url = config.site.public_url().filter(|_| config.edge.routing == Routing::Wildcard);
    url.map(host_of)
}

/// Refuses to go on before the setup at Stripe was done.
pub fn stripe_is_set_up(config: &Config, known: &Known) -> anyhow::Result<()> {
    let name = match (base_price(config, known), webhook_secrets(config, known)?.is_empty()) {
        (None, _) => BASE_PRICE,
        (_, true) => WEBHOOK_SECRET,
        (Some(_), false) => return Ok(()),
    };
    bail!("[payments] driver is stripe, but its {name} is not known yet; run `spinoff setup stripe` first")
}

/// Where Stripe sends its events, if that is an address that it could reach.
pub fn webhook_url(config: &Config) -> Option<String> {
    config.site.public_url().map(|url| format!("{url}/webhooks/stripe"))
}

fn base_price(config: &Config, known: &Known) -> Option<String> {
    one(config.stripe.base_price.as_ref(), known, BASE_PRICE)
}

fn webhook_secrets(config: &Config, known: &Known) -> anyhow::Result<Vec<SecretString>> {
    let section = &config.stripe;
    let mut all = Secrets::read(section.webhook_secret.as_ref(), section.webhook_secret_file.as_ref())?;
    if all.is_empty() {
        all.extend(known.get(WEBHOOK_SECRET).cloned());
    }
    Ok(all)
}

struct Found {
    audience: Option<String>,
    policy: Option<String>,
    team: Option<String>,
}

impl Found {
    fn at_cloudflare(config: &Config, known: &Known) -> Self {
        let section = &config.cloudflare;
        Self {
            audience: one(section.audience.as_ref(), known, AUDIENCE),
            policy: one(section.policy_id.as_ref(), known, POLICY),
            team: one(section.team_domain.as_ref(), known, TEAM),
        }
    }
}

/// The settings win.
fn one(setting: Option<&String>, known: &Known, name: &str) -> Option<String> {
    let setting = setting.filter(|value| !value.is_empty()).cloned();
    setting.or_else(|| known.get(name).map(|value| value.expose_secret().to_owned()))
}

fn token(
    chosen: &str,
    name: &str,
    value: Option<&SecretString>,
    file: Option<&PathBuf>,
    advice: &str,
) -> anyhow::Result<SecretString> {
    let key = name.rsplit(' ').next().unwrap_or_default();
    secret(value, file)?.with_context(|| format!("{chosen}, but {name} (or {key}_file) is missing; {advice}"))
}

fn given<'a>(chosen: &str, name: &str, value: &'a str, advice: &str) -> anyhow::Result<&'a str> {
    ensure!(!value.is_empty(), "{chosen}, but {name} is missing; {advice}");
    Ok(value)
}
