//! Messages to the operator's webhook: stored with what gives reason for them, sent afterwards, at least once.

use ::store::Tx;
use ::store::sqlx::Error;
use jiff::SignedDuration;
use serde_json::json;

use super::{Alert, store};
use crate::app::Core;

/// After so many tries, over about two days, a message is given up.
const MOST_ATTEMPTS: u32 = 14;
const FIRST_DELAY: SignedDuration = SignedDuration::from_secs(15);
const LONGEST_DELAY: SignedDuration = SignedDuration::from_hours(6);
const MOST_AT_ONCE: u32 = 10;
/// How long whoever took messages has for them.
const LEASE: SignedDuration = SignedDuration::from_mins(5);

/// Stores a message about an alert, where there is a webhook.
pub(super) async fn post(tx: &mut Tx, core: &Core, alert: &Alert, event: &str) -> Result<(), Error> {
    if core.settings.watch.alerts.webhook.is_none() {
        return Ok(());
    }
    let now = core.clock.now();
    let id = format!("{}-{event}-{}", alert.id, now.as_millisecond());
    let body = json!({
        "type": event,
        "timestamp": now,
        "data": {
            "id": alert.id,
            "kind": alert.kind.as_str(),
            "severity": alert.severity.as_str(),
            "state": alert.state.as_str(),
            "what": alert.what,
            "why": alert.why,
            "url": core.site_url(&alert.path),
            "first_seen_at": alert.first_seen_at,
            "last_seen_at": alert.last_seen_at,
            "seen": alert.seen,
        },
    });
    store::post(tx, &id, alert.id, &body.to_string(), now).await
}

/// Sends what is due.
pub(super) async fn deliver(core: &Core) -> Result<(), Error> {
    let Some(webhook) = &core.settings.watch.alerts.webhook else { return Ok(()) };
    let now = core.clock.now();
    for message in store::take_due(&core.db, now, now + LEASE, MOST_AT_ONCE).await? {
        let body = serde_json::from_str(&message.body).map_err(|error| Error::Decode(Box::new(error)))?;
        match webhook.send(&message.id, core.clock.now(), body).await {
            Ok(()) => store::delivered(&core.db, &message.id, core.clock.now()).await?,
            Err(error) => {
                let again = delay_after(message.attempts).map(|delay| core.clock.now() + delay);
                tracing::warn!("The alert {} did not reach the webhook: {error}", message.id);
                store::not_delivered(&core.db, &message.id, &error.to_string(), again, core.clock.now()).await?;
            }
        }
    }
    Ok(())
}

fn delay_after(attempts: u32) -> Option<SignedDuration> {
    if attempts + 1 >= MOST_ATTEMPTS {
        return None;
    }
    Some(FIRST_DELAY.saturating_mul(1 << attempts.min(20)).min(LONGEST_DELAY))
}
