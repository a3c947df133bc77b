//! The versions of `[[billing.taxes]]`. Like prices, new ones are for periods that begin later: a period that has begun
//! keeps the rates it began with.

pub(crate) mod store;

use ::store::sqlx::Error;
use billing::{TaxVersion, Taxed};
use domain::UsageHour;

use super::details::BillingDetails;
use super::plans;
use crate::app::Core;

/// Adds a version when the settings say otherwise than the newest one. It is valid from the next hour on; where nothing
/// was ever sold, from the beginning of the month, as the first version of the plan is.
pub(crate) async fn keep(core: &Core) -> Result<(), Error> {
    let rules = core.settings.billing.taxes.rules();
    let book = store::book(&core.db).await?;
    let now = UsageHour::of(core.clock.now());
    let valid_from = match book.newest() {
        Some(newest) if newest.rules == rules => return Ok(()),
        Some(newest) => plans::next(now.max(newest.valid_from)),
        None if rules.is_empty() => return Ok(()),
        None if plans::store::book(&core.db).await?.versions().is_empty() => now.month().first_hour(),
        None => plans::next(now),
    };
    store::insert(&core.db, &TaxVersion { valid_from, rules: rules.to_vec() }).await
}

/// What the rules mean for a customer; for one who set no details, what they mean for a stranger.
pub(crate) fn taxed(rules: &[billing::TaxRule], details: Option<&BillingDetails>) -> Taxed {
    let country = details.map(|details| details.country);
    Taxed::by(rules, country, details.and_then(|details| details.tax_id.as_ref()))
}
