//! The providers that the settings choose: whether they can be used, and how much more they take.

use std::time::Duration;

use ::providers::ProviderError;
use ::providers::compute::Compute as _;
use ::providers::edge::Edge as _;
use ::providers::inventory::{self, Ceiling};
use ::providers::payments::Payments as _;

use super::{Check, Verdict, wildcard};
use crate::data_folder::DataFolder;
use crate::up::config::homes;
use crate::up::config::{ComputeDriver, Config, EdgeDriver, MailDriver, PaymentsDriver, StorageDriver};
use crate::up::drivers::{self, CLOUDFLARE, STRIPE};
use crate::up::home::Home;

/// How long one provider may take in all.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the chosen providers say, each on its own: one that fails keeps none of the others from being asked.
pub async fn all(data: &DataFolder, config: &Config) -> Vec<Check> {
    let is_chosen = [
        homes::any(config, ComputeDriver::Railway),
        config.edge.driver == EdgeDriver::Cloudflare,
        config.payments.driver == PaymentsDriver::Stripe,
        config.mail.driver == MailDriver::Smtp,
        config.backups.driver == StorageDriver::S3 || config.backups.folder.is_some(),
    ];
    if !is_chosen.contains(&true) {
        return Vec::new();
    }
    let home = match Home::look(data, config).await {
        Ok(home) => home,
        Err(error) => {
            let advice = "see what is said of the store and the key file";
            return vec![Check::fail("providers", format!("can't be asked: {error:#}"), advice)];
        }
    };
    let mut checks = Vec::new();
    if homes::any(config, ComputeDriver::Railway) {
        checks.extend(of("Railway", railway(config, &home)).await);
        if config.edge.driver == EdgeDriver::Builtin {
            checks.push(wildcard::leads_here(config).await);
        }
    }
    if config.edge.driver == EdgeDriver::Cloudflare {
        checks.extend(of("Cloudflare", cloudflare(config, &home)).await);
    }
    if config.payments.driver == PaymentsDriver::Stripe {
        checks.extend(of("Stripe", stripe(config, &home)).await);
    }
    if config.mail.driver == MailDriver::Smtp {
        checks.extend(of("SMTP server", smtp(config)).await);
    }
    if config.backups.driver == StorageDriver::S3 || config.backups.folder.is_some() {
        checks.extend(of("place for backups", storage(config, data)).await);
    }
    checks
}

async fn storage(config: &Config, data: &DataFolder) -> anyhow::Result<Vec<Check>> {
    Ok(in_our_words(drivers::storage(config, data)?.check().await))
}

async fn of(name: &str, asked: impl Future<Output = anyhow::Result<Vec<Check>>>) -> Vec<Check> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(checks)) => checks,
        Ok(Err(error)) => vec![Check { advice: None, ..Check::fail(name, format!("{error:#}"), "") }],
        Err(_) => {
            let found = format!("did not answer within {} s", PATIENCE.as_secs());
            vec![Check::fail(name, found, "look at the provider's status page, and whether this machine reaches it")]
        }
    }
}

async fn railway(config: &Config, home: &Home) -> anyhow::Result<Vec<Check>> {
    let driver = drivers::railway(config, &home.parts)?;
    let mut checks = in_our_words(driver.check().await);
    checks.push(match driver.keeps_to_its_routing().await {
        Ok(()) => Check::ok("routing", format!("by {}", config.edge.routing.as_str())),
        Err(ProviderError::Refused { what, why, next }) => Check::fail("routing", format!("{what}: {why}"), next),
        Err(error) => Check::fail("routing", error.to_string(), "see what is said of the store"),
    });
    Ok(with_ceilings("Railway limits", checks, driver.ceilings()).await)
}

async fn cloudflare(config: &Config, home: &Home) -> anyhow::Result<Vec<Check>> {
    let known = home.findings.of(CLOUDFLARE).await?;
    let driver = drivers::cloudflare(config, &known, &home.parts)?;
    let checks = in_our_words(driver.check().await);
    Ok(with_ceilings("Cloudflare limits", checks, driver.ceilings()).await)
}

async fn stripe(config: &Config, home: &Home) -> anyhow::Result<Vec<Check>> {
    let known = home.findings.of(STRIPE).await?;
    Ok(in_our_words(drivers::stripe(config, &known, &home.parts)?.check().await))
}

async fn smtp(config: &Config) -> anyhow::Result<Vec<Check>> {
    Ok(in_our_words(vec![drivers::smtp(config)?.check().await]))
}

/// Limits are looked at where all else is well: otherwise they would only say the same again.
async fn with_ceilings(
    name: &str,
    mut checks: Vec<Check>,
    ceilings: impl Future<Output = Result<Vec<Ceiling>, ProviderError>>,
) -> Vec<Check> {
    if checks.iter().any(|check| check.verdict == Verdict::Fail) {
        return checks;
    }
    match ceilings.await {
        Ok(ceilings) => checks.extend(ceilings.iter().map(room)),
        Err(error) => checks.push(Check::fail(name, error.to_string(), "try again in a while")),
    }
    checks
}

/// How much room there is below a limit: from four fifths on somebody should know.
fn room(ceiling: &Ceiling) -> Check {
    let Ceiling { name, used, limit, renews_at, .. } = ceiling;
    let mut found = format!("{used} of {limit}");
    if let Some(at) = renews_at {
        found.push_str(&format!(", until {at}"));
    }
    let is_full = used >= limit;
    // What comes back by itself stops nothing for good.
    match (is_full, used.saturating_mul(5) >= limit.saturating_mul(4)) {
        (true, _) if renews_at.is_none() => Check::fail(*name, found, ceiling.advice),
        (true, _) | (_, true) => Check::warn(*name, found, ceiling.advice),
        (false, false) => Check::ok(*name, found),
    }
}

fn in_our_words(checks: Vec<inventory::Check>) -> Vec<Check> {
    let ours = |check: inventory::Check| Check {
        name: check.name,
        verdict: match check.verdict {
            inventory::Verdict::Ok => Verdict::Ok,
            inventory::Verdict::Warn => Verdict::Warn,
            inventory::Verdict::Fail => Verdict::Fail,
        },
        found: check.found,
        advice: Some(check.advice).filter(|advice| !advice.is_empty()),
    };
    checks.into_iter().map(ours).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_warned_of_from_four_fifths_on_and_fails_when_it_is_reached() {
        let of = |used, renews_at| {
            let (name, advice) = ("records in the zone", "take a larger plan");
            room(&Ceiling { name, used, limit: 200, per_instance: 2, renews_at, advice })
        };
        assert_eq!(of(159, None), Check::ok("records in the zone", "159 of 200"));
        assert_eq!(of(160, None), Check::warn("records in the zone", "160 of 200", "take a larger plan"));
        assert_eq!(of(200, None).verdict, Verdict::Fail);
        assert_eq!(of(200, Some(jiff::Timestamp::UNIX_EPOCH)).verdict, Verdict::Warn);
    }
}
