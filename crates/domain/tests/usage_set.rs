//! Usage is a set: however reports arrive, the bill is the same.
#![allow(clippy::unwrap_used)]

use domain::{Month, UsageError, UsageHour, UsageHours};
use proptest::prelude::*;

fn months() -> impl Strategy<Value = Month> {
    (2020..2040, 1..=12).prop_map(|(year, month)| Month::parse(&format!("{year}-{month:02}")).unwrap())
}

fn hours_of(month: Month, offsets: &[i64]) -> UsageHours {
    let mut hours = UsageHours::none(month);
    for offset in offsets {
        let number = month.first_hour().get() + offset.rem_euclid(i64::from(month.hours()));
        hours.insert(UsageHour::from_number(number).unwrap()).unwrap();
    }
    hours
}

proptest! {
    #[test]
    fn reports_in_any_order_and_number_give_the_same_hours(month in months(), reports in prop::collection::vec(prop::collection::vec(0_i64..744, 0..20), 1..8), seed in any::<u64>()) {
        let all: Vec<i64> = reports.iter().flatten().copied().collect();
        let expected = hours_of(month, &all);
        let mut shuffled = reports.clone();
        shuffled.extend(reports.iter().take((seed % 5) as usize).cloned());
        let turn = (seed % shuffled.len() as u64) as usize;
        shuffled.rotate_left(turn);
        let mut merged = UsageHours::none(month);
        for report in &shuffled {
            merged.union(&hours_of(month, report)).unwrap();
        }
        prop_assert_eq!(&merged, &expected);
        prop_assert_eq!(merged.count() as usize, merged.iter().count());
    }

    #[test]
    fn the_wire_form_is_exact(month in months(), offsets in prop::collection::vec(0_i64..744, 0..60)) {
        let hours = hours_of(month, &offsets);
        prop_assert_eq!(UsageHours::decode(month, &hours.encode()).unwrap(), hours.clone());
        let json = serde_json::to_string(&hours).unwrap();
        prop_assert_eq!(serde_json::from_str::<UsageHours>(&json).unwrap(), hours);
    }

    #[test]
    fn what_is_taken_out_and_what_is_kept_make_up_the_whole(month in months(), mine in prop::collection::vec(0_i64..744, 0..60), theirs in prop::collection::vec(0_i64..744, 0..60)) {
        let (mine, theirs) = (hours_of(month, &mine), hours_of(month, &theirs));
        let (mut without, mut within) = (mine.clone(), mine.clone());
        without.difference(&theirs);
        within.intersection(&theirs);
        prop_assert!(mine.iter().all(|hour| within.contains(hour) == theirs.contains(hour)));
        prop_assert!(mine.iter().all(|hour| without.contains(hour) != theirs.contains(hour)));
        prop_assert_eq!(without.count() + within.count(), mine.count());
        without.union(&within).unwrap();
        prop_assert_eq!(without, mine);
    }

    #[test]
    fn a_range_keeps_its_first_hour_and_not_its_end(month in months(), mine in prop::collection::vec(0_i64..744, 0..200), start in -800_i64..1600, length in -5_i64..800) {
        let mine = hours_of(month, &mine);
        let at = |offset: i64| UsageHour::from_number(month.first_hour().get() + offset).unwrap();
        let (start, end) = (at(start), at(start + length));
        let mut kept = mine.clone();
        kept.restrict(start, end);
        let expected: Vec<_> = mine.iter().filter(|hour| (start..end).contains(hour)).collect();
        prop_assert_eq!(kept.is_empty(), expected.is_empty());
        prop_assert_eq!(kept.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn any_text_is_read_or_refused_but_never_marks_an_hour_outside_its_month(month in months(), text in "[A-Za-z0-9_-]{0,140}") {
        if let Ok(hours) = UsageHours::decode(month, &text) {
            prop_assert!(hours.iter().all(|hour| hour.month() == month));
            prop_assert!(hours.count() <= u32::from(month.hours()));
        }
    }
}

#[test]
fn an_hour_of_another_month_is_refused() {
    let november = Month::parse("2026-11").unwrap();
    let mut hours = UsageHours::none(november);
    assert_eq!(hours.insert(november.next().first_hour()), Err(UsageError::OtherMonth(november)));
    let december = UsageHours::none(november.next());
    assert_eq!(hours.union(&december), Err(UsageError::MonthsDiffer(november, november.next())));
    let mut first = UsageHours::none(november);
    first.insert(november.first_hour()).unwrap();
    let mut without = first.clone();
    without.difference(&december);
    assert_eq!(without, first, "another month takes nothing out");
    without.intersection(&december);
    assert!(without.is_empty(), "and shares nothing");
    assert_eq!(UsageHours::from_bytes(november, &[255; 93]), Err(UsageError::BeyondMonth(november)));
    assert_eq!(UsageHours::from_bytes(november, &[0; 94]), Err(UsageError::Malformed));
}
