//! What a customer's book says about each invoice.

use billing::OutOfRange;
use billing::ledger::{Account, Kind, Ledger, TransactionId};
use domain::Cents;

use super::rounds;

/// What is left of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settlement {
    pub number: String,
    /// What is still to be paid.
    pub outstanding: Cents,
    /// What nobody waits for any more.
    pub written_off: Cents,
}

/// Shares out what was paid: the oldest invoice is paid first, whichever one a payment named. `invoices` are numbers
/// and totals, oldest first. Credit, write-offs and what the payment provider collected belong to the invoice that
/// they name: it would go on asking for that one. What a bank took back of that is owed again on the same one.
pub(crate) fn settle(ledger: &Ledger, invoices: &[(String, Cents)]) -> Result<Vec<Settlement>, OutOfRange> {
    let settled_by = |kind, number: &str| {
        let found = ledger.find(&TransactionId::of(kind, number));
        found.map_or(Ok(Cents::ZERO), |it| less(Cents::ZERO, it.amount_on(Account::Receivable)))
    };
    let lost = rounds::lost(ledger)?;
    let collected = |number: &str, left: Cents| {
        let mut came = less(Cents::ZERO, lost.get(number).copied().unwrap_or_default())?;
        for round in 1..=rounds::present(ledger, number) {
            let paid = rounds::collected(ledger, &rounds::name(number, round))?;
            came = came.checked_add(paid.unwrap_or_default()).ok_or(OutOfRange)?;
        }
        Ok::<_, OutOfRange>(came.clamp(Cents::ZERO, left))
    };
    let mut open = Vec::with_capacity(invoices.len());
    let (mut all, mut named) = (Cents::ZERO, Cents::ZERO);
    for (number, total) in invoices {
        let written_off = settled_by(Kind::WriteOff, number)?;
        let left = less(less(*total, settled_by(Kind::CreditApplied, number)?)?, written_off)?;
        all = all.checked_add(left).ok_or(OutOfRange)?;
        let taken = collected(number, left.max(Cents::ZERO))?;
        named = named.checked_add(taken).ok_or(OutOfRange)?;
        open.push(Settlement { number: number.clone(), outstanding: less(left, taken)?, written_off });
    }
    // Whatever else was booked on what the customer owes is money that came, less money that went back.
    let mut paid = less(less(all, ledger.owed())?, named)?;
    for invoice in &mut open {
        let taken = paid.clamp(Cents::ZERO, invoice.outstanding.max(Cents::ZERO));
        paid = less(paid, taken)?;
        invoice.outstanding = less(invoice.outstanding, taken)?;
    }
    Ok(open)
}

fn less(from: Cents, amount: Cents) -> Result<Cents, OutOfRange> {
    from.checked_sub(amount).ok_or(OutOfRange)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use billing::ledger::Transaction;
    use jiff::Timestamp;

    use super::rounds::{charge_reference, dispute_reference};
    use super::*;

    fn outstanding(transactions: Vec<Transaction>) -> Vec<i64> {
        let invoices = [("1".to_owned(), Cents::new(500)), ("2".to_owned(), Cents::new(700))];
        let ledger = Ledger::replay(transactions).unwrap();
        settle(&ledger, &invoices).unwrap().iter().map(|left| left.outstanding.get()).collect()
    }

    fn charged() -> Vec<Transaction> {
        [("1", 500), ("2", 700)]
            .map(|(number, net)| {
                Transaction::charge(Timestamp::UNIX_EPOCH, number, Cents::new(net), Cents::ZERO).unwrap()
            })
            .into()
    }

    fn paid(reference: &str, amount: i64) -> Transaction {
        Transaction::payment(Timestamp::UNIX_EPOCH, reference, Cents::new(amount), Cents::ZERO).unwrap()
    }

    #[test]
    fn the_oldest_invoice_is_paid_first_and_too_much_is_left_over() {
        assert_eq!(outstanding(charged()), [500, 700]);
        for (payments, left) in
            [(vec![400], [100, 700]), (vec![400, 400], [0, 400]), (vec![1200], [0, 0]), (vec![5000], [0, 0])]
        {
            let paid = payments.iter().enumerate().map(|(place, amount)| paid(&place.to_string(), *amount));
            assert_eq!(outstanding(charged().into_iter().chain(paid).collect()), left, "{payments:?}");
        }
    }

    #[test]
    fn what_the_provider_collected_pays_the_invoice_that_it_was_for() {
        let mut book = charged();
        book.push(paid(&charge_reference("2"), 700));
        assert_eq!(outstanding(book.clone()), [500, 0]);
        book.push(paid("a", 100));
        assert_eq!(outstanding(book.clone()), [400, 0]);
        book.push(book[2].reversal(Timestamp::UNIX_EPOCH).unwrap());
        assert_eq!(outstanding(book), [400, 700]);
        let too_much = charged().into_iter().chain([paid(&charge_reference("2"), 900)]).collect();
        assert_eq!(outstanding(too_much), [300, 0]);
    }

    #[test]
    fn what_a_bank_keeps_is_owed_again_on_the_invoice_that_it_had_paid() {
        let (at, amount) = (Timestamp::UNIX_EPOCH, Cents::new(700));
        let dispute = dispute_reference("dp_1", 1, "2");
        let mut book = charged();
        book.push(paid(&charge_reference("2"), 700));
        book.push(Transaction::dispute_opened(at, &dispute, amount, Cents::ZERO).unwrap());
        assert_eq!(outstanding(book.clone()), [500, 0], "nothing is owed while the bank has not decided");
        book.push(Transaction::dispute_lost(at, &dispute, amount).unwrap());
        assert_eq!(outstanding(book.clone()), [500, 700]);
        let mut anew = book.clone();
        anew.push(paid(&charge_reference("2 (2)"), 700));
        assert_eq!(outstanding(anew), [500, 0], "collected anew");
        book.push(paid("by hand", 500));
        assert_eq!(outstanding(book), [0, 700], "by hand, the oldest is paid first");
    }

    #[test]
    fn a_part_that_a_bank_keeps_is_owed_again() {
        let (at, amount) = (Timestamp::UNIX_EPOCH, Cents::new(200));
        let dispute = dispute_reference("dp_1", 1, "2");
        let mut book = charged();
        book.push(paid(&charge_reference("2"), 700));
        book.push(Transaction::dispute_opened(at, &dispute, amount, Cents::ZERO).unwrap());
        book.push(Transaction::dispute_lost(at, &dispute, amount).unwrap());
        assert_eq!(outstanding(book), [500, 200]);
    }

    #[test]
    fn what_is_written_off_takes_no_money_from_the_next_invoice() {
        let at = Timestamp::UNIX_EPOCH;
        let mut book = charged();
        book.push(paid("a", 200));
        book.push(Transaction::write_off(at, "1", Cents::new(300)).unwrap());
        assert_eq!(outstanding(book.clone()), [0, 700]);
        book.push(paid("b", 700));
        assert_eq!(outstanding(book), [0, 0]);
    }

    #[test]
    fn money_that_went_back_is_owed_again() {
        let mut book = charged();
        book.push(paid("a", 500));
        book.push(book[2].reversal(Timestamp::UNIX_EPOCH).unwrap());
        assert_eq!(outstanding(book), [500, 700]);
    }
}
