//! How much a customer wants to spend: a cap that closes the workspace, and a budget that only tells.
//!
//! Caps are never changed, only followed by others, so that what was charged can be computed again. A cap is watched
//! (`watch.rs`) while its period runs, and hours that began beyond it all the same are waived before they are billed.

pub(crate) mod store;
pub(crate) mod watch;

use std::collections::BTreeSet;

use ::store::Tx;
use ::store::sqlx::Error;
use billing::{Budget, Cap, CapChosen, CapHistory, Price, Rate, Terms};
use domain::{Cents, InstanceId, UsageHour};

use super::running::Running;
use super::waivers::{self, Waiver};
use crate::app::{App, Core};
use crate::error::{AppError, refused};
use crate::instances::holds;
use crate::{audit, usage};

/// Parts of a budget that can be told, in percent.
pub(crate) const THRESHOLDS: [u32; 3] = [50, 80, 100];

/// More hours than this are in no period.
const MOST_HOURS: u32 = 744;

/// Who waives what is beyond a cap.
const AUTHOR: &str = "spending cap";

/// Reads a cap in hours as it was entered.
pub(crate) fn hours(text: &str) -> Result<Cap, AppError> {
    let hours = text.trim().parse().map_err(|_| no_hours(&format!("{text:?} is not a number of hours")))?;
    of_hours(hours)
}

/// A cap in hours, if a period has so many.
pub(crate) fn of_hours(hours: u32) -> Result<Cap, AppError> {
    let possible = (hours <= MOST_HOURS).then_some(Cap::Hours(hours));
    possible.ok_or_else(|| no_hours(&format!("{hours} hours are in no period")))
}

fn no_hours(what: &str) -> AppError {
    refused(422, what, &format!("Enter a whole number from 0 to {MOST_HOURS}, such as 40."))
}

/// Reads a cap in money as it was entered.
pub(crate) fn money(text: &str) -> Result<Cap, AppError> {
    of_money(Cents::parse(text).map_err(|error| unreadable(&error.to_string()))?)
}

/// A cap in money.
pub(crate) fn of_money(amount: Cents) -> Result<Cap, AppError> {
    price(amount).map(Cap::Spend)
}

fn price(amount: Cents) -> Result<Price, AppError> {
    Price::new(amount).map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(what: &str) -> AppError {
    refused(422, what, "Enter an amount such as 25.00.")
}

/// Sets a cap, or none. Setting what holds already changes nothing.
pub(crate) async fn set_cap(app: &App, instance: InstanceId, cap: Option<Cap>, by: &str) -> Result<(), AppError> {
    let running = Running::of(app, instance).await?.ok_or_else(not_in_use)?;
    let mut tx = app.db.begin().await?;
    // Who sends the same twice at once waits, and then changes nothing.
    holds::store::lock(&mut tx, instance).await?;
    if store::caps(&mut tx, instance).await?.now() == cap {
        return Ok(());
    }
    let chosen = CapChosen { since: UsageHour::of(app.clock.now()), cap };
    store::add_cap(&mut tx, instance, &chosen, by, app.clock.now()).await?;
    let detail = cap.map_or_else(|| "none".to_owned(), |cap| in_a_sentence(cap, &running.terms));
    audit::record(&mut tx, app, by, "cap.set", &instance.to_string(), &detail).await?;
    tx.commit().await?;
    // Whoever raises a cap wants to go on at once.
    watch::look(app, instance).await.map_err(AppError::internal)?;
    app.engine.wake();
    Ok(())
}

/// Sets a budget, or none.
pub(crate) async fn set_budget(
    app: &App,
    instance: InstanceId,
    amount: Option<Cents>,
    thresholds: &[u32],
    by: &str,
) -> Result<(), AppError> {
    let budget = match amount {
        None => None,
        Some(amount) => {
            if thresholds.is_empty() {
                return Err(refused(422, "Nothing of the budget would be told", "Choose at least one part of it."));
            }
            let rates = thresholds.iter().map(|percent| rate(*percent)).collect::<Result<BTreeSet<_>, _>>()?;
            Some(Budget { amount: price(amount)?, thresholds: rates })
        }
    };
    let mut tx = app.db.begin().await?;
    holds::store::lock(&mut tx, instance).await?;
    if store::budget(&mut tx, instance).await? == budget {
        return Ok(());
    }
    store::set_budget(&mut tx, instance, budget.as_ref(), by, app.clock.now()).await?;
    let detail = match &budget {
        Some(budget) => format!("{} at {thresholds:?} %", budget.amount.amount()),
        None => "none".to_owned(),
    };
    audit::record(&mut tx, app, by, "budget.set", &instance.to_string(), &detail).await?;
    tx.commit().await?;
    watch::look(app, instance).await.map_err(AppError::internal)
}

fn rate(percent: u32) -> Result<Rate, AppError> {
    let part = THRESHOLDS.contains(&percent).then(|| Rate::new(percent * 10_000).ok()).flatten();
    part.ok_or_else(|| refused(422, &format!("{percent} % can't be told"), "Choose 50, 80 or 100."))
}

/// A threshold in percent.
pub(crate) const fn percent(rate: Rate) -> u32 {
    rate.ppm() / 10_000
}

/// There is no period that runs.
pub(crate) fn not_in_use() -> AppError {
    refused(409, "This workspace is not in use", "Come back once it is; its invoices show what was charged.")
}

/// The cap itself, without what follows from it.
pub(crate) fn in_a_sentence(cap: Cap, terms: &Terms) -> String {
    let words = cap.in_words(terms);
    words.split_inclusive(". ").next().unwrap_or(&words).trim_end().to_owned()
}

/// Whether no further hour may begin under a cap.
pub(crate) fn is_reached(cap: Cap, running: &Running) -> bool {
    let allowed = cap.hours_allowed(&running.terms);
    running.now >= running.terms.charged_from() && running.charged().count() >= allowed
}

/// Waives the hours of a period that began beyond the cap of their time. How many were not waived before.
pub(crate) async fn waive_beyond(
    tx: &mut Tx,
    core: &Core,
    instance: InstanceId,
    caps: &CapHistory,
    terms: &Terms,
) -> Result<u32, Error> {
    let recorded = usage::recorded(tx, instance, terms.period.start(), terms.period.end()).await?;
    let mut waived = 0;
    for hour in caps.beyond(terms, &recorded.billable()).iter() {
        let waiver = Waiver { reason: "it began although the spending cap was reached", author: AUTHOR };
        waived += u32::from(waivers::waive_in(tx, core, instance, hour, &waiver).await?);
    }
    Ok(waived)
}
