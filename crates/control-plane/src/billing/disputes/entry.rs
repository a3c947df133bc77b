//! A dispute in the customer's book.

use ::store::Tx;
use billing::dunning::Event;
use billing::ledger::{Account, Kind, Ledger, Transaction, TransactionId};
use domain::Cents;
use providers::payments::{Dispute, DisputeState};

use super::super::accounts::{AccountError, Entry, Held};
use super::super::invoices::Issued;
use super::super::rounds::{self, dispute_reference};
use super::super::{collection, dunning};
use crate::app::Core;
use crate::error::AppError;

/// What a book says of a dispute.
struct Booked {
    /// How often it was begun.
    turn: usize,
    /// What is booked as taken, if anything is.
    taken: Option<Cents>,
    /// How it ended, if it did.
    end: Option<Kind>,
}

/// Why a dispute can't be booked, in words for the operator.
pub(super) fn unfit(ledger: &Ledger, issued: &Issued, name: &str, dispute: &Dispute) -> Option<String> {
    let (id, number) = (&dispute.id, &issued.number);
    if !dispute.currency.eq_ignore_ascii_case(&issued.currency) {
        return Some(format!(
            "The dispute {id} is in {}, and invoice {number} in {}: it is not booked. Compare the two at the payment \
             provider, and book by hand what was taken.",
            dispute.currency, issued.currency
        ));
    }
    let price = |amount: Cents| amount.priced(&issued.currency);
    let paid = rounds::collected(ledger, name).ok().flatten().unwrap_or_default();
    let others = rounds::questioned(ledger, name).ok()?.checked_sub(booked(ledger, name, dispute).taken())?;
    if others.checked_add(dispute.taken).is_none_or(|all| all > paid) {
        return Some(format!(
            "The dispute {id} took {}, and {} of invoice {number} is booked as collected: it is not booked. Look at the \
             invoice's payments at the payment provider.",
            price(dispute.taken),
            price(paid.checked_sub(others).unwrap_or_default().max(Cents::ZERO)),
        ));
    }
    if dispute.state == DisputeState::Won && dispute.returned > Cents::ZERO && dispute.returned != dispute.taken {
        return Some(format!(
            "The dispute {id} is won, but of {} taken for invoice {number} only {} came back: the end is not booked. Ask \
             the payment provider for the rest.",
            price(dispute.taken),
            price(dispute.returned)
        ));
    }
    None
}

/// Brings the book in line with a dispute, tells dunning, and has what is owed again offered to the customer.
pub(super) async fn enter(
    tx: &mut Tx,
    core: &Core,
    held: &mut Held,
    (issued, name): (&Issued, &str),
    dispute: &Dispute,
) -> Result<(), AppError> {
    let end = match dispute.state {
        _ if dispute.taken == Cents::ZERO => None,
        DisputeState::Won | DisputeState::Closed => Some(Kind::DisputeWon),
        DisputeState::Lost => Some(Kind::DisputeLost),
        _ => None,
    };
    let mut known = booked(&held.ledger, name, dispute);
    let differs = known.taken.is_some_and(|taken| taken != dispute.taken) || (known.end.is_some() && known.end != end);
    if differs {
        take_back(tx, core, held, name, dispute, &known).await?;
        known = Booked { turn: known.turn + 1, taken: None, end: None };
    }
    let reference = dispute_reference(&dispute.id, known.turn, name);
    if known.taken.is_none() && dispute.taken > Cents::ZERO {
        let is_first = held.ledger.balance(Account::Disputed) == Cents::ZERO;
        let opened = Transaction::dispute_opened(dispute.opened_at, &reference, dispute.taken, Cents::ZERO);
        record(tx, core, held, opened.map_err(AccountError::from)?, issued).await?;
        if is_first {
            dunning::happened(tx, core, held, Event::DisputeOpened).await?;
        }
    }
    if known.end.is_none() && end.is_some() {
        let now = core.clock.now();
        let ended = match end {
            Some(Kind::DisputeWon) => Transaction::dispute_won(now, &reference, dispute.taken),
            _ => Transaction::dispute_lost(now, &reference, dispute.taken),
        };
        record(tx, core, held, ended.map_err(AccountError::from)?, issued).await?;
    }
    let settled = held.settle(tx).await?;
    if held.ledger.balance(Account::Disputed) == Cents::ZERO && known.end.is_none() && end.is_some() {
        dunning::disputes_ended(tx, core, held).await?;
    }
    dunning::settled(tx, core, held).await?;
    let left = settled.iter().find(|left| left.number == issued.number);
    let is_owed = left.is_some_and(|left| left.outstanding > Cents::ZERO);
    if end == Some(Kind::DisputeLost) && known.end.is_none() && is_owed {
        collection::hand_over(tx, core, &issued.number).await?;
    }
    if differs && !is_owed && offered_in_vain(&held.ledger, &issued.number)? {
        collection::withdraw(tx, core, &held.ledger, &issued.number).await?;
    }
    Ok(())
}

/// Whether what was owed again was not paid under the name under which it was offered.
fn offered_in_vain(ledger: &Ledger, number: &str) -> Result<bool, AppError> {
    let offered = rounds::present_name(ledger, number);
    Ok(offered != number && rounds::collected(ledger, &offered).map_err(AccountError::from)?.is_none())
}

/// Takes back what was booked of a dispute that goes on otherwise than it had ended.
async fn take_back(
    tx: &mut Tx,
    core: &Core,
    held: &mut Held,
    name: &str,
    dispute: &Dispute,
    known: &Booked,
) -> Result<(), AppError> {
    let now = core.clock.now();
    let entry = Entry { author: core.drivers.payments.name(), reason: "the bank has decided otherwise", now };
    let reference = dispute_reference(&dispute.id, known.turn, name);
    for kind in [Kind::DisputeWon, Kind::DisputeOpened] {
        let id = TransactionId::of(kind, &reference);
        let Some(found) = held.ledger.find(&id).cloned() else { continue };
        let reversal = found.reversal(now).map_err(AccountError::from)?;
        held.record(tx, reversal, entry).await?;
    }
    Ok(())
}

async fn record(
    tx: &mut Tx,
    core: &Core,
    held: &mut Held,
    transaction: Transaction,
    issued: &Issued,
) -> Result<(), AppError> {
    let reason = super::super::payments::reason_of(&issued.number);
    let entry = Entry { author: core.drivers.payments.name(), reason: &reason, now: core.clock.now() };
    held.record(tx, transaction, entry).await?;
    Ok(())
}

fn booked(ledger: &Ledger, name: &str, dispute: &Dispute) -> Booked {
    let mut turn = 1;
    loop {
        let reference = dispute_reference(&dispute.id, turn, name);
        let opened = TransactionId::of(Kind::DisputeOpened, &reference);
        let Some(found) = ledger.find(&opened) else { return Booked { turn, taken: None, end: None } };
        if rounds::is_reversed(ledger, &opened) {
            turn += 1;
            continue;
        }
        let end = ledger.find(&TransactionId::of(Kind::DisputeWon, &reference)).map(Transaction::kind);
        return Booked { turn, taken: Some(found.amount_on(Account::Disputed)), end };
    }
}

impl Booked {
    /// What of a dispute counts among what banks hold or kept.
    fn taken(&self) -> Cents {
        match self.end {
            Some(Kind::DisputeWon) => Cents::ZERO,
            _ => self.taken.unwrap_or_default(),
        }
    }
}
