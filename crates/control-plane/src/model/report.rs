//! What of the allowance is used, for customers and operators.

use ::store::sqlx::Error;
use domain::{InstanceId, Micros, Month};
use jiff::Timestamp;

use super::store::{self, Scope, Used};
use crate::app::Core;

/// How an instance stands in the month that runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// With the most for what is being answered now.
    pub used: Micros,
    pub allowance: Micros,
    /// From when on there is a new one.
    pub renewed_at: Timestamp,
}

/// A month of all instances.
pub(crate) struct OfMonth {
    pub used: Micros,
    pub each: Vec<Used>,
}

/// How an instance stands; none where no model is offered.
pub(crate) async fn standing(core: &Core, instance: InstanceId) -> Result<Option<Standing>, Error> {
    let Some(gateway) = &core.model else { return Ok(None) };
    let month = Month::of(core.clock.now());
    let used = store::used(&core.db, month, Scope::Instance(instance)).await?;
    let renewed_at = month.next().first_hour().start();
    Ok(Some(Standing { used, allowance: gateway.settings().allowance, renewed_at }))
}

/// What was used in a month, by whom, of which model.
pub(crate) async fn of_month(core: &Core, month: Month) -> Result<OfMonth, Error> {
    let used = store::used(&core.db, month, Scope::All).await?;
    Ok(OfMonth { used, each: store::of_month(&core.db, month).await? })
}

impl Standing {
    /// `$3.20 of $5.00`
    pub(crate) fn in_words(&self) -> String {
        let [used, allowance] = [self.used, self.allowance].map(|amount| amount.to_cents().priced("usd"));
        format!("{used} of {allowance}")
    }
}
