use billing::{Currency, PlanVersion, Price, PriceBook, PriceBookError};
use domain::Cents;
use proptest::prelude::*;

use crate::given::{hour, month, plan, plus, price};

fn version(id: &str, valid_from: &str, per_hour: i64) -> PlanVersion {
    PlanVersion { id: id.to_owned(), valid_from: hour(valid_from), hour: price(per_hour), ..plan() }
}

fn book() -> PriceBook {
    let mut book = PriceBook::empty();
    book.add(version("a", "2026-01-01T00", 100), hour("2026-06-01T00")).unwrap();
    book.add(version("b", "2026-11-10T00", 200), hour("2026-06-01T00")).unwrap();
    book
}

proptest! {
    #[test]
    fn a_new_version_never_changes_a_period_that_has_begun(now in 0_i64..20_000, valid_from in 0_i64..20_000, begun in 0_i64..20_000) {
        let first = hour("2026-01-01T00");
        let (now, begun) = (plus(first, now), plus(first, begun));
        prop_assume!(begun <= now);
        let period = billing::Cycle::Anniversary { of: begun }.period_of(begun);
        let mut book = book();
        let before = book.for_period(period, begun).cloned();
        let new = PlanVersion { id: "c".to_owned(), valid_from: plus(first, valid_from), ..plan() };
        let added = book.add(new, now);
        prop_assert_eq!(book.for_period(period, begun).cloned(), before);
        prop_assert_eq!(added.is_ok(), book.versions().len() == 3);
    }
}

#[test]
fn a_period_keeps_the_price_with_which_it_began() {
    let book = book();
    let long_ago = hour("2026-01-01T00");
    let of = |text, began| book.for_period(month(text), began).map(|version| version.id.as_str());
    assert_eq!(of("2026-11", long_ago), Some("a"), "the new price came in the middle of it");
    assert_eq!(of("2026-12", long_ago), Some("b"));
    assert_eq!(of("2026-11", hour("2026-11-12T00")), Some("b"), "who begins later never knew the old price");
    assert_eq!(of("2025-12", long_ago), Some("a"), "the part of it in which there is a service");
    assert_eq!(book.in_force(hour("2025-12-31T23")), None);
}

#[test]
fn versions_are_only_added_and_only_for_the_future() {
    let (mut book, before) = (book(), book());
    let now = hour("2026-11-20T00");
    book.add(version("a", "2026-01-01T00", 100), now).expect("the same again changes nothing");
    for (wrong, error) in [
        (version("c", "2026-11-15T00", 300), PriceBookError::InThePast("c".to_owned())),
        (version("c", "2026-11-20T00", 300), PriceBookError::InThePast("c".to_owned())),
        (version("b", "2026-12-10T00", 300), PriceBookError::Taken("b".to_owned())),
    ] {
        assert_eq!(book.add(wrong, now), Err(error));
    }
    let early = version("c", "2026-11-05T00", 300);
    let not_last = PriceBookError::NotLast("c".to_owned(), "b".to_owned());
    assert_eq!(book.add(early, hour("2026-11-01T00")), Err(not_last));
    let eur = Currency::parse("eur").unwrap();
    let other = PlanVersion { currency: eur, ..version("c", "2027-01-01T00", 300) };
    let error = PriceBookError::OtherCurrency("c".to_owned(), eur, plan().currency);
    assert_eq!(book.add(other, now), Err(error));
    assert_eq!(book, before);
    book.add(version("c", "2027-01-01T00", 300), now).unwrap();
    let text = serde_json::to_string(&book).unwrap();
    assert_eq!(serde_json::from_str::<PriceBook>(&text).unwrap(), book);
}

#[test]
fn prices_and_currencies_that_are_none_are_refused() {
    assert!(Price::new(Cents::new(-1)).is_err());
    assert!(serde_json::from_str::<Price>("-1").is_err());
    for wrong in ["", "us", "USD", "usdt", "u$d", "€"] {
        assert!(Currency::parse(wrong).is_err(), "{wrong}");
    }
    assert_eq!(Currency::parse("chf").unwrap().price(Cents::new(500)), "5.00 CHF");
}
