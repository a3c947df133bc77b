use api::{HourCharge, HourOfUse, SignedInHour, Usage, UsedHour, Waiver};
use axum::extract::{Path, State};
use domain::{Month, UsageHour};
use jiff::Timestamp;
use serde::Deserialize;

use super::{Query, Refusal, contests, instances::find};
use crate::app::App;
use crate::billing::hours::{self, Charge};
use crate::billing::waivers::KeptWaiver;
use crate::error::refused;
use crate::person::Program;
use crate::usage;

#[derive(Deserialize)]
pub(crate) struct Wanted {
    month: Option<String>,
}

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Usage>, Refusal> {
    let instance = find(&app, &reference).await?;
    let month = match wanted.month.as_deref() {
        Some(text) => Month::parse(text).map_err(|error| refused(422, &error.to_string(), "Write it as 2026-11."))?,
        None => Month::of(app.clock.now()),
    };
    let used = usage::of_month(&app, instance.id, month).await?;
    let sign_ins = usage::sign_ins::store::of_month(&app.db, instance.id, month).await?;
    let sign_ins = sign_ins.into_iter().map(|seen| SignedInHour {
        hour_start: seen.hour.start(),
        first: seen.first,
        last: seen.last,
        count: seen.count,
    });
    let hours = used.hours.into_iter().map(|(hour, evidence)| UsedHour { hour_start: hour.start(), evidence });
    Ok(axum::Json(Usage {
        instance_id: instance.id,
        month,
        hours: hours.collect(),
        waived: used.waived.iter().map(|hour| hour.start()).collect(),
        bill: used.bill,
        currency: app.settings.plan.currency.clone(),
        sign_ins: sign_ins.collect(),
    }))
}

pub(crate) async fn hour(
    State(app): State<App>,
    _: Program,
    Path((reference, moment)): Path<(String, String)>,
) -> Result<axum::Json<HourOfUse>, Refusal> {
    let instance = find(&app, &reference).await?;
    let moment: Timestamp = moment.parse().map_err(|_| {
        let next = "Write it with its zone, such as 2026-11-28T09:00:00Z.";
        refused(422, &format!("{moment:?} is not a moment"), next)
    })?;
    let hour = UsageHour::of(moment);
    let known = hours::of(&app, instance.id, hour).await?;
    let (charge, price, invoice) = match known.charge {
        Charge::Unused => (HourCharge::Unused, None, None),
        Charge::Free => (HourCharge::Free, None, None),
        Charge::Coming { price } => (HourCharge::Coming, Some(price), None),
        Charge::Billed { invoice, price } => (HourCharge::Billed, Some(price), Some(invoice)),
        Charge::Waived => (HourCharge::Waived, None, None),
        Charge::Credited { invoice, price } => (HourCharge::Credited, Some(price), Some(invoice)),
    };
    Ok(axum::Json(HourOfUse {
        instance_id: instance.id,
        hour_start: hour.start(),
        charge,
        price,
        currency: known.currency,
        invoice,
        evidence: known.evidence,
        waiver: known.waiver.map(|KeptWaiver { reason, author, at }| Waiver { reason, author, at }),
        contest: known.contest.map(contests::view),
    }))
}
