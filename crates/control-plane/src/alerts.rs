//! What waits for an operator. Alerts are grouped by a key: what happens again counts up, and is not told again. Each is
//! told by mail, many at once in one mail, and to the operator's webhook; what nobody takes up is told to somebody else.

pub(crate) mod change;
pub(crate) mod kind;
pub(crate) mod store;
pub(crate) mod stuck;
pub(crate) mod tend;
pub(crate) mod webhook;

use ::store::Tx;
use ::store::sqlx::Error;
use domain::{AlertEvent, AlertId, AlertState, Email, Severity};
use jiff::{SignedDuration, Timestamp};

use crate::app::Core;
use crate::mail;

pub(crate) use kind::Kind;

/// So many mails about single alerts within [`LATELY`]; what comes beyond is told together.
const MOST_SINGLE_MAILS: u32 = 10;
/// Whoever looks every few seconds sees the same thing within this, and not another one.
const SAME_SIGHTING: SignedDuration = SignedDuration::from_mins(1);
const LATELY: SignedDuration = SignedDuration::from_mins(10);

/// Whom alerts reach beside the operator.
#[derive(Debug, Clone, Default)]
pub struct AlertSettings {
    /// Is told of each alert.
    pub webhook: Option<std::sync::Arc<providers::webhook::Webhook>>,
    /// Is told of those that nobody takes up.
    pub escalation: Option<Escalation>,
}

/// Who is told of an alert that nobody takes up, and when.
#[derive(Debug, Clone)]
pub struct Escalation {
    /// After so long.
    pub after: SignedDuration,
    /// Who.
    pub to: Email,
}

/// Something that waits for an operator.
#[derive(Debug, Clone)]
pub(crate) struct Alert {
    pub id: AlertId,
    pub key: String,
    pub kind: Kind,
    pub severity: Severity,
    pub what: String,
    pub why: String,
    /// Where on the site it is seen to.
    pub path: String,
    pub state: AlertState,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// How often it was seen.
    pub seen: u32,
    /// When it was told of; none while it waits to be told together with others.
    pub told_at: Option<Timestamp>,
    /// Who took it up, or silenced it.
    pub handled_by: Option<String>,
    /// What they said.
    pub note: Option<String>,
    pub escalated_at: Option<Timestamp>,
}

/// Raises an alert, or counts one that is there already. Written in the transaction that makes the change.
pub(crate) async fn raise(
    tx: &mut Tx,
    core: &Core,
    kind: Kind,
    key: &str,
    what: &str,
    why: &str,
    path: &str,
) -> Result<(), Error> {
    let now = core.clock.now();
    let new = Alert {
        id: AlertId::new(now, core.entropy.bytes()),
        key: key.to_owned(),
        kind,
        severity: kind.severity(),
        what: what.to_owned(),
        why: why.to_owned(),
        path: path.to_owned(),
        state: AlertState::Open,
        first_seen_at: now,
        last_seen_at: now,
        seen: 1,
        told_at: None,
        handled_by: None,
        note: None,
        escalated_at: None,
    };
    if store::insert(tx, &new).await? {
        return tell(tx, core, &new).await;
    }
    let Some(known) = store::hold(tx, key).await? else { return Ok(()) };
    // What is over may be seen again; nothing else refuses it.
    let state = known.state.after(AlertEvent::Seen, now).unwrap_or(AlertState::Open);
    let (came_back, speaks_again) =
        (known.state.is_over(), known.state != AlertState::Open && state == AlertState::Open);
    if state == known.state && now.duration_since(known.last_seen_at) < SAME_SIGHTING {
        return Ok(());
    }
    let alert = Alert {
        state,
        what: what.to_owned(),
        why: why.to_owned(),
        path: path.to_owned(),
        last_seen_at: now,
        seen: known.seen.saturating_add(1),
        first_seen_at: if came_back { now } else { known.first_seen_at },
        told_at: known.told_at.filter(|_| !came_back),
        escalated_at: known.escalated_at.filter(|_| !came_back),
        handled_by: known.handled_by.clone().filter(|_| !came_back),
        note: known.note.clone().filter(|_| !came_back),
        ..known
    };
    store::seen(tx, &alert).await?;
    if speaks_again { tell(tx, core, &alert).await } else { Ok(()) }
}

/// What an alert was about is over.
pub(crate) async fn resolve(tx: &mut Tx, core: &Core, key: &str) -> Result<(), Error> {
    let Some(alert) = store::hold(tx, key).await? else { return Ok(()) };
    let now = core.clock.now();
    let Ok(state) = alert.state.after(AlertEvent::Resolve, now) else { return Ok(()) };
    if state == alert.state {
        return Ok(());
    }
    store::set_state(tx, alert.id, state, now).await?;
    webhook::post(tx, core, &Alert { state, ..alert }, "alert.resolved").await
}

/// Tells of an alert: by a mail of its own while there are few, else with the others in a while.
async fn tell(tx: &mut Tx, core: &Core, alert: &Alert) -> Result<(), Error> {
    webhook::post(tx, core, alert, "alert.raised").await?;
    let now = core.clock.now();
    if store::told_since(tx, now - LATELY).await? >= MOST_SINGLE_MAILS {
        return Ok(());
    }
    // One that comes back is written about again.
    let key = if alert.seen == 1 { alert.key.clone() } else { format!("{} again {}", alert.key, alert.seen) };
    mail::alert(tx, core, &key, &alert.what, &alert.why, &alert.path).await?;
    store::told(tx, alert.id, now).await
}
