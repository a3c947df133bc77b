#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn purpose(sprint: &str) -> Purpose {
    Purpose { sprint: Some(sprint.to_owned()), story: Some("B-1".to_owned()), ..Purpose::default() }
}

/// A token costs one millionth, whichever way it goes.
fn intended(purpose: &Purpose, longest: u64) -> Intended<'_> {
    let price = Price { input: Cost::millionths(1_000_000), output: Cost::millionths(1_000_000) };
    Intended { role: Role::Developer, model: "m", purpose, price, input: 100, longest }
}

fn told(input: u64, output: u64) -> Tokens {
    Tokens { input, output, ..Tokens::default() }
}

#[test]
fn what_was_used_is_the_same_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let now = at("2026-11-30T23:59:59Z");
    let ledger = Ledger::open(home.path()).unwrap();
    for sprint in ["S-1", "S-2"] {
        let call = ledger.begin(now, Budgets::default(), &intended(&purpose(sprint), 500)).unwrap().call;
        ledger.end(at("2026-12-01T00:00:09Z"), call, told(90, 10), Cost::millionths(100), "answered").unwrap();
    }
    for ledger in [ledger, Ledger::open(home.path()).unwrap()] {
        assert_eq!((ledger.day(now).calls, ledger.day(now).cost), (2, Cost::millionths(200)));
        assert_eq!(ledger.day(at("2026-12-01T00:00:10Z")), Total::default(), "a call belongs to the day it began");
        assert_eq!(ledger.month(now).input, 180);
        assert_eq!(ledger.sprint("S-1").cost, Cost::millionths(100));
        assert_eq!(ledger.story("B-1").calls, 2);
        assert_eq!(ledger.meeting("M-1"), Total::default());
    }
}

#[test]
fn a_call_that_the_program_died_in_counts_with_the_most_it_can_have_cost() {
    let home = tempfile::tempdir().unwrap();
    let now = at("2026-11-30T12:00:00Z");
    Ledger::open(home.path()).unwrap().begin(now, Budgets::default(), &intended(&purpose("S-1"), 500)).unwrap();
    let again = Ledger::open(home.path()).unwrap();
    assert_eq!(again.sprint("S-1").cost, Cost::millionths(600));
    assert_eq!(again.begin(now, Budgets::default(), &intended(&purpose("S-1"), 500)).unwrap().call, 2);
}

#[test]
fn a_budget_shortens_the_answer_and_then_ends_it_all_also_for_calls_at_once() {
    let home = tempfile::tempdir().unwrap();
    let now = at("2026-11-30T12:00:00Z");
    let ledger = Ledger::open(home.path()).unwrap();
    let budgets = Budgets { day: Some(Cost::millionths(1_000)), ..Budgets::default() };
    let nothing = Purpose::default();
    assert_eq!(ledger.begin(now, budgets, &intended(&nothing, 500)).unwrap().longest, 500);
    assert_eq!(ledger.begin(now, budgets, &intended(&nothing, 500)).unwrap().longest, 300, "what is left");
    let refused = ledger.begin(now, budgets, &intended(&nothing, 500)).unwrap_err();
    assert!(matches!(refused, ModelError::BudgetUsedUp { span: "day", .. }), "{refused}");
    ledger.end(now, 1, told(100, 100), Cost::millionths(200), "answered").unwrap();
    assert_eq!(ledger.begin(now, budgets, &intended(&nothing, 500)).unwrap().longest, 300, "what came back");
    let tomorrow = at("2026-12-01T00:00:00Z");
    assert!(ledger.begin(tomorrow, budgets, &intended(&nothing, 500)).is_ok(), "another day");
}

#[test]
fn the_budget_of_a_sprint_holds_for_that_sprint_alone() {
    let home = tempfile::tempdir().unwrap();
    let now = at("2026-11-30T12:00:00Z");
    let ledger = Ledger::open(home.path()).unwrap();
    let budgets = Budgets { sprint: Some(Cost::millionths(250)), ..Budgets::default() };
    let call = ledger.begin(now, budgets, &intended(&purpose("S-1"), 500)).unwrap();
    ledger.end(now, call.call, told(100, 150), Cost::millionths(250), "answered").unwrap();
    let refused = ledger.begin(now, budgets, &intended(&purpose("S-1"), 500)).unwrap_err();
    assert!(refused.to_string().contains("0.00025 of 0.00025 spent"), "{refused}");
    assert!(ledger.begin(now, budgets, &intended(&purpose("S-2"), 500)).is_ok());
    assert!(ledger.begin(now, budgets, &intended(&Purpose::default(), 500)).is_ok());
}

#[test]
fn without_a_place_to_write_nothing_may_be_used() {
    let home = tempfile::tempdir().unwrap();
    let now = at("2026-11-30T12:00:00Z");
    let ledger = Ledger::open(home.path()).unwrap();
    std::fs::create_dir(home.path().join("usage.jsonl")).unwrap();
    let refused = ledger.begin(now, Budgets::default(), &intended(&Purpose::default(), 1)).unwrap_err();
    assert!(matches!(refused, ModelError::Unaccountable(_)), "{refused}");
}
