//! The versions of the plan. `[plan]` says what is sold from now on; what was sold before stays known.

pub(crate) mod store;

use anyhow::Context as _;
use billing::{Currency, PlanVersion, Price};
use domain::{Plan, UsageHour};

use crate::app::Core;

/// Adds a version when the settings say otherwise than the newest one. It is valid from the next hour on, the first one
/// from the beginning of the month: periods that have begun keep their price.
pub(crate) async fn keep(core: &Core) -> anyhow::Result<()> {
    let mut book = store::book(&core.db).await?;
    let now = UsageHour::of(core.clock.now());
    let newest = book.versions().last();
    let valid_from = match newest {
        None => now.month().first_hour(),
        Some(newest) => next(now.max(newest.valid_from)),
    };
    let id = format!("plan {}", book.versions().len() + 1);
    let version = version(&core.settings.plan, id, valid_from).context("reading [plan]")?;
    if newest.is_some_and(|newest| is_same(newest, &version)) {
        return Ok(());
    }
    book.add(version.clone(), now).context("changing [plan]")?;
    // Another replica, with the same settings, may have added it first.
    Ok(store::insert(&core.db, &version).await?)
}

fn version(plan: &Plan, id: String, valid_from: UsageHour) -> anyhow::Result<PlanVersion> {
    Ok(PlanVersion {
        id,
        valid_from,
        base: Price::new(plan.base_cents).context("base_cents")?,
        hour: Price::new(plan.hour_cents).context("hour_cents")?,
        currency: Currency::parse(&plan.currency).context("currency")?,
        trial_days: plan.trial_days,
        // Taxes depend on the customer, and have versions of their own.
        taxes: Vec::new(),
    })
}

fn is_same(newest: &PlanVersion, wanted: &PlanVersion) -> bool {
    let newest = PlanVersion { id: wanted.id.clone(), valid_from: wanted.valid_from, ..newest.clone() };
    newest == *wanted
}

pub(crate) fn next(hour: UsageHour) -> UsageHour {
    UsageHour::from_number(hour.get().saturating_add(1)).unwrap_or(hour)
}
