//! One hour of one instance: what shows that it was used, and what becomes of its price.

use ::store::sqlx::Error;
use billing::{Invoice, LineKind, Terms, Usage};
use domain::{Cents, Evidence, InstanceId, UsageHour};

use super::close::{Closing, PERIODS_OPEN_TO_CHANGES, store as services};
use super::contests::{self, Contest};
use super::waivers::{self, KeptWaiver};
use super::{invoices, plans};
use crate::app::Core;
use crate::usage;

/// See the module.
pub(crate) struct HourOfUse {
    pub charge: Charge,
    /// Of the price; ISO 4217, lower case.
    pub currency: String,
    pub evidence: Vec<Evidence>,
    pub waiver: Option<KeptWaiver>,
    pub contest: Option<Contest>,
    /// Whether somebody is to pay for it, and so may contest it.
    pub is_billable: bool,
}

/// What becomes of an hour's price, which is before discounts and taxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Charge {
    /// It was not used.
    Unused,
    /// Nothing was to be paid yet: it lies in a trial, or before the service began.
    Free,
    /// It stands on the next invoice.
    Coming { price: Cents },
    /// It stands on this invoice.
    Billed { invoice: String, price: Cents },
    /// It was waived before it was billed.
    Waived,
    /// It stood on this invoice, and was waived then.
    Credited { invoice: String, price: Cents },
}

/// All that is known of an hour.
pub(crate) async fn of(core: &Core, instance: InstanceId, hour: UsageHour) -> Result<HourOfUse, Error> {
    let terms = terms(core, instance, hour).await?;
    let mut connection = core.db.read().acquire().await?;
    let usage = usage::recorded(&mut connection, instance, hour, plans::next(hour)).await?;
    let billed = invoices::store::latest(&mut connection, instance, PERIODS_OPEN_TO_CHANGES).await?;
    let contest = contests::store::find(&mut connection, &contests::id_of(instance, hour)).await?;
    let waiver = waivers::store::find(&mut connection, instance, hour).await?;
    drop(connection);
    let mut evidence = usage::store::evidence(&core.db, instance, hour.month()).await?;
    evidence.retain(|entry| entry.hour == hour);
    let (charge, currency) = match on_an_invoice(&usage, &billed, hour) {
        Some(found) => found,
        None => not_billed(core, &usage, terms.as_ref(), hour),
    };
    Ok(HourOfUse { charge, currency, evidence, waiver, contest, is_billable: usage.billable().contains(hour) })
}

/// By what an hour is charged; nothing for an instance that was never in use, or where there is no plan.
async fn terms(core: &Core, instance: InstanceId, hour: UsageHour) -> Result<Option<Terms>, Error> {
    let Some(service) = services::find(&core.db, instance).await? else { return Ok(None) };
    let period = core.settings.billing.cycle_of(service.began).period_of(hour);
    // Taxes and coupons do not concern a price before them.
    Ok(Closing::new(core).await?.terms(&service, period, None))
}

fn on_an_invoice(usage: &Usage, billed: &[Invoice], hour: UsageHour) -> Option<(Charge, String)> {
    let (invoice, line) = billed.iter().find_map(|invoice| {
        let line = invoice.lines.iter().find(|line| line.hours.contains(hour))?;
        Some((invoice, line))
    })?;
    let (number, price) = (invoice.number.clone(), line.unit);
    let charge = match line.kind {
        LineKind::TrialHours => Charge::Free,
        _ if usage.waived().contains(hour) => Charge::Credited { invoice: number, price },
        _ => Charge::Billed { invoice: number, price },
    };
    Some((charge, invoice.currency.to_string()))
}

fn not_billed(core: &Core, usage: &Usage, terms: Option<&Terms>, hour: UsageHour) -> (Charge, String) {
    let plan = &core.settings.plan;
    let price = terms.map_or(plan.hour_cents, |terms| terms.plan.hour.amount());
    let charge = if usage.waived().contains(hour) {
        Charge::Waived
    } else if !usage.used().contains(hour) {
        Charge::Unused
    } else if terms.is_some_and(|terms| hour < terms.charged_from()) {
        Charge::Free
    } else {
        Charge::Coming { price }
    };
    (charge, terms.map_or_else(|| plan.currency.clone(), |terms| terms.plan.currency.to_string()))
}
