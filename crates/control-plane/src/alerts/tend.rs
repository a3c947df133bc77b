//! What happens to alerts by itself: silences end, many are told together, and what nobody takes up is told to others.

use ::store::Tx;
use ::store::sqlx::Error;
use domain::AlertEvent;
use jiff::{SignedDuration, Timestamp};

use super::{Alert, store, tell, webhook};
use crate::app::Core;
use crate::mail;

/// Alerts that one mail names.
const MOST_IN_A_MAIL: u32 = 50;

/// So long alerts gather before one mail tells of them.
const GATHERED_FOR: SignedDuration = SignedDuration::from_mins(2);

/// Looks what is due.
///
/// # Errors
/// When the store does not answer.
pub async fn tend(core: &Core) -> Result<(), Error> {
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    let speak_again = store::silences_over(&mut tx, now).await?;
    let mut told = !speak_again.is_empty();
    for alert in speak_again {
        let Ok(state) = alert.state.after(AlertEvent::Tick, now) else { continue };
        store::set_state(&mut tx, alert.id, state, now).await?;
        tell(&mut tx, core, &Alert { state, seen: alert.seen.max(2), ..alert }).await?;
    }
    told |= tell_together(&mut tx, core, now).await?;
    told |= escalate(&mut tx, core, now).await?;
    tx.commit().await?;
    if told {
        core.mail_waiting.notify_one();
    }
    webhook::deliver(core).await
}

/// Whether there was something to tell.
async fn tell_together(tx: &mut Tx, core: &Core, now: Timestamp) -> Result<bool, Error> {
    let untold = store::untold(tx, MOST_IN_A_MAIL).await?;
    let oldest = untold.iter().min_by_key(|alert| alert.first_seen_at);
    let first = oldest.filter(|oldest| now.duration_since(oldest.first_seen_at) >= GATHERED_FOR);
    let Some(first) = first else { return Ok(false) };
    let key = format!("alerts together {} {}", first.id, first.seen);
    let what = format!("{} things wait for you", untold.len());
    mail::alert(tx, core, &key, &what, &lines(&untold), "/admin/alerts").await?;
    for alert in &untold {
        store::told(tx, alert.id, now).await?;
    }
    Ok(true)
}

async fn escalate(tx: &mut Tx, core: &Core, now: Timestamp) -> Result<bool, Error> {
    let Some(escalation) = &core.settings.watch.alerts.escalation else { return Ok(false) };
    let unheeded = store::unheeded(tx, now - escalation.after).await?;
    let Some(first) = unheeded.first() else { return Ok(false) };
    let key = format!("alerts unheeded {} {}", first.id, first.seen);
    let what = match unheeded.len() {
        1 => "Nobody has taken up an alert".to_owned(),
        number => format!("Nobody has taken up {number} alerts"),
    };
    mail::alert_to(tx, core, &escalation.to, &key, &what, &lines(&unheeded), "/admin/alerts").await?;
    for alert in &unheeded {
        store::escalated(tx, alert.id, now).await?;
        webhook::post(tx, core, alert, "alert.escalated").await?;
    }
    Ok(true)
}

fn lines(alerts: &[Alert]) -> String {
    let lines: Vec<String> =
        alerts.iter().map(|alert| format!("{}: {}", alert.severity.as_str(), alert.what)).collect();
    lines.join("\n")
}
