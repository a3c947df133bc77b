//! The names under which the payment provider collects an invoice. The first is the invoice's number. When a bank took
//! back what paid it, what is owed again is collected under another name, since the first one stays paid there.

use std::collections::BTreeMap;

use billing::OutOfRange;
use billing::ledger::{Account, Kind, Ledger, Transaction, TransactionId};
use domain::Cents;

/// Stands between a dispute and the payment that it is about, in the ledger's reference.
const ABOUT: &str = " of ";

/// Names the payment by which the payment provider collected an invoice.
pub(crate) fn charge_reference(name: &str) -> String {
    format!("charge of {name}")
}

/// Names a dispute in the book. One that the bank decides anew after it had decided gets a `turn` above 1.
pub(crate) fn dispute_reference(id: &str, turn: usize, name: &str) -> String {
    match turn {
        0 | 1 => format!("{id}{ABOUT}{name}"),
        turn => format!("{id} ({turn}){ABOUT}{name}"),
    }
}

/// The name of one round of collecting an invoice, counted from 1.
pub(crate) fn name(number: &str, round: usize) -> String {
    match round {
        0 | 1 => number.to_owned(),
        round => format!("{number} ({round})"),
    }
}

/// The number of the invoice that is collected under a name.
pub(crate) fn number_of(name: &str) -> &str {
    name.split_once(" (").map_or(name, |(number, _)| number)
}

/// Which round of collecting an invoice it is now: another one for each time that a bank kept its money.
pub(crate) fn present(ledger: &Ledger, number: &str) -> usize {
    let kept = ledger.transactions().iter().filter(|it| it.kind() == Kind::DisputeLost);
    1 + kept.filter(|it| about(it).is_some_and(|name| number_of(name) == number)).count()
}

/// The name under which it is collected now.
pub(crate) fn present_name(ledger: &Ledger, number: &str) -> String {
    name(number, present(ledger, number))
}

/// What the provider collected under a name, if that was not corrected since.
pub(crate) fn collected(ledger: &Ledger, name: &str) -> Result<Option<Cents>, OutOfRange> {
    let id = TransactionId::of(Kind::Payment, &charge_reference(name));
    let payment = ledger.find(&id).filter(|_| !is_reversed(ledger, &id));
    let came = |it: &Transaction| Cents::ZERO.checked_sub(it.amount_on(Account::Receivable)).ok_or(OutOfRange);
    payment.map(came).transpose()
}

/// What banks kept of the payments for each invoice, by its number.
pub(crate) fn lost(ledger: &Ledger) -> Result<BTreeMap<&str, Cents>, OutOfRange> {
    let mut lost: BTreeMap<&str, Cents> = BTreeMap::new();
    let kept = ledger.transactions().iter().filter(|it| it.kind() == Kind::DisputeLost);
    for transaction in kept.filter(|it| !is_reversed(ledger, &it.id())) {
        let Some(name) = about(transaction) else { continue };
        let sum = lost.entry(number_of(name)).or_default();
        *sum = sum.checked_add(transaction.amount_on(Account::Receivable)).ok_or(OutOfRange)?;
    }
    Ok(lost)
}

/// What of a payment banks hold or kept.
pub(crate) fn questioned(ledger: &Ledger, name: &str) -> Result<Cents, OutOfRange> {
    let opened = ledger.transactions().iter().filter(|it| it.kind() == Kind::DisputeOpened);
    let away = opened.filter(|it| about(it) == Some(name)).filter(|it| {
        let end = TransactionId::of(Kind::DisputeWon, it.reference());
        let returned =
            ledger.find(&end).is_some_and(|end| end.kind() == Kind::DisputeWon) && !is_reversed(ledger, &end);
        !returned && !is_reversed(ledger, &it.id())
    });
    let mut amounts = away.map(|it| it.amount_on(Account::Disputed));
    amounts.try_fold(Cents::ZERO, |sum, amount| sum.checked_add(amount)).ok_or(OutOfRange)
}

/// Whether a transaction was taken back.
pub(crate) fn is_reversed(ledger: &Ledger, id: &TransactionId) -> bool {
    ledger.find(&TransactionId::of(Kind::Reversal, id.as_str())).is_some()
}

/// The name of the payment that a dispute is about.
fn about(dispute: &Transaction) -> Option<&str> {
    dispute.reference().split_once(ABOUT).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::Timestamp;

    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn taken(id: &str, name: &str, amount: i64) -> [Transaction; 2] {
        let reference = dispute_reference(id, 1, name);
        let amount = Cents::new(amount);
        [
            Transaction::dispute_opened(AT, &reference, amount, Cents::ZERO).unwrap(),
            Transaction::dispute_lost(AT, &reference, amount).unwrap(),
        ]
    }

    #[test]
    fn each_time_a_bank_keeps_the_money_another_round_begins_and_none_is_taken_back() {
        let mut book: Vec<Transaction> = taken("dp_1", "A-1", 500).into();
        let names = |book: &[Transaction]| {
            let ledger = Ledger::replay(book.to_vec()).unwrap();
            let lost = lost(&ledger).unwrap().get("A-1").copied().unwrap_or_default().get();
            (present_name(&ledger, "A-1"), present_name(&ledger, "A-10"), lost)
        };
        assert_eq!(names(&book), ("A-1 (2)".to_owned(), "A-10".to_owned(), 500));
        book.extend(taken("dp_2", "A-1 (2)", 200));
        assert_eq!(names(&book), ("A-1 (3)".to_owned(), "A-10".to_owned(), 700));
        book.push(book[3].reversal(AT).unwrap());
        assert_eq!(names(&book), ("A-1 (3)".to_owned(), "A-10".to_owned(), 500));
    }

    #[test]
    fn a_name_leads_back_to_its_number() {
        for number in ["2026-000123", "AC/2026-000123"] {
            for round in 1..4 {
                assert_eq!(number_of(&name(number, round)), number);
            }
        }
    }

    #[test]
    fn what_a_bank_returned_is_not_questioned_any_more() {
        let [opened, lost] = taken("dp_1", "A-1", 500);
        let won = Transaction::dispute_won(AT, opened.reference(), Cents::new(500)).unwrap();
        for (book, away) in [
            (vec![opened.clone()], 500),
            (vec![opened.clone(), lost], 500),
            (vec![opened.clone(), won], 0),
            (vec![opened.clone(), opened.reversal(AT).unwrap()], 0),
        ] {
            let ledger = Ledger::replay(book).unwrap();
            assert_eq!(questioned(&ledger, "A-1").unwrap().get(), away);
            assert_eq!(questioned(&ledger, "A-1 (2)").unwrap(), Cents::ZERO);
        }
    }
}
