//! What the edge's log of sign-ins says about an instance: something to compare the used hours with.
//! It is kept apart from them and never billed: a session that began in one hour lasts for many, and
//! signing in is not using.

pub(crate) mod store;

use std::collections::BTreeMap;

use domain::{InstanceId, Subdomain, UsageHour};
use jiff::{SignedDuration, Timestamp};
use providers::edge::SignIn;

use crate::app::Core;
use crate::instances;

/// How far back to ask when nothing is known yet; the edge's log may reach less far.
const FARTHEST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// What is asked for once more each time, since logs lag.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// The sign-ins of one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HourOfSignIns {
    pub hour: UsageHour,
    pub first: Timestamp,
    pub last: Timestamp,
    pub count: u32,
}

/// Reads the edge's log, where it keeps one. Whole hours are read again, so that reading twice changes
/// nothing.
pub(crate) async fn read(core: &Core) -> anyhow::Result<()> {
    let now = core.clock.now();
    let since = match store::latest(&core.db).await? {
        Some(hour) => hour.start() - AGAIN,
        None => UsageHour::of(now - FARTHEST).start(),
    };
    let Some(seen) = core.drivers.edge.sign_ins_since(since).await? else { return Ok(()) };
    let mut hours: BTreeMap<(InstanceId, UsageHour), HourOfSignIns> = BTreeMap::new();
    for sign_in in seen.iter().filter(|sign_in| sign_in.allowed && sign_in.at <= now) {
        let Some(instance) = instance_of(core, sign_in).await? else { continue };
        let (hour, at) = (UsageHour::of(sign_in.at), sign_in.at);
        let entry = hours.entry((instance, hour)).or_insert(HourOfSignIns { hour, first: at, last: at, count: 0 });
        entry.first = entry.first.min(at);
        entry.last = entry.last.max(at);
        entry.count += 1;
    }
    let hours: Vec<_> = hours.into_iter().map(|((instance, _), hour)| (instance, hour)).collect();
    store::merge(&core.db, &hours).await?;
    Ok(())
}

/// Which instance somebody signed in to. One application for all hostnames hides which it was; then
/// only whoever belongs to a single instance tells.
async fn instance_of(core: &Core, sign_in: &SignIn) -> anyhow::Result<Option<InstanceId>> {
    let Some(hostname) = &sign_in.hostname else {
        return Ok(store::only_instance_of(&core.db, &sign_in.email).await?);
    };
    let label = hostname.strip_suffix(&core.settings.base_domain).and_then(|label| label.strip_suffix('.'));
    let Some(Ok(subdomain)) = label.map(Subdomain::parse) else { return Ok(None) };
    let found = instances::store::find_by_reference(&core.db, subdomain.as_str()).await?;
    Ok(found.filter(|found| found.subdomain == subdomain).map(|found| found.id))
}
