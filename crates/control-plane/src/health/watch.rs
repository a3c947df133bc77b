//! Computes what instances' views come to, and keeps the changes.

use ::store::Tx;
use ::store::sqlx::Error;
use domain::{InstanceId, Purpose, Verdict};
use jiff::{SignedDuration, Timestamp};

use super::{Watched, freshness, store};
use crate::alerts::{self, Kind};
use crate::app::Core;
use crate::instances::observe::observe_all;

/// A longer pause than this, and nobody can say what was in it.
const GAP: SignedDuration = SignedDuration::from_mins(2);

/// How exact it is known until when somebody watched: a pass in which nothing changed mostly writes nothing.
const NOTE_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// An instance that is otherwise than before.
#[derive(Debug, Clone, Copy)]
struct Change {
    instance: InstanceId,
    to: Option<Verdict>,
    /// When what was before ended, as far as anybody knows.
    ended: Timestamp,
}

/// Looks how every instance is, and judges it.
///
/// # Errors
/// When the provider, or the store, does not answer.
pub(crate) async fn look_around(core: &Core) -> anyhow::Result<()> {
    let observed = observe_all(core).await;
    // Also when the provider could not be asked: what it said before gets older.
    judge_all(core).await?;
    observed
}

/// Judges every instance, and notes those that are otherwise than before.
///
/// # Errors
/// When the store does not answer.
pub async fn judge_all(core: &Core) -> Result<(), Error> {
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    store::take_up_new(&mut tx, now).await?;
    let until = store::watched_until(&mut tx).await?;
    if let Some(until) = until.filter(|until| now.duration_since(*until) > GAP) {
        store::end_all(&mut tx, until).await?;
    }
    if until.is_none_or(|until| now.duration_since(until) >= NOTE_EVERY) {
        store::watch_until(&mut tx, now).await?;
    }
    let freshness = freshness(core, store::number_active(&mut *tx).await?);
    let mut changed = false;
    for watched in &store::unsettled(&mut tx, now, &freshness).await? {
        let Some(change) = change(watched, now, &freshness) else { continue };
        changed = true;
        store::end(&mut tx, change.instance, change.ended).await?;
        if let Some(verdict) = change.to {
            store::begin(&mut tx, change.instance, verdict, now).await?;
        }
        tell(&mut tx, core, watched, &change).await?;
    }
    tx.commit().await?;
    if changed {
        core.mail_waiting.notify_one();
    }
    Ok(())
}

/// Tells the operator of an instance that does not answer, and that it does again. While nobody can say, nothing is said.
async fn tell(tx: &mut Tx, core: &Core, watched: &Watched, change: &Change) -> Result<(), Error> {
    let key = format!("instance down {}", watched.id);
    match change.to {
        Some(verdict) if verdict.is_trouble() => {
            let hostname = core.hostname(&watched.subdomain);
            let what = format!("{hostname} does not answer");
            let path = format!("/admin/instances/{}", watched.id);
            let why = match (verdict, &watched.kept.detail) {
                (Verdict::Unreachable, Some(detail)) => format!("It is not reachable: {detail}."),
                (Verdict::Unreachable, None) => "It is not reachable through its hostname.".to_owned(),
                (_, Some(detail)) => format!("It is down: {detail}."),
                (_, None) => "It is down, as its provider says.".to_owned(),
            };
            alerts::raise(tx, core, Kind::InstanceDown, &key, &what, &why, &path).await
        }
        Some(_) => alerts::resolve(tx, core, &key).await,
        None if watched.purpose.is_none() => alerts::resolve(tx, core, &key).await,
        None => Ok(()),
    }
}

fn change(watched: &Watched, now: Timestamp, freshness: &domain::Freshness) -> Option<Change> {
    let views = watched.views();
    let verdict = match watched.purpose {
        // What is being made is not expected to answer.
        None | Some(Purpose::Making) => None,
        Some(purpose) => Some(views.judge(purpose, now, freshness).verdict),
    };
    // What nobody can say is not kept: it is what no span covers.
    let to = verdict.filter(|verdict| *verdict != Verdict::Unknown);
    let before = watched.kept.open.map(|span| span.verdict);
    let last_seen = [watched.look.map(|look| look.at), watched.kept.probe.map(|probe| probe.at), watched.kept.heard];
    let last_seen = last_seen.into_iter().flatten().filter(|at| *at <= now).max();
    let ended = if verdict == Some(Verdict::Unknown) { last_seen.unwrap_or(now) } else { now };
    (to != before).then_some(Change { instance: watched.id, to, ended })
}
