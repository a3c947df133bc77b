//! The hours in which support was inside, as the instance's guard saw it, and what they cost: nothing, unless a
//! member was active in them as well.

use ::store::sqlx::Error;
use domain::{Email, Evidence, Month, UsageHour};
use jiff::{SignedDuration, Timestamp};

use super::{Standing, SupportAccess, store};
use crate::app::Core;
use crate::billing::waivers::{Waiver, waive_in};
use crate::members;
use crate::usage;

/// So long after an hour its reports have come: then it is waived, since a waiver is never taken back.
const REPORTS_TAKE: SignedDuration = SignedDuration::from_hours(2);
/// Hours of leaves that ended longer ago are not looked at again.
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(7 * 24);
const AUTHOR: &str = "support access";
const REASON: &str = "Only support was inside, whom you had let in.";

/// An hour in which support was inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entered {
    pub hour: UsageHour,
    /// Who of support.
    pub who: Vec<String>,
    /// Whether nobody else was there.
    pub is_alone: bool,
}

/// Every hour in which support was inside, under one leave.
pub(crate) async fn entered(core: &Core, access: &SupportAccess) -> Result<Vec<Entered>, Error> {
    let Some(leave) = access.leave() else { return Ok(Vec::new()) };
    let end = match &access.state {
        Standing::Ended { at, .. } => *at,
        _ => leave.until,
    };
    let members = members::store::list(&core.db, access.instance).await?;
    // A member who is support as well comes in as a member.
    let is_member = |email: &Email| members.iter().any(|member| member.email == *email);
    let people: Vec<&str> = leave.people.iter().filter(|email| !is_member(email)).map(|email| email.as_str()).collect();
    let mut evidence = Vec::new();
    let (from, to) = (Month::of(leave.at), Month::of(end));
    for month in if from == to { vec![from] } else { vec![from, to] } {
        evidence.extend(usage::store::evidence(&core.db, access.instance, month).await?);
    }
    Ok(of(&evidence, &people, UsageHour::of(leave.at), UsageHour::of(end)))
}

/// The hours within a leave that name one of these people.
fn of(evidence: &[Evidence], people: &[&str], first: UsageHour, last: UsageHour) -> Vec<Entered> {
    let mut entered: Vec<Entered> = Vec::new();
    let mut within: Vec<&Evidence> =
        evidence.iter().filter(|entry| entry.hour >= first && entry.hour <= last).collect();
    within.sort_by_key(|entry| entry.hour);
    for of_hour in within.chunk_by(|one, other| one.hour == other.hour) {
        let names = || of_hour.iter().flat_map(|entry| entry.who.names());
        let is_support = |name: &&String| people.contains(&name.as_str());
        let mut who: Vec<String> = names().filter(is_support).cloned().collect();
        who.sort_unstable();
        who.dedup();
        let others = names().any(|name| !people.contains(&name.as_str()));
        let is_alone = !others && !of_hour.iter().any(|entry| entry.who.are_more());
        if let (Some(entry), false) = (of_hour.first(), who.is_empty()) {
            entered.push(Entered { hour: entry.hour, who, is_alone });
        }
    }
    entered
}

/// Waives what support used alone, once its reports have come.
///
/// # Errors
/// When the store can't be used.
pub async fn waive_if_due(core: &Core) -> Result<(), Error> {
    let now = core.clock.now();
    for access in store::lately(&core.db, now - LOOKED_BACK).await? {
        for hour in entered(core, &access).await?.iter().filter(|hour| hour.is_alone && is_settled(hour.hour, now)) {
            let mut tx = core.db.begin().await?;
            let waiver = Waiver { reason: REASON, author: AUTHOR };
            waive_in(&mut tx, core, access.instance, hour.hour, &waiver).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

fn is_settled(hour: UsageHour, now: Timestamp) -> bool {
    hour.start() + SignedDuration::from_hours(1) + REPORTS_TAKE <= now
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use domain::Signal;

    use super::*;

    fn seen(at: &str, signal: Signal, who: &[&str]) -> Evidence {
        let mut evidence = Evidence::seen(signal, at.parse().unwrap());
        who.iter().for_each(|name| evidence.who.add(name));
        evidence
    }

    #[test]
    fn only_hours_in_which_nobody_else_is_named_are_supports_alone() {
        let hour = |at: &str| UsageHour::of(at.parse().unwrap());
        let evidence = [
            seen("2026-11-25T10:20:00Z", Signal::Member, &["helper@shop.org"]),
            seen("2026-11-25T10:30:00Z", Signal::Sprint, &[]),
            seen("2026-11-25T11:20:00Z", Signal::Member, &["ada@x.org", "helper@shop.org"]),
            seen("2026-11-25T12:20:00Z", Signal::Member, &["helper@shop.org"]),
            seen("2026-11-25T12:21:00Z", Signal::ApiCall, &["robot"]),
            seen("2026-11-25T13:20:00Z", Signal::Member, &["ada@x.org"]),
            seen("2026-11-25T14:20:00Z", Signal::Member, &["helper@shop.org"]),
        ];
        let (first, last) = (hour("2026-11-25T10:00:00Z"), hour("2026-11-25T13:59:00Z"));
        let entered = of(&evidence, &["helper@shop.org"], first, last);
        let told: Vec<_> = entered.iter().map(|entered| (entered.hour, entered.is_alone)).collect();
        let expected = [("10", true), ("11", false), ("12", false)];
        assert_eq!(told, expected.map(|(at, alone)| (hour(&format!("2026-11-25T{at}:00:00Z")), alone)));
        assert!(entered.iter().all(|entered| entered.who == ["helper@shop.org"]));
        assert!(of(&evidence, &[], first, last).is_empty());
    }
}
