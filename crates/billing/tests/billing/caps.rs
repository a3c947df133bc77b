use billing::{
    Announced, Budget, Cap, CapChosen, CapHistory, Cycle, Forecast, HourSet, Invoice, PlanVersion, Source, Terms,
    Trial, Usage,
};
use domain::{Cents, UsageHour};
use proptest::prelude::*;

use crate::given::{hour, hours, inputs, month, percent, plan, plans, plus, price, terms, used};

fn any_terms() -> impl Strategy<Value = Terms> {
    (plans(), hours(), any::<bool>()).prop_map(|(plan, began, calendar)| {
        let cycle = if calendar { Cycle::Calendar } else { Cycle::Anniversary { of: began } };
        let trial = Trial::of(&plan, began);
        Terms { service_began: began, trial, ..terms(plan, cycle.period_of(began)) }
    })
}

fn any_cap() -> impl Strategy<Value = Cap> {
    prop_oneof![(0_u32..800).prop_map(Cap::Hours), (0_i64..200_000).prop_map(|cents| Cap::Spend(price(cents)))]
}

fn chosen(at: &str, cap: Option<Cap>) -> CapChosen {
    CapChosen { since: hour(at), cap }
}

fn always(cap: Cap) -> CapHistory {
    CapHistory::new(vec![chosen("1970-01-01T00", Some(cap))])
}

fn cost(terms: &Terms, hours: u32) -> Cents {
    terms.with_taxes(terms.price_of(hours).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn a_cap_allows_every_hour_that_fits_and_not_one_more(terms in any_terms(), cap in any_cap()) {
        let allowed = cap.hours_allowed(&terms);
        let possible = terms.hours_charged();
        match cap {
            Cap::Hours(most) => prop_assert_eq!(allowed, most.min(possible)),
            Cap::Spend(most) => {
                prop_assert!(allowed == 0 || cost(&terms, allowed) <= most.amount());
                prop_assert!(allowed == possible || cost(&terms, allowed + 1) > most.amount());
            }
        }
    }

    #[test]
    fn whoever_asks_before_each_hour_never_goes_beyond_and_the_invoice_says_so(terms in any_terms(), cap in any_cap(), wanted in prop::collection::vec(0_i64..744, 0..100)) {
        let mut usage = Usage::none();
        for offset in wanted {
            let hour = plus(terms.period.start(), offset);
            let inside = terms.period.contains(hour) && hour >= terms.service_began;
            if inside && cap.may_begin(&terms, &usage.billable(), hour) {
                usage.mark(Source::Guard, hour);
            }
        }
        prop_assert!(terms.charged(&usage.billable()).count() <= cap.hours_allowed(&terms));
        prop_assert_eq!(always(cap).beyond(&terms, &usage.billable()), HourSet::none());
        let invoice = Invoice::of(&inputs(terms.clone(), usage)).unwrap();
        if let Cap::Spend(most) = cap {
            prop_assert!(invoice.total <= most.amount().max(cost(&terms, 0)));
        }
    }

    #[test]
    fn hours_that_began_beyond_the_cap_are_waived_down_to_it(terms in any_terms(), cap in any_cap(), used in prop::collection::vec(0_i64..744, 0..100)) {
        let mut usage = Usage::none();
        used.iter().for_each(|offset| usage.mark(Source::Guard, plus(terms.period.start(), *offset)));
        let charged = terms.charged(&usage.billable()).count();
        always(cap).beyond(&terms, &usage.billable()).iter().for_each(|hour| usage.waive(hour));
        let allowed = cap.hours_allowed(&terms);
        prop_assert_eq!(terms.charged(&usage.billable()).count(), charged.min(allowed));
    }

    #[test]
    fn each_threshold_is_told_once_and_when_it_is_reached(budget in 0_i64..10_000, thresholds in prop::collection::btree_set(0_u32..=100, 0..6), mut spent in prop::collection::vec(0_i64..12_000, 0..20)) {
        let budget = Budget { amount: price(budget), thresholds: thresholds.iter().map(|part| percent(*part)).collect() };
        spent.sort_unstable();
        let (mut told, mut state) = (Vec::new(), Announced::new());
        for spent in &spent {
            let (next, announcements) = budget.announce(Cents::new(*spent), &state);
            told.extend(announcements.iter().map(|announcement| announcement.threshold));
            prop_assert!(next.is_superset(&state));
            prop_assert_eq!(budget.announce(Cents::new(*spent), &next).1, Vec::new(), "told again");
            state = next;
        }
        let most = spent.last().copied();
        let whole = budget.amount.amount().get();
        let reached = thresholds.iter().filter(|part| most.is_some_and(|most| most * 100 >= whole * i64::from(**part)));
        prop_assert_eq!(told, reached.map(|part| percent(*part)).collect::<Vec<_>>());
    }

    #[test]
    fn a_forecast_lies_between_what_is_used_and_what_is_possible(terms in any_terms(), used in prop::collection::vec(0_i64..744, 0..200), now in -50_i64..900, cap in prop::option::of(any_cap())) {
        let now = plus(terms.period.start(), now);
        let known = used.into_iter().map(|offset| plus(terms.period.start(), offset)).filter(|hour| *hour <= now);
        let billable: HourSet = known.collect();
        let forecast = Forecast::of(&terms, &billable, now, cap).unwrap();
        prop_assert_eq!(forecast.hours, terms.charged(&billable).count());
        prop_assert!(forecast.hours <= forecast.expected_hours && forecast.expected_hours <= forecast.most_hours);
        prop_assert!(forecast.most_hours <= terms.hours_charged().max(forecast.hours));
        if let Some(cap) = cap {
            prop_assert!(forecast.most_hours <= cap.hours_allowed(&terms).max(forecast.hours));
        }
        if plus(now, 1) >= terms.period.end() {
            prop_assert_eq!(forecast.expected_hours, forecast.hours, "the period is over");
        }
    }
}

#[test]
fn at_the_cap_the_hour_that_runs_goes_on_and_no_other_begins() {
    let november = month("2026-11");
    let terms = terms(plan(), november);
    let billable = used(november, 3).billable();
    let may = |cap: Cap, offset| cap.may_begin(&terms, &billable, plus(november.start(), offset));
    assert!(may(Cap::Hours(4), 3));
    assert!(may(Cap::Hours(3), 2), "it is paid for");
    assert!(!may(Cap::Hours(3), 3));
    assert!(may(Cap::Spend(price(900)), 3), "500 and four hours");
    assert!(!may(Cap::Spend(price(899)), 3));
    assert!(!may(Cap::Spend(price(499)), 3), "the base fee alone is more");
}

#[test]
fn a_lower_cap_makes_no_hour_free_that_was_used_before() {
    let november = month("2026-11");
    let terms = terms(plan(), november);
    let billable = used(november, 5).billable();
    let caps = CapHistory::new(vec![chosen("2026-11-01T03", Some(Cap::Hours(1)))]);
    assert_eq!(caps.now(), Some(Cap::Hours(1)));
    assert_eq!(caps.beyond(&terms, &billable), [hour("2026-11-01T04")].into_iter().collect(), "the hour after it");
    let removed = CapHistory::new(vec![chosen("2026-10-01T00", Some(Cap::Hours(1))), chosen("2026-11-01T02", None)]);
    assert_eq!(
        (removed.now(), removed.beyond(&terms, &billable)),
        (None, [hour("2026-11-01T01")].into_iter().collect())
    );
}

#[test]
fn a_raised_cap_is_paid_for_in_the_hour_in_which_it_is_raised() {
    let november = month("2026-11");
    let terms = terms(plan(), november);
    let billable = used(november, 4).billable();
    let caps = CapHistory::new(vec![
        chosen("2026-10-01T00", Some(Cap::Hours(1))),
        chosen("2026-11-01T02", Some(Cap::Hours(3))),
        chosen("2026-11-01T02", Some(Cap::Hours(2))),
    ]);
    let beyond = [hour("2026-11-01T01"), hour("2026-11-01T03")].into_iter().collect();
    assert_eq!(caps.beyond(&terms, &billable), beyond);
}

#[test]
fn a_cap_in_hours_is_told_as_it_was_chosen_also_in_a_short_first_period() {
    let november = month("2026-11");
    let terms = Terms { service_began: hour("2026-11-30T00"), ..terms(plan(), november) };
    assert_eq!(Cap::Hours(40).hours_allowed(&terms), 24);
    assert!(Cap::Hours(40).in_words(&terms).starts_with("You are charged for at most 40 hours in each period."));
}

#[test]
fn trial_hours_are_no_matter_of_the_cap() {
    let november = month("2026-11");
    let plan = PlanVersion { trial_days: 14, ..plan() };
    let trial = Trial::of(&plan, november.start());
    let terms = Terms { service_began: november.start(), trial, ..terms(plan, november) };
    let billable = used(november, 5).billable();
    assert!(Cap::Hours(0).may_begin(&terms, &billable, hour("2026-11-14T23")));
    assert!(!Cap::Hours(0).may_begin(&terms, &billable, hour("2026-11-15T00")));
    assert_eq!(always(Cap::Hours(0)).beyond(&terms, &billable), HourSet::none());
}

#[test]
fn free_hours_of_a_plan_without_a_price_are_never_stopped_by_money() {
    let november = month("2026-11");
    let terms = terms(PlanVersion { hour: price(0), ..plan() }, november);
    assert_eq!(Cap::Spend(price(500)).hours_allowed(&terms), 720);
}

#[test]
fn an_hour_that_no_money_can_pay_never_begins() {
    let november = month("2026-11");
    let terms = terms(PlanVersion { base: price(i64::MAX), ..plan() }, november);
    let cap = Cap::Spend(price(i64::MAX));
    assert!(!cap.may_begin(&terms, &HourSet::none(), november.start()));
    assert!(Cap::Spend(price(9)).in_words(&terms).starts_with("The base fee alone is more than $0.09, so you pay it"));
}

#[test]
fn several_thresholds_passed_at_once_are_all_told() {
    let budget = Budget { amount: price(2000), thresholds: [50, 80, 100].map(percent).into() };
    let (state, told) = budget.announce(Cents::new(1600), &Announced::new());
    let words: Vec<String> = told.iter().map(|it| it.in_words(plan().currency)).collect();
    assert_eq!(
        words,
        [
            "You have spent $16.00, 50 % or more of your budget of $20.00 for this period.",
            "You have spent $16.00, 80 % or more of your budget of $20.00 for this period."
        ]
    );
    assert_eq!(budget.announce(Cents::new(2000), &state).1.len(), 1);
}

#[test]
fn a_forecast_during_the_trial_charges_only_what_comes_after_it() {
    let november = month("2026-11");
    let plan = PlanVersion { trial_days: 10, ..plan() };
    let trial = Trial::of(&plan, november.start());
    let terms = Terms { service_began: november.start(), trial, ..terms(plan, november) };
    let now: UsageHour = hour("2026-11-05T23");
    let forecast = Forecast::of(&terms, &used(november, 12).billable(), now, None).unwrap();
    // 12 of 120 hours so far, and 480 after the trial.
    assert_eq!((forecast.hours, forecast.expected_hours, forecast.most_hours), (0, 48, 480));
}
