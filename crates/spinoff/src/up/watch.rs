//! Builds from the settings how instances are watched, and who is told what of it.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use control_plane::{AlertSettings, Escalation, WatchSettings};
use jiff::SignedDuration;
use providers::status_feed::StatusFeed;
use providers::webhook::Webhook;

use super::config::{Config, secret};
use super::drivers::Parts;

const LEAST_MINUTES: u32 = 1;

/// How instances are watched, and who is told what of it.
///
/// # Errors
/// When a setting lacks the one that it needs, or is of another form: which, and what to do.
pub fn settings(config: &Config, parts: &Parts) -> anyhow::Result<WatchSettings> {
    let alerts = AlertSettings { webhook: webhook(config, parts)?, escalation: escalation(config)? };
    let pages = [
        ("railway", &config.status.railway_url),
        ("cloudflare", &config.status.cloudflare_url),
        ("stripe", &config.status.stripe_url),
    ];
    let mut status_feeds = Vec::new();
    for (name, url) in pages {
        let Some(url) = url.as_deref().filter(|url| !url.is_empty()) else { continue };
        let (db, clock, entropy) = (parts.db.clone(), parts.clock.clone(), parts.entropy.clone());
        let feed = StatusFeed::new(name, url, db, clock, entropy);
        status_feeds.push(feed.with_context(|| format!("[status] {name}_url can't be used"))?);
    }
    Ok(WatchSettings { probes_per_second: config.health.probes_per_second, alerts, status_feeds })
}

fn webhook(config: &Config, parts: &Parts) -> anyhow::Result<Option<Arc<Webhook>>> {
    let section = &config.alerts;
    let key = secret(section.webhook_secret.as_ref(), section.webhook_secret_file.as_ref())?;
    match (section.webhook_url.as_deref().filter(|url| !url.is_empty()), key) {
        (None, _) => Ok(None),
        (Some(_), None) => bail!(
            "[alerts] webhook_url is set and webhook_secret is not; set it to `whsec_` and what `openssl rand -base64 32` \
             prints, and give the same to whoever receives the alerts"
        ),
        (Some(url), Some(key)) => {
            let (db, clock, entropy) = (parts.db.clone(), parts.clock.clone(), parts.entropy.clone());
            let webhook = Webhook::new(url, &key, db, clock, entropy).context("[alerts] the webhook can't be used")?;
            Ok(Some(Arc::new(webhook)))
        }
    }
}

fn escalation(config: &Config) -> anyhow::Result<Option<Escalation>> {
    match (config.alerts.escalate_after_minutes, &config.alerts.escalate_to) {
        (None, None) => Ok(None),
        (Some(minutes), Some(to)) if minutes >= LEAST_MINUTES => {
            Ok(Some(Escalation { after: SignedDuration::from_mins(i64::from(minutes)), to: to.clone() }))
        }
        (Some(_), Some(_)) => bail!("[alerts] escalate_after_minutes is 0; set it to 1 or more"),
        _ => bail!("[alerts] escalate_after_minutes and escalate_to go together; set both, or neither"),
    }
}
