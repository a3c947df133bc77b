use std::collections::BTreeMap;

use billing::ledger::{Account, Kind, Ledger, LedgerError, Recorded, Refunded, Transaction, TransactionError};
use domain::Cents;
use jiff::Timestamp;
use proptest::prelude::*;

use crate::given::at;

fn now() -> Timestamp {
    at("2026-12-01T00:00:00Z")
}

fn cents(amount: i64) -> Cents {
    Cents::new(amount)
}

fn recorded(transactions: impl IntoIterator<Item = Result<Transaction, TransactionError>>) -> Ledger {
    Ledger::replay(transactions.into_iter().map(Result::unwrap)).unwrap()
}

/// Anything that can be recorded, about few enough things that they meet.
fn transactions() -> impl Strategy<Value = Result<Transaction, TransactionError>> {
    (0_u8..10, 0_u8..6, 0_i64..5_000, 0_i64..900).prop_map(|(kind, about, amount, more)| {
        let (amount, more) = (cents(amount), cents(more));
        let about = &about.to_string();
        match kind {
            0 => Transaction::charge(now(), about, amount, more),
            1 => Transaction::payment(now(), about, amount, more),
            2 => Transaction::credit_granted(now(), about, amount, more),
            3 => Transaction::credit_applied(now(), about, amount),
            4 => Transaction::refund(now(), about, Refunded::Sale { net: amount, tax: more }),
            5 => Transaction::refund(now(), about, Refunded::Credit(amount)),
            6 => Transaction::dispute_opened(now(), about, amount, more),
            7 => Transaction::dispute_won(now(), about, amount),
            8 => Transaction::dispute_lost(now(), about, amount),
            _ => Transaction::write_off(now(), about, amount),
        }
    })
}

/// A step in a life of the books: record something, something again, or its reversal.
fn steps() -> impl Strategy<Value = Vec<(Result<Transaction, TransactionError>, u8, prop::sample::Index)>> {
    prop::collection::vec((transactions(), 0_u8..6, any::<prop::sample::Index>()), 0..60)
}

fn step(
    ledger: &Ledger,
    made: Result<Transaction, TransactionError>,
    turn: u8,
    which: prop::sample::Index,
) -> Option<Transaction> {
    let known = ledger.transactions();
    match turn {
        0 if !known.is_empty() => Some(which.get(known).clone()),
        1 if !known.is_empty() => which.get(known).reversal(now()).ok(),
        _ => made.ok(),
    }
}

#[test]
fn what_is_paid_came_in_whole_and_what_goes_back_or_is_disputed_did_not() {
    let brought_in = |made: Result<Transaction, TransactionError>| made.unwrap().brought_in().unwrap();
    assert_eq!(brought_in(Transaction::payment(now(), "p", cents(500), cents(45))), cents(500), "its fee is our cost");
    let sale = Refunded::Sale { net: cents(100), tax: cents(19) };
    assert_eq!(brought_in(Transaction::refund(now(), "r", sale)), cents(-119));
    assert_eq!(brought_in(Transaction::dispute_opened(now(), "d", cents(500), cents(15))), cents(-515));
    assert_eq!(brought_in(Transaction::dispute_won(now(), "d", cents(500))), cents(500));
    for moves_no_money in [
        Transaction::charge(now(), "i", cents(500), cents(95)),
        Transaction::credit_granted(now(), "c", cents(500), cents(0)),
        Transaction::credit_applied(now(), "i", cents(200)),
        Transaction::write_off(now(), "i", cents(300)),
    ] {
        assert_eq!(brought_in(moves_no_money), Cents::ZERO);
    }
}

proptest! {
    #[test]
    fn money_is_conserved_whatever_is_recorded(steps in steps()) {
        let mut ledger = Ledger::new();
        let mut sums: BTreeMap<Account, i64> = BTreeMap::new();
        for (made, turn, which) in steps {
            let Some(transaction) = step(&ledger, made, turn, which) else { continue };
            let before = ledger.clone();
            match ledger.record(transaction.clone()) {
                Ok(Recorded::Now) => {
                    for posting in transaction.postings() {
                        *sums.entry(posting.account).or_default() += posting.amount.get();
                    }
                }
                Ok(Recorded::Before) | Err(_) => prop_assert_eq!(&ledger, &before),
            }
            if ledger != before {
                let after = ledger.clone();
                prop_assert_eq!(ledger.record(transaction), Ok(Recorded::Before));
                prop_assert_eq!(&ledger, &after);
            }
        }
        for account in Account::ALL {
            prop_assert_eq!(ledger.balance(account).get(), sums.get(&account).copied().unwrap_or(0), "{}", account);
        }
        prop_assert_eq!(sums.values().sum::<i64>(), 0);
        prop_assert!(ledger.credit().unwrap() >= Cents::ZERO);
        prop_assert!(ledger.balance(Account::Disputed) >= Cents::ZERO);
    }

    #[test]
    fn books_are_read_as_they_were_written_and_a_reversed_transaction_leaves_nothing(steps in steps()) {
        let mut ledger = Ledger::new();
        for (made, turn, which) in steps {
            if let Some(transaction) = step(&ledger, made, turn, which) {
                let _ = ledger.record(transaction);
            }
        }
        let text = serde_json::to_string(ledger.transactions()).unwrap();
        let stored: Vec<Transaction> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(Ledger::replay(stored).unwrap(), ledger.clone());
        for transaction in ledger.transactions() {
            if let Ok(reversal) = transaction.reversal(now()) {
                for account in Account::ALL {
                    prop_assert_eq!(transaction.amount_on(account).get() + reversal.amount_on(account).get(), 0);
                }
            }
        }
    }

    #[test]
    fn a_statement_goes_from_what_was_owed_to_what_is(steps in steps()) {
        let mut ledger = Ledger::new();
        for (made, turn, which) in steps {
            if let Some(transaction) = step(&ledger, made, turn, which) {
                let _ = ledger.record(transaction);
            }
        }
        let all = ledger.statement(Timestamp::MIN, Timestamp::MAX).unwrap();
        prop_assert_eq!(all.owed_before, Cents::ZERO);
        prop_assert_eq!(all.owed_after, ledger.owed());
        prop_assert_eq!(all.credit_after, ledger.credit().unwrap());
        prop_assert_eq!(all.lines.len(), ledger.transactions().len());
        prop_assert_eq!(all.lines.iter().map(|line| line.owed.get()).sum::<i64>(), ledger.owed().get());
    }

    #[test]
    fn postings_that_do_not_sum_to_nothing_are_no_transaction(amounts in prop::collection::vec(-100_i64..100, 0..6)) {
        let postings = amounts.iter().zip(Account::ALL).map(|(amount, account)| (account, cents(*amount)));
        let made = Transaction::new(now(), Kind::Charge, "INV-1", postings);
        let moves = amounts.iter().any(|amount| *amount != 0);
        prop_assert_eq!(made.is_ok(), moves && amounts.iter().sum::<i64>() == 0);
    }
}

#[test]
fn an_invoice_paid_by_card_leaves_nothing_owed() {
    let ledger = recorded([
        Transaction::charge(now(), "INV-1", cents(1700), cents(323)),
        Transaction::payment(now(), "pay_1", cents(2023), cents(89)),
    ]);
    let balances = [
        (Account::Receivable, 0),
        (Account::Cash, 1934),
        (Account::ProcessingFees, 89),
        (Account::Revenue, -1700),
        (Account::TaxPayable, -323),
    ];
    for (account, balance) in balances {
        assert_eq!(ledger.balance(account), cents(balance), "{account}");
    }
}

#[test]
fn the_same_payment_told_again_changes_nothing_and_a_different_one_of_that_name_is_refused() {
    let mut ledger = recorded([Transaction::payment(now(), "pay_1", cents(500), cents(45))]);
    let before = ledger.clone();
    let same = Transaction::payment(now(), "pay_1", cents(500), cents(45)).unwrap();
    assert_eq!(ledger.record(same.clone()), Ok(Recorded::Before));
    let other = Transaction::payment(now(), "pay_1", cents(501), cents(45)).unwrap();
    assert_eq!(ledger.record(other), Err(LedgerError::Conflict(same.id())));
    assert_eq!(ledger, before);
}

#[test]
fn ids_say_what_was_recorded_and_are_a_promise() {
    let (at, cents) = (now(), cents(5));
    let ids = [
        (Transaction::charge(at, "INV-1", cents, cents), "charge:INV-1"),
        (Transaction::payment(at, "pay_1", cents, cents), "payment:pay_1"),
        (Transaction::credit_granted(at, "INV-2/1", cents, cents), "credit_granted:INV-2/1"),
        (Transaction::credit_applied(at, "INV-2", cents), "credit_applied:INV-2"),
        (Transaction::refund(at, "re_1", Refunded::Credit(cents)), "refund:re_1"),
        (Transaction::dispute_opened(at, "dp_1", cents, cents), "dispute_opened:dp_1"),
        (Transaction::dispute_won(at, "dp_1", cents), "dispute_ended:dp_1"),
        (Transaction::dispute_lost(at, "dp_1", cents), "dispute_ended:dp_1"),
        (Transaction::write_off(at, "INV-1", cents), "write_off:INV-1"),
    ];
    for (made, id) in ids {
        let made = made.unwrap();
        assert_eq!(made.id().as_str(), id);
        assert_eq!(made.reversal(at).unwrap().id().to_string(), format!("reversal:{id}"));
    }
}

#[test]
fn credit_that_was_not_granted_can_not_be_spent() {
    let mut ledger = recorded([Transaction::credit_granted(now(), "goodwill", cents(300), cents(57))]);
    let all = Transaction::credit_applied(now(), "INV-1", cents(357)).unwrap();
    let more = Transaction::credit_applied(now(), "INV-2", cents(1)).unwrap();
    let grant = ledger.transactions()[0].clone();
    assert_eq!(ledger.credit(), Ok(cents(357)));
    ledger.record(all).unwrap();
    assert_eq!(ledger.record(more.clone()), Err(LedgerError::Overdrawn(Account::CreditBalance, more.id())));
    let reversal = grant.reversal(now()).unwrap();
    let refused = LedgerError::Overdrawn(Account::CreditBalance, reversal.id());
    assert_eq!(ledger.record(reversal), Err(refused), "it was spent");
}

#[test]
fn a_dispute_ends_once_and_only_after_it_began() {
    let open = || Transaction::dispute_opened(now(), "dp_1", cents(500), cents(1500)).unwrap();
    let won = Transaction::dispute_won(now(), "dp_1", cents(500)).unwrap();
    let lost = Transaction::dispute_lost(now(), "dp_1", cents(500)).unwrap();
    let less = Transaction::dispute_won(now(), "dp_1", cents(400)).unwrap();
    let mut ledger = Ledger::new();
    assert_eq!(ledger.record(won.clone()), Err(LedgerError::NoDispute(won.id())));
    ledger.record(open()).unwrap();
    assert_eq!((ledger.balance(Account::Cash), ledger.balance(Account::Disputed)), (cents(-2000), cents(500)));
    assert_eq!(ledger.record(less.clone()), Err(LedgerError::NoDispute(less.id())));
    ledger.record(lost).unwrap();
    assert_eq!(ledger.owed(), cents(500), "the bank kept it, so it is owed again");
    assert_eq!(ledger.record(won.clone()), Err(LedgerError::Conflict(won.id())));
    let beginning = open().reversal(now()).unwrap();
    assert_eq!(ledger.record(beginning), Err(LedgerError::Ended(won.id())));
}

#[test]
fn a_mistake_is_reversed_once_and_stays_to_be_seen() {
    let wrong = Transaction::charge(now(), "INV-1", cents(1700), cents(0)).unwrap();
    let reversal = wrong.reversal(at("2026-12-02T00:00:00Z")).unwrap();
    let mut ledger = Ledger::new();
    assert_eq!(ledger.record(reversal.clone()), Err(LedgerError::NothingToReverse(reversal.id())));
    ledger.record(wrong.clone()).unwrap();
    ledger.record(reversal.clone()).unwrap();
    assert_eq!(ledger.record(reversal.clone()), Ok(Recorded::Before));
    assert_eq!((ledger.owed(), ledger.transactions().len()), (cents(0), 2));
    assert_eq!(reversal.reversal(now()), Err(TransactionError::Reversal));
    let half = [(Account::Receivable, cents(-1)), (Account::Revenue, cents(1))];
    let mut other = recorded([Ok(wrong.clone())]);
    let half = Transaction::new(now(), Kind::Reversal, wrong.id().as_str(), half).unwrap();
    assert_eq!(other.record(half.clone()), Err(LedgerError::NothingToReverse(half.id())));
}

#[test]
fn what_is_never_paid_is_written_off() {
    let ledger = recorded([
        Transaction::charge(now(), "INV-1", cents(500), cents(0)),
        Transaction::payment(now(), "bank 17", cents(200), cents(0)),
        Transaction::write_off(now(), "INV-1", cents(300)),
    ]);
    assert_eq!((ledger.owed(), ledger.balance(Account::BadDebt)), (cents(0), cents(300)));
}

#[test]
fn money_that_was_paid_too_much_goes_back_without_touching_revenue() {
    let ledger = recorded([
        Transaction::charge(now(), "INV-1", cents(500), cents(0)),
        Transaction::payment(now(), "pay_1", cents(700), cents(0)),
        Transaction::refund(now(), "re_1", Refunded::Overpaid(cents(200))),
    ]);
    assert_eq!((ledger.owed(), ledger.balance(Account::Refunds)), (cents(0), cents(0)));
    assert_eq!(ledger.balance(Account::Cash), cents(500));
}

#[test]
fn amounts_below_nothing_and_fees_above_their_payment_are_refused() {
    let below = cents(-1);
    for made in [
        Transaction::charge(now(), "a", below, cents(0)),
        Transaction::payment(now(), "a", below, cents(-2)),
        Transaction::payment(now(), "a", cents(5), cents(6)),
        Transaction::payment(now(), "a", cents(5), below),
        Transaction::credit_granted(now(), "a", cents(2), below),
        Transaction::credit_applied(now(), "a", below),
        Transaction::refund(now(), "a", Refunded::Sale { net: below, tax: cents(2) }),
        Transaction::refund(now(), "a", Refunded::Overpaid(below)),
        Transaction::refund(now(), "a", Refunded::Credit(below)),
        Transaction::dispute_opened(now(), "a", below, cents(2)),
        Transaction::dispute_won(now(), "a", below),
        Transaction::dispute_lost(now(), "a", below),
        Transaction::write_off(now(), "a", below),
    ] {
        assert!(matches!(made, Err(TransactionError::Amount(_))), "{made:?}");
    }
    assert_eq!(Transaction::write_off(now(), " ", cents(1)), Err(TransactionError::NoReference));
    assert_eq!(Transaction::write_off(now(), "a", cents(0)), Err(TransactionError::Nothing));
}

#[test]
fn stored_postings_that_were_tampered_with_are_not_read() {
    let text = serde_json::to_string(&Transaction::write_off(now(), "INV-1", cents(300)).unwrap()).unwrap();
    assert!(serde_json::from_str::<Transaction>(&text).is_ok());
    assert!(serde_json::from_str::<Transaction>(&text.replacen("300", "301", 1)).is_err());
}

#[test]
fn amounts_beyond_money_leave_the_books_as_they_were() {
    let huge = cents(i64::MAX);
    let mut ledger = recorded([Transaction::charge(now(), "INV-1", huge, cents(0))]);
    let before = ledger.clone();
    let more = Transaction::charge(now(), "INV-2", cents(1), cents(0)).unwrap();
    assert!(matches!(ledger.record(more), Err(LedgerError::OutOfRange(_))));
    assert_eq!(ledger, before);
    assert!(Transaction::charge(now(), "INV-3", huge, cents(1)).is_err());
}

#[test]
fn a_statement_tells_a_month_in_words() {
    let ledger = recorded([
        Transaction::charge(at("2026-11-01T00:00:00Z"), "INV-1", cents(500), cents(0)),
        Transaction::payment(at("2026-12-03T00:00:00Z"), "pay_1", cents(500), cents(45)),
        Transaction::charge(at("2026-12-01T00:00:00Z"), "INV-2", cents(1700), cents(0)),
        Transaction::charge(at("2027-01-01T00:00:00Z"), "INV-3", cents(900), cents(0)),
    ]);
    let statement = ledger.statement(at("2026-12-01T00:00:00Z"), at("2027-01-01T00:00:00Z")).unwrap();
    assert_eq!((statement.owed_before, statement.owed_after), (cents(500), cents(1700)));
    let lines: Vec<_> = statement.lines.iter().map(|it| (it.description.as_str(), it.owed, it.owed_after)).collect();
    assert_eq!(lines, [("Invoice INV-2", cents(1700), cents(2200)), ("Payment pay_1", cents(-500), cents(1700))]);
}
