//! How instances are, from all that was seen of them: by our prober through their hostnames, by their provider, and by
//! what their guards report. Views are kept with their time; a verdict is computed from them, and only its changes are kept.

pub(crate) mod probe;
pub(crate) mod store;
pub(crate) mod uptime;
pub(crate) mod view;
pub(crate) mod watch;

use std::time::Duration;

use domain::{Freshness, InstanceId, Judgement, Look, Probe, Purpose, Seen, Span, Subdomain, Views};
use jiff::{SignedDuration, Timestamp};
use providers::compute::Health;

use crate::app::Core;
use crate::error::AppError;
use crate::instances::Instance;

/// How often an instance is asked through its hostname where there are few.
const PROBE_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// A guard reports when an hour is first used, so its silence soon says nothing.
const GUARD_FRESH: SignedDuration = SignedDuration::from_mins(10);
/// A provider's view is told apart from one that was missed once or twice.
const LOOKS_MISSED: u32 = 3;
const LOOK_FRESH_AT_LEAST: Duration = Duration::from_mins(1);

/// What is known of one instance.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub views: Views,
    /// Why the prober met no answer, in words.
    pub probe_detail: Option<String>,
    pub judgement: Option<Judgement>,
    /// The span that is open: since when it is so.
    pub open: Option<Span>,
}

/// What is known of an instance at this moment.
pub(crate) async fn of(core: &Core, instance: &Instance) -> Result<Standing, AppError> {
    let kept = store::kept_of(&core.db, instance.id).await?;
    let views = Views { look: look_of(instance), probe: kept.probe, heard: kept.heard };
    let freshness = freshness(core, store::number_active(core.db.read()).await?);
    let judgement = Purpose::of(instance.state).map(|purpose| views.judge(purpose, core.clock.now(), &freshness));
    Ok(Standing { views, probe_detail: kept.detail, judgement, open: kept.open })
}

fn look_of(instance: &Instance) -> Option<Look> {
    let observation = &instance.observed.as_ref()?.observation;
    Some(Look { seen: seen(observation.health), at: observation.at })
}

/// The provider's word for it, as the rules know it.
pub(crate) const fn seen(health: Health) -> Seen {
    match health {
        Health::Ok | Health::Busy => Seen::Running,
        Health::Starting => Seen::Starting,
        Health::Down => Seen::Down,
        Health::Asleep => Seen::Asleep,
        Health::Unknown => Seen::Unknown,
    }
}

/// How old views may be: the more instances there are, the less often each is asked.
pub(crate) fn freshness(core: &Core, active: u32) -> Freshness {
    let looks = (core.drivers.compute.observe_every() * LOOKS_MISSED).max(LOOK_FRESH_AT_LEAST);
    Freshness {
        probe: probe_every(core, active).saturating_mul(3),
        look: SignedDuration::try_from(looks).unwrap_or(SignedDuration::MAX),
        heard: GUARD_FRESH,
    }
}

/// How often each is asked, so that all together are asked no more often than is allowed.
fn probe_every(core: &Core, active: u32) -> SignedDuration {
    let rate = core.settings.watch.probes_per_second.max(1);
    PROBE_EVERY.max(SignedDuration::from_secs(i64::from(active.div_ceil(rate))))
}

/// What the store keeps of an instance beside the provider's view.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    pub probe: Option<Probe>,
    pub detail: Option<String>,
    pub heard: Option<Timestamp>,
    pub open: Option<Span>,
}

/// An instance whose verdict is to be computed.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub id: InstanceId,
    pub subdomain: Subdomain,
    pub purpose: Option<Purpose>,
    pub look: Option<Look>,
    pub kept: Kept,
}

impl Watched {
    fn views(&self) -> Views {
        Views { probe: self.kept.probe, look: self.look, heard: self.kept.heard }
    }
}
