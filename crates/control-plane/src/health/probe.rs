//! The prober: asks instances through their public hostnames, as their members reach them. So many in a second and no
//! more, and only such as it neither wakes nor keeps awake.

use std::time::Duration;

use ::store::sqlx::Error;
use access::protocol::HEALTH;
use domain::{Met, Probe};
use futures_util::future::join_all;
use jiff::SignedDuration;
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;

use super::store::{Askable, Due};
use super::{probe_every, store};
use crate::app::Core;
use crate::instances::probe::through_hostname;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long whoever took an instance has for it, before another may ask.
const LEASE: SignedDuration = SignedDuration::from_mins(1);
/// A look that failed is repeated soon: two in a row count.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(10);
/// Where instances go to sleep by themselves, they are asked only so long after somebody used them: what answers us
/// keeps them awake, so they go to sleep at most this much later than without us.
const WHILE_USED: SignedDuration = SignedDuration::from_mins(5);

/// Asks those that are due, at most as many as may be asked in a second.
///
/// # Errors
/// When the store does not answer.
pub async fn ask_due(core: &Core) -> Result<(), Error> {
    let now = core.clock.now();
    let sleeps = core.drivers.compute.puts_to_sleep();
    let askable = if sleeps { Askable::UsedSince(now - WHILE_USED) } else { Askable::Awake };
    let most = core.settings.watch.probes_per_second.max(1);
    let due = store::take_due(&core.db, askable, now, now + LEASE, most).await?;
    if due.is_empty() {
        return Ok(());
    }
    let met = join_all(due.iter().map(|due| ask(core, due))).await;
    let every = probe_every(core, store::number_active(core.db.read()).await?);
    let mut tx = core.db.begin().await?;
    for (due, (met, detail)) in due.iter().zip(met) {
        let at = core.clock.now();
        let probe = Probe::after(due.before, met, at);
        let pause = if probe.misses == 1 { LOOK_AGAIN } else { spread(core, every) };
        store::probed(&mut tx, due.place.id, &probe, detail.as_deref(), at + pause).await?;
    }
    tx.commit().await
}

/// What is met at the hostname, and why it is no answer.
async fn ask(core: &Core, due: &Due) -> (Met, Option<String>) {
    let asked = tokio::time::timeout(PATIENCE, through_hostname(core, &due.place, HEALTH)).await;
    let answer = match asked {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return (Met::Nothing, Some(error.without_url().to_string())),
        Err(_) => return (Met::Nothing, Some(format!("no answer within {} s", PATIENCE.as_secs()))),
    };
    let status = answer.status();
    if status == StatusCode::OK {
        return (Met::Answer, None);
    }
    // The guard's own report is plain JSON. Whatever stands before it says otherwise that there is no answer.
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if status == StatusCode::SERVICE_UNAVAILABLE && kind.starts_with("application/json") {
        return (Met::Unwell, Some("its guard says that the application does not answer".to_owned()));
    }
    (Met::Nothing, Some(format!("its hostname answers {status}")))
}

/// A little sooner or later, so that those which began together do not stay together.
fn spread(core: &Core, every: SignedDuration) -> SignedDuration {
    let [chance] = core.entropy.bytes::<1>();
    let tenth = every / 10;
    every - tenth + tenth * 2 * i32::from(chance) / 255
}
