use billing::{Cycle, Period};
use domain::UsageHour;
use proptest::prelude::*;

use crate::given::{hour, hours, month, plus};

fn cycles() -> impl Strategy<Value = Cycle> {
    prop_oneof![Just(Cycle::Calendar), hours().prop_map(|of| Cycle::Anniversary { of })]
}

fn starts(cycle: Cycle, from: UsageHour, count: usize) -> Vec<UsageHour> {
    cycle.periods_from(from).map(Period::start).take(count).collect()
}

proptest! {
    #[test]
    fn every_hour_belongs_to_exactly_one_period(cycle in cycles(), hour in hours()) {
        let period = cycle.period_of(hour);
        prop_assert!(period.contains(hour));
        prop_assert_eq!(cycle.period_of(period.start()), period);
        prop_assert_eq!(cycle.period_of(plus(period.end(), -1)), period);
        prop_assert_eq!(cycle.after(period).start(), period.end());
        prop_assert!((28 * 24..=31 * 24).contains(&period.hours()), "{period}");
    }

    #[test]
    fn twelve_periods_are_a_year_and_never_drift(cycle in cycles(), from in hours()) {
        let first = cycle.period_of(from);
        let later: Vec<Period> = cycle.periods_from(from).take(49).collect();
        // Four years have the same number of hours wherever they begin, unless at a 29 February that three lack.
        let four_years = later[48].start().get() - first.start().get();
        prop_assert!((four_years - (4 * 365 + 1) * 24).abs() <= 24);
        for pair in later.windows(2) {
            prop_assert_eq!(pair[0].end(), pair[1].start());
        }
    }

    #[test]
    fn an_anniversary_begins_with_the_service(of in hours()) {
        let period = Cycle::Anniversary { of }.period_of(of);
        prop_assert_eq!(period.start(), of);
    }
}

#[test]
fn calendar_periods_are_months_also_in_leap_years() {
    for (text, hours) in [("2026-11", 720), ("2026-12", 744), ("2027-02", 672), ("2028-02", 696), ("2100-02", 672)] {
        assert_eq!(month(text).hours(), hours, "{text}");
    }
    assert_eq!(Cycle::Calendar.after(month("2026-12")), month("2027-01"));
}

#[test]
fn an_anniversary_on_the_31st_is_on_the_last_day_of_short_months_and_then_on_the_31st_again() {
    let began = hour("2027-01-31T10");
    let expected = ["2027-01-31T10", "2027-02-28T10", "2027-03-31T10", "2027-04-30T10", "2027-05-31T10"].map(hour);
    assert_eq!(starts(Cycle::Anniversary { of: began }, began, 5), expected);
    let leap = ["2028-01-31T10", "2028-02-29T10", "2028-03-31T10"].map(hour);
    assert_eq!(starts(Cycle::Anniversary { of: began }, hour("2028-02-01T00"), 3), leap);
}

#[test]
fn a_service_that_began_on_29_february_has_its_day_back_in_leap_years() {
    let cycle = Cycle::Anniversary { of: hour("2028-02-29T00") };
    assert_eq!(cycle.period_of(hour("2029-02-28T12")).start(), hour("2029-02-28T00"));
    assert_eq!(cycle.period_of(hour("2032-02-28T12")).start(), hour("2032-01-29T00"));
    assert_eq!(cycle.period_of(hour("2032-02-29T12")).start(), hour("2032-02-29T00"));
}

#[test]
fn the_day_on_which_clocks_change_has_24_hours() {
    for day in ["2026-03-29", "2026-10-25", "2026-11-01"] {
        let midnight = hour(&format!("{day}T00"));
        let hours = (0..24).map(|offset| plus(midnight, offset));
        assert!(hours.into_iter().all(|hour| hour.start().to_string().starts_with(day)), "{day}");
        assert!(!plus(midnight, 24).start().to_string().starts_with(day), "{day}");
    }
}

#[test]
fn periods_say_their_days_and_where_it_matters_their_hours() {
    assert_eq!(month("2026-11").to_string(), "1 Nov 2026 to 30 Nov 2026");
    let of = hour("2026-11-14T09");
    let text = Cycle::Anniversary { of }.period_of(of).to_string();
    assert_eq!(text, "14 Nov 2026 09:00 to 14 Dec 2026 09:00 UTC");
}

#[test]
fn a_period_without_hours_is_refused_also_when_read() {
    let now = hour("2026-11-14T09");
    assert!(Period::new(now, now).is_err());
    assert!(serde_json::from_str::<Period>(r#"{"start":10,"end":10}"#).is_err());
    assert!(serde_json::from_str::<Period>(r#"{"start":10,"end":11}"#).is_ok());
}
