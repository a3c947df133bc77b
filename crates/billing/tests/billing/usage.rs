use billing::{HourSet, Source, Standing, Usage};
use domain::{Signal, UsageHour};
use proptest::prelude::*;

use crate::given::{hour, hours, set, sources};

/// A report or a waiver.
#[derive(Debug, Clone, Copy)]
enum Fact {
    Mark(Source, UsageHour),
    Waive(UsageHour),
}

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    // Few hours, so that they meet.
    let near = (0_i64..60).prop_map(|offset| crate::given::plus(hour("2028-02-28T00"), offset));
    let some = prop_oneof![3 => near, 1 => hours()];
    let fact = (some, prop::option::weighted(0.7, sources()));
    let fact = fact.prop_map(|(hour, source)| source.map_or(Fact::Waive(hour), |source| Fact::Mark(source, hour)));
    prop::collection::vec(fact, 0..60)
}

fn usage_of(facts: &[Fact]) -> Usage {
    let mut usage = Usage::none();
    for fact in facts {
        match *fact {
            Fact::Mark(source, hour) => usage.mark(source, hour),
            Fact::Waive(hour) => usage.waive(hour),
        }
    }
    usage
}

fn merged(a: &Usage, b: &Usage) -> Usage {
    let mut both = a.clone();
    both.merge(b);
    both
}

proptest! {
    #[test]
    fn merging_is_idempotent_commutative_and_associative(a in facts(), b in facts(), c in facts()) {
        let (a, b, c) = (usage_of(&a), usage_of(&b), usage_of(&c));
        prop_assert_eq!(merged(&a, &a), a.clone());
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
    }

    #[test]
    fn facts_in_any_order_number_and_grouping_give_the_same_usage(facts in facts(), turn in 0_usize..60, split in 0_usize..60, again in 0_usize..60) {
        let mut told = facts.clone();
        told.extend(facts.iter().take(again).copied());
        if !told.is_empty() {
            let turn = turn % told.len();
            told.rotate_left(turn);
        }
        let (one, other) = told.split_at(split.min(told.len()));
        prop_assert_eq!(merged(&usage_of(one), &usage_of(other)), usage_of(&facts));
    }

    #[test]
    fn used_hours_are_billable_or_waived_and_never_both(facts in facts()) {
        let usage = usage_of(&facts);
        let (used, waived, billable) = (usage.used(), usage.waived(), usage.billable());
        prop_assert!(waived.count() <= used.count());
        prop_assert_eq!(waived.count() + billable.count(), used.count());
        prop_assert!(waived.intersection(&billable).is_empty());
        for hour in used.iter() {
            let seen = usage.of(Source::Guard).contains(hour) || usage.of(Source::Application).contains(hour);
            prop_assert!(seen);
        }
    }

    #[test]
    fn cross_checks_bill_nothing(facts in facts()) {
        let evidence: Vec<Fact> = facts
            .iter()
            .filter(|fact| !matches!(fact, Fact::Mark(source, _) if source.standing() == Standing::CrossCheck))
            .copied()
            .collect();
        prop_assert_eq!(usage_of(&facts).billable(), usage_of(&evidence).billable());
    }

    #[test]
    fn usage_survives_being_written(facts in facts()) {
        let usage = usage_of(&facts);
        let text = serde_json::to_string(&usage).unwrap();
        prop_assert_eq!(serde_json::from_str::<Usage>(&text).unwrap(), usage);
    }

    #[test]
    fn sets_of_hours_are_sets(mine in prop::collection::vec(hours(), 0..40), theirs in prop::collection::vec(hours(), 0..40), start in hours(), end in hours()) {
        let others: Vec<UsageHour> = theirs.iter().chain(mine.iter().take(10)).copied().collect();
        let (mine, theirs) = (set(&mine), set(&others));
        let expected = |keep: &dyn Fn(UsageHour) -> bool| mine.iter().filter(|hour| keep(*hour)).collect::<HourSet>();
        prop_assert_eq!(mine.difference(&theirs), expected(&|hour| !theirs.contains(hour)));
        prop_assert_eq!(mine.intersection(&theirs), expected(&|hour| theirs.contains(hour)));
        prop_assert_eq!(mine.within(start, end), expected(&|hour| start <= hour && hour < end));
        prop_assert_eq!(mine.iter().count(), mine.count() as usize);
        prop_assert_eq!(mine.difference(&mine), HourSet::none());
    }
}

#[test]
fn an_hour_waived_before_its_evidence_comes_is_not_billed_when_it_does() {
    let early = hour("2026-11-14T09");
    let mut usage = Usage::none();
    usage.waive(early);
    assert!(usage.waived().is_empty(), "nothing was used yet");
    usage.mark(Source::Guard, early);
    assert_eq!((usage.waived().count(), usage.billable().count()), (1, 0));
}

#[test]
fn an_hour_in_which_the_instance_was_not_up_is_doubted_where_that_is_known() {
    let (up, down, unknown) = (hour("2026-11-14T09"), hour("2026-11-14T10"), hour("2026-12-01T00"));
    let mut usage = Usage::none();
    [up, down, unknown].into_iter().for_each(|hour| usage.mark(Source::Guard, hour));
    usage.mark(Source::Compute, up);
    assert_eq!(usage.doubtful(), set(&[down]));
    assert_eq!(usage.billable().count(), 3, "a doubt is for a person to settle");
}

#[test]
fn every_signal_of_the_plan_has_a_source_that_bills_it() {
    for signal in [Signal::Member, Signal::ApiCall, Signal::Sprint, Signal::AppRunning] {
        let mut sources = Source::ALL.into_iter().filter(|source| source.signals().contains(&signal));
        assert!(sources.any(|source| source.standing() == Standing::Evidence), "{}", signal.as_str());
    }
    for source in Source::ALL {
        assert_eq!(source.signals().is_empty(), source.standing() == Standing::CrossCheck);
        assert_eq!(Source::parse(source.as_str()), Ok(source));
    }
    assert!(Source::parse("moon").is_err());
}
