//! Who a rollout would update, in what order, and how long it would take. Asks nobody but the store.

mod store;

use std::collections::{BTreeMap, BTreeSet};

use domain::{InstanceId, ReleaseId, Subdomain};
use fleet::{Candidate, Left, Pace, Plan, Rest, Stage, Strategy, UpdateRules, UseByHour, Version};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use providers::compute::Health;

use super::Reach;
use crate::app::Core;
use crate::error::AppError;
use crate::releases::Release;

/// So far back it is looked when an instance is used.
const USE_LOOKED_AT: SignedDuration = SignedDuration::from_hours(28 * 24);
/// So many updates say how long one takes.
const UPDATES_LOOKED_AT: u32 = 50;

/// A plan, and what is known of those in it.
pub(crate) struct Preview {
    pub plan: Plan,
    entries: BTreeMap<InstanceId, Entry>,
}

/// An instance that a rollout could reach.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub id: InstanceId,
    pub subdomain: Subdomain,
    pub stage: Stage,
    pub release: Option<ReleaseId>,
    pub version: Option<Version>,
    pub is_suspended: bool,
    pub health: Option<Health>,
    pub rules: UpdateRules,
}

impl Preview {
    /// What is known of one of them.
    pub(crate) fn entry(&self, id: InstanceId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// How many run the release already.
    pub(crate) fn ran_it_already(&self) -> u32 {
        let ran = self.plan.left.iter().filter(|(_, why)| *why == Left::RunsItAlready).count();
        u32::try_from(ran).unwrap_or(u32::MAX)
    }

    /// Who is left out though it does not run the release, and why, in a sentence.
    pub(crate) fn left_with_reason(&self) -> impl Iterator<Item = (InstanceId, String)> {
        self.plan.left.iter().filter_map(|(id, why)| Some((*id, in_words(why)?)))
    }
}

fn in_words(why: &Left) -> Option<String> {
    match why {
        Left::RunsItAlready => None,
        Left::IsSuspended => Some("it is suspended; it is updated once it is resumed".to_owned()),
        Left::IsPinned(pin) => Some(format!("it is pinned until {}: {}", pin.until.strftime("%-d %B %Y"), pin.because)),
        Left::CannotFollow(Some(runs)) => {
            Some(format!("it runs {runs}, which this release can't follow; bring it to a release between first"))
        }
        Left::CannotFollow(None) => {
            Some("nothing is recorded of what it runs, and this release can't follow everything".to_owned())
        }
    }
}

/// Plans a rollout of a release to its stage and those before it, or to some of them.
pub(crate) async fn plan(
    core: &Core,
    release: &Release,
    strategy: &Strategy,
    reach: &Reach,
) -> Result<Preview, AppError> {
    let now = core.clock.now();
    let mut entries = store::entries(&core.db).await?;
    let only: Option<BTreeSet<&InstanceId>> = match reach {
        Reach::Whole => None,
        Reach::Only(these) => Some(these.iter().collect()),
    };
    let is_reached = |id: &InstanceId| only.as_ref().is_none_or(|these| these.contains(id));
    entries.retain(|entry| entry.stage <= release.stage && is_reached(&entry.id));
    let used = store::used_since(&core.db, now - USE_LOOKED_AT).await?;
    let hour = TimeZone::UTC.to_datetime(now).hour();
    let candidate = |entry: &Entry| Candidate {
        id: entry.id,
        runs: entry.version.clone(),
        rest: rest(entry, used.get(&entry.id), u8::try_from(hour).unwrap_or(0)),
        is_suspended: entry.is_suspended,
        rules: entry.rules.clone(),
    };
    let pace = pace(core).await?;
    let of = |stage: Stage| {
        let of_stage = entries.iter().filter(|entry| entry.stage == stage).map(candidate).collect();
        fleet::plan(of_stage, &release.made.version, &release.made.upgrades_from, strategy, now, pace)
    };
    // Stage by stage: what goes wrong among ourselves does not reach a customer.
    let plan =
        of(Stage::Development).followed_by(of(Stage::Main), strategy).followed_by(of(Stage::Customers), strategy);
    Ok(Preview { plan, entries: entries.into_iter().map(|entry| (entry.id, entry)).collect() })
}

fn rest(entry: &Entry, used: Option<&UseByHour>, hour: u8) -> Rest {
    if entry.health == Some(Health::Asleep) {
        return Rest::Asleep;
    }
    // One of which nothing is known to have been used is quiet.
    if used.is_none_or(|used| used.is_quiet(hour)) { Rest::Quiet } else { Rest::InUse }
}

/// How long updates took lately, or what is usual until there were some.
async fn pace(core: &Core) -> Result<Pace, AppError> {
    let mut took = super::units::store::durations(&core.db, UPDATES_LOOKED_AT).await?;
    took.sort_unstable();
    let median = took.get(took.len() / 2).map(|millis| SignedDuration::from_millis(*millis));
    let usual = core.drivers.compute.tempo();
    Ok(Pace { update: median.unwrap_or(usual.update), between: usual.between })
}
