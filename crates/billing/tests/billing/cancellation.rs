use std::num::NonZeroU16;

use billing::{Cancellation, CancellationPolicy, CancellationStep, TakenBack};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::given::{at, hour, plus};

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

fn policies() -> impl Strategy<Value = CancellationPolicy> {
    (1_u16..100, 1_u16..200).prop_map(|(notice, kept)| CancellationPolicy {
        kept_days: kept,
        notice_days: NonZeroU16::new(notice).unwrap(),
    })
}

#[test]
fn a_cancelled_instance_runs_out_is_kept_announced_and_deleted_on_the_days_that_were_named() {
    let policy = CancellationPolicy::default();
    let mut state = Cancellation::requested(hour("2026-12-01T00"), &policy);
    let mut story = Vec::new();
    while let Some(due) = state.due(&policy) {
        assert_eq!(state.next(due - SignedDuration::from_millis(1), &policy), None);
        let (next, step) = state.next(due, &policy).unwrap();
        story.push((due, step));
        state = next;
    }
    let deleted_at = at("2026-12-31T00:00:00Z");
    assert_eq!(
        story,
        [
            (at("2026-12-01T00:00:00Z"), CancellationStep::End),
            (at("2026-12-24T00:00:00Z"), CancellationStep::Announce { deleted_at }),
            (deleted_at, CancellationStep::Delete),
        ]
    );
    assert_eq!((state, state.taken_back(), state.until()), (Cancellation::Over, None, None));
}

#[test]
fn before_its_end_it_is_kept_on_and_after_it_the_customer_comes_back() {
    let policy = CancellationPolicy::default();
    let requested = Cancellation::requested(hour("2026-12-01T00"), &policy);
    assert_eq!(requested.taken_back(), Some(TakenBack::KeptOn));
    let (kept, _) = requested.next(at("2026-12-01T00:00:00Z"), &policy).unwrap();
    assert_eq!((kept.taken_back(), kept.has_ended()), (Some(TakenBack::Back), true));
    let (announced, _) = kept.next(at("2026-12-24T00:00:00Z"), &policy).unwrap();
    assert_eq!((announced.taken_back(), announced.has_ended()), (Some(TakenBack::Back), true));
}

#[test]
fn what_was_promised_holds_when_the_policy_becomes_shorter() {
    let requested = Cancellation::requested(hour("2026-12-01T00"), &CancellationPolicy::default());
    let hasty = CancellationPolicy { kept_days: 1, notice_days: NonZeroU16::MIN };
    let (kept, _) = requested.next(at("2026-12-01T00:00:00Z"), &hasty).unwrap();
    assert_eq!(kept.due(&hasty), Some(at("2026-12-30T00:00:00Z")));
    let (announced, _) = kept.next(at("2026-12-30T00:00:00Z"), &hasty).unwrap();
    assert_eq!(announced.due(&hasty), Some(at("2026-12-31T00:00:00Z")));
}

#[test]
fn a_policy_that_can_not_be_meant_is_refused_in_words() {
    assert_eq!(CancellationPolicy::default().check(), Ok(()));
    let notice = CancellationPolicy { kept_days: 5, ..CancellationPolicy::default() };
    assert!(notice.check().unwrap_err().to_string().contains("set it to 5 at most"));
    let years = CancellationPolicy { kept_days: 1_000, ..CancellationPolicy::default() };
    assert!(years.check().unwrap_err().to_string().contains("366 at most"));
    assert!(serde_json::from_str::<CancellationPolicy>(r#"{"notice_days":0}"#).is_err());
    assert!(serde_json::from_str::<CancellationPolicy>(r#"{"kept":30}"#).is_err());
}

proptest! {
    #[test]
    fn nothing_is_deleted_before_it_was_promised_nor_before_its_notice_has_run(
        policy in policies(), later_policy in policies(), hours in 0_i64..2_000, looks in prop::collection::vec(0_i64..3_000, 1..40)
    ) {
        let until = plus(hour("2026-11-15T09"), hours);
        let promised = until.start() + days(i64::from(policy.kept_days));
        let mut state = Cancellation::requested(until, &policy);
        let (mut now, mut ended, mut announced) = (at("2026-11-15T09:00:00Z"), false, None::<Timestamp>);
        for hours in looks {
            now += SignedDuration::from_hours(hours);
            // One look takes one step.
            let Some((next, step)) = state.next(now, &later_policy) else { continue };
            match step {
                CancellationStep::End => {
                    prop_assert!(now >= until.start() && !ended);
                    ended = true;
                }
                CancellationStep::Announce { deleted_at } => {
                    prop_assert!(ended && announced.is_none());
                    prop_assert!(deleted_at >= promised);
                    prop_assert!(deleted_at >= now + days(i64::from(later_policy.notice_days.get())));
                    announced = Some(deleted_at);
                }
                CancellationStep::Delete => prop_assert!(now >= promised && announced.is_some_and(|at| at <= now)),
            }
            prop_assert_eq!(next.taken_back().is_none(), step == CancellationStep::Delete);
            let text = serde_json::to_string(&next).unwrap();
            prop_assert_eq!(serde_json::from_str::<Cancellation>(&text).unwrap(), next);
            state = next;
        }
    }
}
