use api::{SignedInHour, Usage, UsedHour};
use axum::extract::{Path, State};
use domain::Month;
use serde::Deserialize;

use super::{Query, Refusal, instances::find};
use crate::app::App;
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
        bill: used.bill,
        currency: app.settings.plan.currency.clone(),
        sign_ins: sign_ins.collect(),
    }))
}
