//! Takes backups as planned. Each costs its instance a moment of rest, since a copy of data that changes meanwhile can be
//! worth nothing; so it is taken while nobody is there, if there is such a time. The longer one is overdue, the less that
//! counts: a backup matters more than a moment.

use std::collections::BTreeSet;

use ::store::sqlx::Error;
use domain::InstanceState;
use jiff::{SignedDuration, Timestamp};

use super::store::Wanted;
use super::{back_up, possible, store};
use crate::app::Core;

/// So many are taken at once, by all replicas together: each reads a whole volume.
const AT_ONCE: usize = 3;
/// What failed is tried again after so long; its workflow has tried for hours by then.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_hours(1);
const PAGE: u32 = 500;
/// Unused for so long, nobody is likely to come back this minute.
const LONG_QUIET: SignedDuration = SignedDuration::from_mins(60);
const SHORT_QUIET: SignedDuration = SignedDuration::from_mins(10);

/// What decides whether an instance's time has come.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub id: domain::InstanceId,
    pub state: InstanceState,
    /// When it was made, and when it came into its present state.
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    /// When one was last taken as planned, and when one was last begun.
    pub last_taken: Option<Timestamp>,
    pub last_begun: Option<Timestamp>,
    pub last_used: Option<Timestamp>,
}

/// Begins those that are due, the longest overdue first.
///
/// # Errors
/// When the store can't be used.
pub async fn take_due(core: &Core) -> Result<(), Error> {
    let every = SignedDuration::from_hours(i64::from(core.settings.backups.every_hours));
    if every.is_zero() || possible(core).is_err() {
        return Ok(());
    }
    let at_work = workflow::at_work_since(&core.db, Timestamp::MAX).await?;
    let under_way = at_work.iter().filter(|(_, kind)| kind == back_up::KIND).count();
    let busy: BTreeSet<&str> = at_work.iter().map(|(subject, _)| subject.as_str()).collect();
    let now = core.clock.now();
    let mut due: Vec<Candidate> = Vec::new();
    for wanted in [Wanted::AtRest, Wanted::NotSince(now - every * 3 / 4)] {
        let mut after = String::new();
        loop {
            let page = store::candidates(&core.db, wanted, now, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.id.to_string();
            due.extend(
                page.into_iter().filter(|one| is_due(one, now, every) && !busy.contains(one.id.to_string().as_str())),
            );
        }
    }
    due.sort_by_key(|one| one.last_taken.unwrap_or(one.created_at));
    for one in due.iter().take(AT_ONCE.saturating_sub(under_way)) {
        back_up::begin_scheduled(core, one.id).await?;
    }
    Ok(())
}

fn is_due(one: &Candidate, now: Timestamp, every: SignedDuration) -> bool {
    if one.last_begun.is_some_and(|begun| begun + AFTER_FAILURE > now) {
        return false;
    }
    let age = now.duration_since(one.last_taken.unwrap_or(one.created_at));
    match one.state {
        // It rests already, and nothing in it changes: one backup from that time is as good as many.
        InstanceState::Suspended => one.last_taken.is_none_or(|taken| taken < one.changed_at),
        InstanceState::Active => {
            let quiet = one.last_used.map_or(SignedDuration::MAX, |used| now.duration_since(used));
            quiet >= needed_quiet(age, every).unwrap_or(SignedDuration::MAX) && age >= every * 3 / 4
        }
        _ => false,
    }
}

/// How long nobody may have been there, so that it is taken now; none while it is too early.
fn needed_quiet(age: SignedDuration, every: SignedDuration) -> Option<SignedDuration> {
    if age >= every * 3 / 2 {
        Some(SignedDuration::ZERO)
    } else if age >= every {
        Some(SHORT_QUIET)
    } else if age >= every * 3 / 4 {
        Some(LONG_QUIET)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const EVERY: SignedDuration = SignedDuration::from_hours(24);

    fn now() -> Timestamp {
        "2026-11-29T12:00:00Z".parse().unwrap()
    }

    fn taken(hours_ago: i64, minutes_unused: i64) -> Candidate {
        let ago = |minutes| now() - SignedDuration::from_mins(minutes);
        Candidate {
            id: domain::InstanceId::new(now(), [1; 10]),
            state: InstanceState::Active,
            created_at: ago(100_000),
            changed_at: ago(100_000),
            last_taken: Some(ago(hours_ago * 60)),
            last_begun: Some(ago(hours_ago * 60)),
            last_used: Some(ago(minutes_unused)),
        }
    }

    #[test]
    fn a_quiet_hour_is_waited_for_and_not_longer_than_half_a_day() {
        for (hours_ago, minutes_unused, due) in [
            (17, 600, false),
            (18, 59, false),
            (18, 60, true),
            (23, 30, false),
            (24, 9, false),
            (24, 10, true),
            (35, 1, false),
            (36, 0, true),
        ] {
            assert_eq!(
                is_due(&taken(hours_ago, minutes_unused), now(), EVERY),
                due,
                "{hours_ago} h, {minutes_unused} min"
            );
        }
    }

    #[test]
    fn what_rests_is_backed_up_once_and_what_failed_not_at_once_again() {
        let suspended = Candidate { state: InstanceState::Suspended, ..taken(48, 5000) };
        assert!(!is_due(&suspended, now(), EVERY), "it was taken after it was suspended");
        let since = Candidate { changed_at: now() - SignedDuration::from_hours(2), ..suspended };
        assert!(is_due(&since, now(), EVERY));
        let failed = Candidate { last_begun: Some(now() - SignedDuration::from_mins(59)), ..taken(100, 5000) };
        assert!(!is_due(&failed, now(), EVERY));
        assert!(!is_due(&Candidate { state: InstanceState::Deleting, ..taken(100, 5000) }, now(), EVERY));
    }

    proptest! {
        /// Nobody's use, however it falls, keeps an instance without a backup for longer than half as long again as planned.
        #[test]
        fn nothing_goes_without_for_long(every in 1_i64..200, extra in 0_i64..1000, unused in 0_i64..100_000) {
            let every = SignedDuration::from_hours(every);
            let last = now() - every * 3 / 2 - SignedDuration::from_mins(extra) - AFTER_FAILURE;
            let one = Candidate { last_taken: Some(last), last_begun: Some(last), ..taken(0, unused) };
            prop_assert!(is_due(&one, now(), every));
        }

        /// And never twice within three quarters of that time.
        #[test]
        fn nothing_is_taken_too_often(every in 1_i64..200, part in 0.0_f64..0.74, unused in 0_i64..100_000) {
            let every = SignedDuration::from_hours(every);
            let last = now() - SignedDuration::from_secs_f64(every.as_secs_f64() * part);
            let one = Candidate { last_taken: Some(last), last_begun: Some(last), ..taken(0, unused) };
            prop_assert!(!is_due(&one, now(), every));
        }
    }
}
