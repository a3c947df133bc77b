//! What is known of an instance: properties of the verdict and of the time that it adds up to.
#![allow(clippy::unwrap_used, missing_docs)]

use domain::{Freshness, InstanceState, Look, Met, Probe, Purpose, Seen, Share, Source, Span, Uptime, Verdict, Views};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

const FRESH: Freshness = Freshness {
    probe: SignedDuration::from_secs(180),
    look: SignedDuration::from_secs(60),
    heard: SignedDuration::from_secs(600),
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn probe(met: Met, second: i64, misses: u32, answered: Option<i64>) -> Option<Probe> {
    Some(Probe { met, at: at(second), misses, answered_at: answered.map(at) })
}

fn look(seen: Seen, second: i64) -> Option<Look> {
    Some(Look { seen, at: at(second) })
}

fn judged(views: Views, now: i64) -> (Verdict, Option<Source>) {
    let judgement = views.judge(Purpose::Serving, at(now), &FRESH);
    (judgement.verdict, judgement.by.map(|(source, _)| source))
}

#[test]
fn each_case_has_its_verdict_and_whoever_saw_it() {
    let none = Views::default();
    for (views, expected) in [
        (none, (Verdict::Unknown, None)),
        (Views { look: look(Seen::Running, 90), ..none }, (Verdict::Up, Some(Source::Provider))),
        (Views { look: look(Seen::Running, 10), ..none }, (Verdict::Unknown, None)),
        (Views { look: look(Seen::Unknown, 90), ..none }, (Verdict::Unknown, None)),
        (Views { look: look(Seen::Asleep, 90), ..none }, (Verdict::Asleep, Some(Source::Provider))),
        // Somebody came after it was seen asleep.
        (Views { look: look(Seen::Asleep, 90), heard: Some(at(95)), ..none }, (Verdict::Up, Some(Source::Guard))),
        (
            Views { look: look(Seen::Asleep, 90), heard: Some(at(80)), ..none },
            (Verdict::Asleep, Some(Source::Provider)),
        ),
        (Views { heard: Some(at(80)), ..none }, (Verdict::Up, Some(Source::Guard))),
        // What a visitor meets counts for more than that something runs.
        (
            Views { probe: probe(Met::Nothing, 60, 2, None), look: look(Seen::Running, 95), heard: Some(at(97)) },
            (Verdict::Unreachable, Some(Source::Prober)),
        ),
        (
            Views { probe: probe(Met::Unwell, 60, 2, None), look: look(Seen::Running, 95), heard: None },
            (Verdict::Down, Some(Source::Prober)),
        ),
        (
            Views { probe: probe(Met::Nothing, 60, 2, None), look: look(Seen::Down, 95), heard: None },
            (Verdict::Down, Some(Source::Provider)),
        ),
        (
            Views { probe: probe(Met::Nothing, 60, 2, None), look: look(Seen::Starting, 95), heard: None },
            (Verdict::Starting, Some(Source::Provider)),
        ),
        // A miss is not yet an outage.
        (
            Views { probe: probe(Met::Nothing, 60, 1, Some(0)), look: look(Seen::Running, 95), heard: None },
            (Verdict::Up, Some(Source::Prober)),
        ),
        (Views { probe: probe(Met::Nothing, 60, 1, None), look: None, heard: None }, (Verdict::Unknown, None)),
        // It answered, and was then seen to stop.
        (
            Views { probe: probe(Met::Answer, 60, 0, Some(60)), look: look(Seen::Down, 95), heard: None },
            (Verdict::Down, Some(Source::Provider)),
        ),
        (
            Views { probe: probe(Met::Answer, 96, 0, Some(96)), look: look(Seen::Down, 95), heard: None },
            (Verdict::Up, Some(Source::Prober)),
        ),
        (
            Views { probe: probe(Met::Answer, 60, 0, Some(60)), look: look(Seen::Asleep, 95), heard: None },
            (Verdict::Asleep, Some(Source::Provider)),
        ),
    ] {
        assert_eq!(judged(views, 100), expected, "{views:?}");
    }
}

#[test]
fn what_was_decided_is_not_overruled_by_what_is_seen() {
    let views = Views { probe: probe(Met::Answer, 99, 0, Some(99)), look: look(Seen::Running, 99), heard: None };
    for (state, expected) in [
        (InstanceState::Provisioning, Some(Verdict::Starting)),
        (InstanceState::Suspended, Some(Verdict::Suspended)),
        (InstanceState::Active, Some(Verdict::Up)),
        (InstanceState::Deleting, None),
        (InstanceState::Deleted, None),
        (InstanceState::Failed, None),
    ] {
        let verdict = Purpose::of(state).map(|purpose| views.judge(purpose, at(100), &FRESH).verdict);
        assert_eq!(verdict, expected, "{state}");
    }
}

fn any_met() -> impl Strategy<Value = Met> {
    prop::sample::select(Met::ALL.to_vec())
}

fn any_views() -> impl Strategy<Value = Views> {
    let seen = prop::sample::select(vec![Seen::Running, Seen::Starting, Seen::Down, Seen::Asleep, Seen::Unknown]);
    let probes = prop::collection::vec((any_met(), -100_i64..1100), 0..4);
    (probes, prop::option::of((seen, -100_i64..1100)), prop::option::of(-100_i64..1100)).prop_map(
        |(probes, look, heard)| Views {
            probe: probes.into_iter().fold(None, |before, (met, second)| Some(Probe::after(before, met, at(second)))),
            look: look.map(|(seen, second)| Look { seen, at: at(second) }),
            heard: heard.map(at),
        },
    )
}

proptest! {
    #[test]
    fn a_verdict_rests_on_a_view_that_exists_and_is_of_now_or_before(views in any_views(), now in 0_i64..1000) {
        let judgement = views.judge(Purpose::Serving, at(now), &FRESH);
        prop_assert_eq!(judgement.by.is_none(), judgement.verdict == Verdict::Unknown);
        if let Some((source, seen_at)) = judgement.by {
            prop_assert!(seen_at <= at(now));
            let is_its_own = match source {
                Source::Prober => views.probe.is_some_and(|it| it.at == seen_at || it.answered_at == Some(seen_at)),
                Source::Provider => views.look.is_some_and(|it| it.at == seen_at),
                Source::Guard => views.heard == Some(seen_at),
            };
            prop_assert!(is_its_own);
        }
    }

    #[test]
    fn once_every_view_is_old_nothing_is_known(views in any_views()) {
        let judgement = views.judge(Purpose::Serving, at(5000), &FRESH);
        prop_assert_eq!(judgement.verdict, Verdict::Unknown);
    }

    #[test]
    fn looks_that_arrive_in_another_order_leave_the_latest(looks in prop::collection::vec((any_met(), 0_i64..50), 1..6)) {
        let last = looks.iter().map(|(_, second)| *second).max().unwrap();
        let probe = looks.iter().fold(None, |before, (met, second)| Some(Probe::after(before, *met, at(*second))));
        let probe = probe.unwrap();
        prop_assert_eq!(probe.at, at(last));
        prop_assert!(looks.iter().any(|(met, second)| *met == probe.met && *second == last));
        prop_assert_eq!(probe.misses == 0, probe.met == Met::Answer);
    }

    #[test]
    fn every_moment_of_a_window_is_counted_once(
        spans in prop::collection::vec((0_usize..7, 0_i64..900, prop::option::of(0_i64..400)), 0..8),
        from in 0_i64..500, length in 0_i64..500,
    ) {
        let spans: Vec<_> = spans.into_iter().map(|(verdict, began, length)| Span {
            verdict: Verdict::ALL[verdict], began: at(began), ended: length.map(|length| at(began + length)),
        }).collect();
        let sum = Uptime::over(at(from), at(from + length), &spans);
        let all = sum.up + sum.down + sum.asleep + sum.paused + sum.unknown;
        prop_assert_eq!(all, SignedDuration::from_secs(length));
        let halves = Uptime::over(at(from), at(from + length / 2), &spans)
            + Uptime::over(at(from + length / 2), at(from + length), &spans);
        prop_assert_eq!(halves.share().is_some(), sum.share().is_some());
    }
}

#[test]
fn sleep_pauses_and_the_unseen_are_neither_up_nor_down() {
    let span = |verdict, began, ended| Span { verdict, began: at(began), ended };
    let spans = [
        span(Verdict::Up, 0, Some(at(99))),
        span(Verdict::Unreachable, 99, Some(at(100))),
        span(Verdict::Asleep, 100, Some(at(200))),
        span(Verdict::Suspended, 300, None),
    ];
    let sum = Uptime::over(at(0), at(400), &spans);
    let seconds = [sum.up, sum.down, sum.asleep, sum.paused, sum.unknown].map(|part| part.as_secs());
    assert_eq!(seconds, [99, 1, 100, 100, 100]);
    assert_eq!(sum.share().unwrap().to_string(), "99.00 %");
    assert_eq!(Uptime::over(at(100), at(400), &spans).share(), None);
}

#[test]
fn a_second_of_outage_in_a_month_is_not_called_all_of_it() {
    let month = SignedDuration::from_hours(720);
    let all = Uptime { up: month, ..Uptime::default() };
    assert_eq!(all.share().unwrap().to_string(), "100 %");
    let nearly = Uptime { up: month, down: SignedDuration::from_millis(1), ..Uptime::default() };
    assert_eq!(nearly.share().unwrap().to_string(), "99.99 %");
    assert!(nearly.share().unwrap() > Share::TARGET);
}
