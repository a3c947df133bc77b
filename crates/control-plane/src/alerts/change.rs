//! What operators do about alerts.

use axum::http::StatusCode;
use domain::{AlertEvent, AlertId};
use jiff::SignedDuration;

use super::{Alert, store, webhook};
use crate::app::Core;
use crate::audit;
use crate::error::{AppError, refused};

/// A silence that nobody remembers hides what nobody sees.
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_hours(7 * 24);
const LONGEST_REASON: usize = 300;

/// Somebody looks after it; nobody else is told.
pub(crate) async fn acknowledge(core: &Core, id: &str, by: &str) -> Result<Alert, AppError> {
    happen(core, id, AlertEvent::Acknowledge, by, None).await
}

/// Nobody hears of it for so many minutes, for a reason.
pub(crate) async fn silence(core: &Core, id: &str, minutes: u32, reason: &str, by: &str) -> Result<Alert, AppError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        return Err(refused(422, "A silence needs a reason", "Say in one sentence of at most 300 characters why."));
    }
    let length = SignedDuration::from_mins(i64::from(minutes));
    if length.is_zero() || length > LONGEST_SILENCE {
        return Err(refused(422, "A silence has an end", "Use from 1 minute to 7 days."));
    }
    let until = core.clock.now() + length;
    happen(core, id, AlertEvent::Silence { until }, by, Some(reason)).await
}

/// It was dealt with.
pub(crate) async fn resolve(core: &Core, id: &str, by: &str) -> Result<Alert, AppError> {
    happen(core, id, AlertEvent::Resolve, by, None).await
}

async fn happen(core: &Core, id: &str, event: AlertEvent, by: &str, note: Option<&str>) -> Result<Alert, AppError> {
    let id = AlertId::parse(id).map_err(|_| AppError::NotFound)?;
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    let alert = store::hold_by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let state = alert.state.after(event, now).map_err(|error| {
        let next = "It opens again by itself should it happen again.";
        refused(StatusCode::CONFLICT.as_u16(), &error.to_string(), next)
    })?;
    if state == alert.state && note.is_none() {
        return Ok(alert);
    }
    store::set_state(&mut tx, id, state, now).await?;
    store::set_handled(&mut tx, id, by, note).await?;
    let action = format!("alert.{}", state.as_str());
    audit::record(&mut tx, core, by, &action, &id.to_string(), note.unwrap_or(&alert.what)).await?;
    let alert = Alert { state, handled_by: Some(by.to_owned()), note: note.map(str::to_owned).or(alert.note), ..alert };
    webhook::post(&mut tx, core, &alert, &action).await?;
    tx.commit().await?;
    Ok(alert)
}
