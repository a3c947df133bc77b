//! What shows that an hour was used: the same whatever the order in which it is told.
#![allow(clippy::unwrap_used)]

use domain::{Doers, Evidence, Signal};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

fn at(second: i64) -> Timestamp {
    Timestamp::constant(1_800_000_000, 0) + SignedDuration::from_secs(second)
}

fn evidence() -> impl Strategy<Value = Evidence> {
    (0_i64..1800, 0_i64..1800, 1_u32..6, prop::collection::vec("[a-c]@x", 0..12)).prop_map(
        |(first, more, count, names)| {
            let seen = Evidence { last: at(first + more), count, ..Evidence::seen(Signal::Member, at(first)) };
            names.iter().fold(seen, |seen, name| seen.by(name))
        },
    )
}

fn merged(mut one: Evidence, other: &Evidence) -> Evidence {
    one.merge(other);
    one
}

proptest! {
    #[test]
    fn evidence_is_the_same_in_any_order_and_number(a in evidence(), b in evidence(), c in evidence()) {
        prop_assert_eq!(merged(a.clone(), &a), a.clone());
        prop_assert_eq!(merged(a.clone(), &b), merged(b.clone(), &a));
        prop_assert_eq!(merged(merged(a.clone(), &b), &c), merged(a, &merged(b, &c)));
    }

    #[test]
    fn whoever_is_added_is_named_or_counted_among_others(names in prop::collection::vec("[a-z]{1,3}", 0..30)) {
        let mut doers = Doers::default();
        names.iter().for_each(|name| doers.add(name));
        prop_assert!(doers.names().len() <= Doers::NAMED);
        prop_assert!(names.iter().all(|name| doers.names().contains(name) || doers.are_more()));
        prop_assert_eq!(doers.is_empty(), names.is_empty());
        let told = serde_json::to_string(&doers).unwrap();
        prop_assert_eq!(serde_json::from_str::<Doers>(&told).unwrap(), doers);
    }
}

#[test]
fn doers_are_told_in_words() {
    let of = |names: &[&str]| {
        let mut doers = Doers::default();
        names.iter().for_each(|name| doers.add(name));
        doers.in_words()
    };
    assert_eq!(of(&[]), None);
    assert_eq!(of(&["ada@example.com"]).unwrap(), "ada@example.com");
    assert_eq!(of(&["a", "b", "a"]).unwrap(), "a and b");
    assert_eq!(of(&["a", "b", "c"]).unwrap(), "a, b and c");
    assert_eq!(of(&["1", "2", "3", "4", "5", "6", "7", "8", "9"]).unwrap(), "1, 2, 3, 4, 5, 6, 7, 8 and others");
    assert_eq!(of(&["a\u{0}b"]).unwrap(), "others", "what is no name is somebody without one");
}

#[test]
fn what_can_be_no_names_is_refused() {
    let too_many: Vec<String> = (0..9).map(|number| number.to_string()).collect();
    for (names, why) in [
        (json!(too_many), "9 names are more than 8"),
        (json!([""]), "is no name"),
        (json!(["a\nb"]), "is no name"),
        (json!(["x".repeat(255)]), "is no name"),
    ] {
        let error = serde_json::from_value::<Doers>(json!({"names": names})).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    assert!(serde_json::from_value::<Doers>(json!({})).unwrap().is_empty());
}
