use std::num::NonZeroU16;

use billing::dunning::{Action, Clock, Dunning, Event, Hold, Next, Policy, Reminder, Stage};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::given::at;

fn start() -> Timestamp {
    at("2026-12-01T09:00:00Z")
}

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

fn policies() -> impl Strategy<Value = Policy> {
    let list = || prop::collection::vec(0_u16..10, 0..4);
    let few = || 0_u16..20;
    (list(), few(), list(), few(), few(), few(), 1_u16..40).prop_map(
        |(retry_after_days, answer_days, reminder_days, grace_days, suspended_days, cancelled_days, notice)| Policy {
            retry_after_days,
            answer_days,
            reminder_days,
            grace_days,
            suspended_days,
            cancelled_days,
            notice_days: NonZeroU16::new(notice).unwrap(),
        },
    )
}

fn stages() -> Vec<Stage> {
    let mut stages = vec![Stage::Current, Stage::Grace, Stage::Suspended, Stage::Deleted];
    stages.extend([Stage::Cancelled {}, Stage::DeletionAnnounced {}]);
    for number in [0, 1, 2, 3, 4, 255] {
        stages.push(Stage::Retrying { failures: number });
        stages.push(Stage::Charging { failures: number });
        stages.push(Stage::Reminded { reminders: number });
    }
    stages
}

fn clocks() -> Vec<Clock> {
    let mut clocks = vec![Clock::Running { due: None }];
    clocks.extend([-5, 0, 5].map(|day| Clock::Running { due: Some(start() + days(day)) }));
    for by in [Hold::Operator, Hold::Dispute, Hold::Both] {
        clocks.extend([None, Some(days(3))].map(|left| Clock::Held { by, left }));
    }
    clocks
}

/// Every state, with counts that no life leads to.
fn states() -> Vec<Dunning> {
    let all = stages().into_iter().flat_map(|stage| clocks().into_iter().map(move |clock| Dunning::new(stage, clock)));
    all.filter_map(Result::ok).collect()
}

fn is_closed(stage: Stage) -> bool {
    matches!(stage, Stage::Suspended | Stage::Cancelled { .. } | Stage::DeletionAnnounced { .. })
}

/// Waits for each due date, with nothing else happening, until none is left.
fn wait_it_out(mut state: Dunning, policy: &Policy) -> Vec<(Timestamp, Next)> {
    let mut told = Vec::new();
    while let Some(due) = state.due() {
        let next = state.next(Event::TimePassed, due, policy);
        assert_ne!(next.state, state, "stuck");
        state = next.state;
        told.push((due, next));
        assert!(told.len() < 1_000, "for ever");
    }
    told
}

#[test]
fn every_state_knows_every_event_and_says_when_it_goes_on() {
    let policy = Policy::default();
    for state in states() {
        for event in Event::ALL {
            let next = state.next(event, start(), &policy);
            assert_eq!(next.due, next.state.due(), "{state:?} {event:?}");
            if state.stage() == Stage::Deleted {
                assert_eq!((next.state.stage(), next.actions), (Stage::Deleted, vec![]), "{event:?}");
            }
        }
    }
}

#[test]
fn paying_restores_everywhere_but_after_deletion() {
    for state in states() {
        let next = state.next(Event::Paid, start(), &Policy::default());
        if state.stage() == Stage::Deleted {
            assert_eq!((next.state, next.actions), (state, vec![]));
        } else {
            assert_eq!(next.state.stage(), Stage::Current, "{state:?}");
            let expected = if is_closed(state.stage()) { vec![Action::Restore] } else { vec![] };
            assert_eq!(next.actions, expected, "{state:?}");
            if state.stage() != Stage::Current {
                assert_eq!(next.due, None, "nothing of the old schedule is left");
            }
        }
    }
}

#[test]
fn time_held_does_not_pass_and_nothing_is_closed_deleted_or_mailed_meanwhile() {
    for state in states() {
        let held = state.next(Event::PausedByOperator, start(), &Policy::default());
        assert_eq!((held.state.stage(), held.due, held.actions), (state.stage(), None, vec![]));
        for event in Event::ALL.into_iter().filter(|event| *event != Event::Unpaused) {
            let next = held.state.next(event, start() + days(10_000), &Policy::default());
            let quiet = next.actions.iter().all(|action| *action == Action::Restore);
            assert!(quiet && next.due.is_none(), "{state:?} {event:?}: {next:?}");
        }
    }
}

#[test]
fn a_pause_gives_back_the_time_that_was_left() {
    let policy = Policy::default();
    let failed = Dunning::CURRENT.next(Event::ChargeFailed, start(), &policy).state;
    let noon = start() + SignedDuration::from_hours(12);
    let held = failed.next(Event::PausedByOperator, noon, &policy).state;
    let again = held.next(Event::PausedByOperator, noon + days(1), &policy).state;
    assert_eq!(again, held);
    let disputed = held.next(Event::DisputeOpened, noon + days(2), &policy).state;
    let half = disputed.next(Event::Unpaused, noon + days(3), &policy).state;
    assert_eq!(half.due(), None, "the bank is not done");
    let going = half.next(Event::DisputeWon, noon + days(9), &policy).state;
    assert_eq!(going.due(), Some(noon + days(9) + SignedDuration::from_hours(12)));
    assert_eq!(going.stage(), failed.stage());
}

#[test]
fn a_lost_dispute_is_owed_again_and_told_twice_only_once() {
    let policy = Policy::default();
    let held = Dunning::CURRENT.next(Event::DisputeOpened, start(), &policy).state;
    let lost = held.next(Event::DisputeLost, start(), &policy);
    assert_eq!(lost.state.stage(), Stage::Reminded { reminders: 1 });
    assert_eq!(lost.actions, [Action::SendReminder(Reminder::Overdue { number: 1 })]);
    let paid = lost.state.next(Event::Paid, start(), &policy).state;
    assert_eq!(paid.next(Event::DisputeLost, start(), &policy).state, paid);
}

#[test]
fn an_unpaid_card_goes_the_whole_way_in_a_hundred_and_twenty_days() {
    let policy = Policy::default();
    let mut state = Dunning::CURRENT;
    let mut now = start();
    let mut story: Vec<(i64, Action)> = Vec::new();
    let mut event = Event::ChargeFailed;
    loop {
        let next = state.next(event, now, &policy);
        story.extend(next.actions.iter().map(|action| ((now - start()).as_hours(), *action)));
        state = next.state;
        event = if next.actions.contains(&Action::RetryCharge) { Event::ChargeFailed } else { Event::TimePassed };
        match next.due {
            Some(due) if event == Event::TimePassed => now = due,
            Some(_) => {}
            None => break,
        }
    }
    let story: Vec<(i64, Action)> = story.into_iter().map(|(hours, action)| (hours / 24, action)).collect();
    let deletion = start() + days(9 + 14 + 7 + 30 + 30 + 30);
    assert_eq!(
        story,
        [
            (0, Action::SendReminder(Reminder::ChargeFailed)),
            (1, Action::RetryCharge),
            (1, Action::SendReminder(Reminder::ChargeFailed)),
            (4, Action::RetryCharge),
            (4, Action::SendReminder(Reminder::ChargeFailed)),
            (9, Action::RetryCharge),
            (9, Action::SendReminder(Reminder::Overdue { number: 1 })),
            (16, Action::SendReminder(Reminder::Overdue { number: 2 })),
            (23, Action::SendReminder(Reminder::BeforeSuspension)),
            (30, Action::Suspend),
            (30, Action::SendReminder(Reminder::Suspended)),
            (60, Action::Cancel),
            (60, Action::SendReminder(Reminder::Cancelled)),
            (90, Action::AnnounceDeletion { at: deletion }),
            (120, Action::Delete),
        ]
    );
}

#[test]
fn an_unpaid_bank_transfer_begins_with_reminders() {
    let next = Dunning::CURRENT.next(Event::Overdue, start(), &Policy::default());
    assert_eq!(next.state.stage(), Stage::Reminded { reminders: 1 });
    assert_eq!(next.state.next(Event::Overdue, start(), &Policy::default()).state, next.state);
}

#[test]
fn a_failure_told_twice_counts_once_and_a_charge_without_answer_counts_as_failed() {
    let policy = Policy::default();
    let failed = Dunning::CURRENT.next(Event::ChargeFailed, start(), &policy).state;
    assert_eq!(failed.next(Event::ChargeFailed, start(), &policy).state, failed);
    let charging = failed.next(Event::TimePassed, start() + days(1), &policy).state;
    assert_eq!(charging.stage(), Stage::Charging { failures: 1 });
    let lost = charging.next(Event::TimePassed, start() + days(3), &policy).state;
    assert_eq!(lost.stage(), Stage::Retrying { failures: 2 });
}

#[test]
fn a_server_that_slept_for_a_year_still_gives_notice() {
    let policy = Policy::default();
    let mut state = Dunning::CURRENT.next(Event::Overdue, start(), &policy).state;
    let late = start() + days(365);
    for _ in 0..10 {
        let next = state.next(Event::TimePassed, late, &policy);
        assert!(!next.actions.contains(&Action::Delete));
        state = next.state;
    }
    assert_eq!(state.stage(), Stage::Reminded { reminders: 2 }, "one step for one sleep");
}

#[test]
fn a_policy_without_notice_can_not_be_written() {
    let written = serde_json::to_string(&Policy::default()).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&written).unwrap(), Policy::default());
    assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), Policy::default());
    assert!(serde_json::from_str::<Policy>(r#"{"notice_days":0}"#).is_err());
    assert!(serde_json::from_str::<Policy>(r#"{"notice":30}"#).is_err());
}

#[test]
fn states_survive_being_written_and_reminders_have_words() {
    for state in states() {
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<Dunning>(&text).unwrap(), state);
    }
    let earlier = r#"{"stage":{"cancelled":{"by":"non_payment"}},"clock":{"running":{"due":"2027-01-01T00:00:00Z"}}}"#;
    assert_eq!(serde_json::from_str::<Dunning>(earlier).unwrap().stage(), Stage::Cancelled {});
    assert!(Dunning::new(Stage::Grace, Clock::Running { due: None }).is_err(), "it would never end");
    assert!(serde_json::from_str::<Dunning>(r#"{"stage":"grace","clock":{"running":{"due":null}}}"#).is_err());
    assert!(Reminder::Suspended.in_words().contains("your data is kept"));
}

proptest! {
    #[test]
    fn nobody_is_stuck_everybody_who_never_pays_is_deleted_in_the_end(policy in policies(), state in prop::sample::select(states())) {
        let free = state.next(Event::Unpaused, start(), &policy).state.next(Event::DisputeWon, start(), &policy).state;
        let told = wait_it_out(free, &policy);
        let stands = told.last().map_or(free, |(_, next)| next.state);
        prop_assert_eq!(told.is_empty(), matches!(free.stage(), Stage::Current | Stage::Deleted));
        prop_assert!(told.is_empty() || stands.stage() == Stage::Deleted, "{:?}", stands);
    }

    #[test]
    fn nothing_is_deleted_before_its_notice_has_run(policy in policies(), events in prop::collection::vec((prop::sample::select(Event::ALL.to_vec()), 0_i64..2_000), 0..200)) {
        let (mut state, mut now) = (Dunning::CURRENT, start());
        let mut announced: Option<Timestamp> = None;
        let mut closed = false;
        for (event, hours) in events {
            now += SignedDuration::from_hours(hours);
            let next = state.next(event, now, &policy);
            for action in &next.actions {
                match action {
                    Action::AnnounceDeletion { at } => {
                        prop_assert_eq!(*at, now + days(i64::from(policy.notice_days.get())));
                        announced = Some(*at);
                    }
                    Action::Delete => prop_assert!(closed && announced.is_some_and(|at| at <= now)),
                    Action::Restore => {
                        prop_assert!(closed, "there is something to restore");
                        (announced, closed) = (None, false);
                    }
                    Action::Suspend => closed = true,
                    Action::Cancel => prop_assert!(closed, "nobody is left inside"),
                    Action::RetryCharge | Action::SendReminder(_) => {}
                }
            }
            // Where nobody can enter is known from the actions alone.
            prop_assert_eq!(closed, is_closed(next.state.stage()) || next.state.stage() == Stage::Deleted);
            state = next.state;
        }
    }

    #[test]
    fn telling_an_event_twice_does_no_harm(policy in policies(), state in prop::sample::select(states()), event in prop::sample::select(Event::ALL.to_vec())) {
        prop_assume!(event != Event::TimePassed);
        let once = state.next(event, start(), &policy);
        let twice = once.state.next(event, start(), &policy);
        prop_assert_eq!(twice.state, once.state);
        prop_assert_eq!(twice.actions, vec![]);
    }
}
