use std::borrow::Borrow;
use std::fmt;

use domain::Cents;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::account::Account;
use crate::arithmetic::{OutOfRange, subtract, sum};

/// What happened. With what it refers to, it makes the id: each can be recorded once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An invoice was issued; refers to its number.
    Charge,
    /// Money came in; refers to the payment.
    Payment,
    /// Credit was given, for a reason that has a name of its own.
    CreditGranted,
    /// Credit settled a part of an invoice; refers to its number.
    CreditApplied,
    /// Money went back; refers to the refund.
    Refund,
    /// A bank took money back, for now; refers to the dispute.
    DisputeOpened,
    /// The bank returned it.
    DisputeWon,
    /// The bank kept it: the customer owes it again.
    DisputeLost,
    /// Nobody waits for the money any more; refers to the invoice.
    WriteOff,
    /// A transaction was wrong; refers to its id. A reversal is not reversed: what was right after all is recorded
    /// anew, under a name that says so.
    Reversal,
}

impl Kind {
    /// The word that begins the id. A dispute ends once, so both its ends share a word.
    const fn word(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Payment => "payment",
            Self::CreditGranted => "credit_granted",
            Self::CreditApplied => "credit_applied",
            Self::Refund => "refund",
            Self::DisputeOpened => "dispute_opened",
            Self::DisputeWon | Self::DisputeLost => "dispute_ended",
            Self::WriteOff => "write_off",
            Self::Reversal => "reversal",
        }
    }

    /// In words for a statement.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Charge => "Invoice",
            Self::Payment => "Payment",
            Self::CreditGranted => "Credit",
            Self::CreditApplied => "Paid with credit: invoice",
            Self::Refund => "Refund",
            Self::DisputeOpened => "Payment disputed",
            Self::DisputeWon => "Dispute settled, the payment stands",
            Self::DisputeLost => "Dispute settled, the payment was returned",
            Self::WriteOff => "Not collected any more: invoice",
            Self::Reversal => "Corrected",
        }
    }
}

/// Follows from what is recorded: the kind and what it refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransactionId(String);

impl TransactionId {
    /// The id of whatever of a kind refers to this.
    pub fn of(kind: Kind, reference: &str) -> Self {
        Self(format!("{}:{reference}", kind.word()))
    }

    /// As stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Ids are found by their text.
impl Borrow<str> for TransactionId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An amount on an account; a debit is positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posting {
    /// Where.
    pub account: Account,
    /// How much.
    pub amount: Cents,
}

/// Something that moved money, or the duty to pay it. Its postings sum to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Entry", into = "Entry")]
pub struct Transaction(Entry);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    at: Timestamp,
    kind: Kind,
    reference: String,
    postings: Vec<Posting>,
}

/// What a refund gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refunded {
    /// Something sold and paid, with the tax on it.
    Sale {
        /// Without the tax.
        net: Cents,
        /// The tax.
        tax: Cents,
    },
    /// What was paid beyond what was owed.
    Overpaid(Cents),
    /// Credit that is not to be spent on invoices.
    Credit(Cents),
}

/// Why something is no transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Some amount is too large.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// Money would appear or vanish.
    #[error("the postings sum to {0}, not to nothing")]
    Unbalanced(Cents),
    /// No amount is moved.
    #[error("a transaction has to move something")]
    Nothing,
    /// An amount that has to be nothing or more is below, or a fee is larger than its payment.
    #[error("{0} is no amount for this")]
    Amount(Cents),
    /// It refers to nothing, so that it would have no id.
    #[error("a transaction has to refer to something")]
    NoReference,
    /// Reversals are final.
    #[error("a reversal can't be reversed")]
    Reversal,
}

impl Transaction {
    /// Anything that balances. Postings of nothing are left out.
    ///
    /// # Errors
    /// When the postings do not sum to nothing, move nothing, or refer to nothing.
    pub fn new(
        at: Timestamp,
        kind: Kind,
        reference: &str,
        postings: impl IntoIterator<Item = (Account, Cents)>,
    ) -> Result<Self, TransactionError> {
        let moved = postings.into_iter().filter(|(_, amount)| *amount != Cents::ZERO);
        let postings = moved.map(|(account, amount)| Posting { account, amount }).collect();
        Entry { at, kind, reference: reference.to_owned(), postings }.try_into()
    }

    /// An invoice was issued: net to revenue, tax to the state's account, both owed by the customer.
    ///
    /// # Errors
    /// As for [`Transaction::new`], and when an amount is negative.
    pub fn charge(at: Timestamp, invoice: &str, net: Cents, tax: Cents) -> Result<Self, TransactionError> {
        let owed = total(net, tax)?;
        let credits = [(Account::Revenue, negative(net)?), (Account::TaxPayable, negative(tax)?)];
        Self::new(at, Kind::Charge, invoice, [(Account::Receivable, owed)].into_iter().chain(credits))
    }

    /// The customer paid an amount, of which the processor kept a fee.
    ///
    /// # Errors
    /// As for [`Transaction::new`], and when an amount is negative or the fee more than the payment.
    pub fn payment(at: Timestamp, payment: &str, amount: Cents, fee: Cents) -> Result<Self, TransactionError> {
        let kept = if fee > amount { Err(TransactionError::Amount(fee)) } else { Ok(subtract(amount, fee)?) }?;
        let postings = [
            (Account::Cash, kept),
            (Account::ProcessingFees, positive(fee)?),
            (Account::Receivable, negative(amount)?),
        ];
        Self::new(at, Kind::Payment, payment, postings)
    }

    /// Credit was given: what it takes off revenue, and off the tax on that.
    ///
    /// # Errors
    /// As for [`Transaction::new`], and when an amount is negative.
    pub fn credit_granted(at: Timestamp, reason: &str, net: Cents, tax: Cents) -> Result<Self, TransactionError> {
        let credit = negative(total(net, tax)?)?;
        let postings = [(Account::Refunds, net), (Account::TaxPayable, tax), (Account::CreditBalance, credit)];
        Self::new(at, Kind::CreditGranted, reason, postings)
    }

    /// Credit settled a part of an invoice.
    ///
    /// # Errors
    /// As for [`Transaction::new`], and when the amount is negative.
    pub fn credit_applied(at: Timestamp, invoice: &str, amount: Cents) -> Result<Self, TransactionError> {
        let postings = [(Account::CreditBalance, positive(amount)?), (Account::Receivable, negative(amount)?)];
        Self::new(at, Kind::CreditApplied, invoice, postings)
    }

    /// Money went back to the customer.
    ///
    /// # Errors
    /// As for [`Transaction::new`], and when an amount is negative.
    pub fn refund(at: Timestamp, refund: &str, of: Refunded) -> Result<Self, TransactionError> {
        let (taken, paid) = match of {
            Refunded::Sale { net, tax } => {
                (vec![(Account::Refunds, net), (Account::TaxPayable, tax)], total(net, tax)?)
            }
            Refunded::Overpaid(amount) => (vec![(Account::Receivable, amount)], amount),
            Refunded::Credit(amount) => (vec![(Account::CreditBalance, amount)], amount),
        };
        Self::new(at, Kind::Refund, refund, taken.into_iter().chain([(Account::Cash, negative(paid)?)]))
    }

    /// A bank took a payment back until the dispute is settled, and a fee that it keeps.
    ///
    /// # Errors
    /// As for [`Transaction::new`], and when an amount is negative.
    pub fn dispute_opened(at: Timestamp, dispute: &str, amount: Cents, fee: Cents) -> Result<Self, TransactionError> {
        let gone = negative(total(amount, fee)?)?;
        let postings = [(Account::Disputed, amount), (Account::ProcessingFees, fee), (Account::Cash, gone)];
        Self::new(at, Kind::DisputeOpened, dispute, postings)
    }

    /// The bank returned what it took.
    ///
    /// # Errors
    /// As for [`Transaction::new`], and when the amount is negative.
    pub fn dispute_won(at: Timestamp, dispute: &str, amount: Cents) -> Result<Self, TransactionError> {
        let postings = [(Account::Cash, positive(amount)?), (Account::Disputed, negative(amount)?)];
        Self::new(at, Kind::DisputeWon, dispute, postings)
    }

    /// The bank keeps what it took, and the customer owes it again.
    ///
    /// # Errors
    /// As for [`Transaction::new`], and when the amount is negative.
    pub fn dispute_lost(at: Timestamp, dispute: &str, amount: Cents) -> Result<Self, TransactionError> {
        let postings = [(Account::Receivable, positive(amount)?), (Account::Disputed, negative(amount)?)];
        Self::new(at, Kind::DisputeLost, dispute, postings)
    }

    /// Nobody waits any more for what is left of an invoice.
    ///
    /// # Errors
    /// As for [`Transaction::new`], and when the amount is negative.
    pub fn write_off(at: Timestamp, invoice: &str, amount: Cents) -> Result<Self, TransactionError> {
        let postings = [(Account::BadDebt, positive(amount)?), (Account::Receivable, negative(amount)?)];
        Self::new(at, Kind::WriteOff, invoice, postings)
    }

    /// The money that it brought in: a payment, fee included, less what went back and what banks took back.
    ///
    /// # Errors
    /// When it is more than can be counted.
    pub fn brought_in(&self) -> Result<Cents, OutOfRange> {
        match self.kind() {
            Kind::Payment => subtract(Cents::ZERO, self.amount_on(Account::Receivable)),
            Kind::Refund | Kind::DisputeOpened | Kind::DisputeWon | Kind::Reversal => Ok(self.amount_on(Account::Cash)),
            Kind::Charge | Kind::CreditGranted | Kind::CreditApplied | Kind::DisputeLost | Kind::WriteOff => {
                Ok(Cents::ZERO)
            }
        }
    }

    /// The opposite of this transaction.
    ///
    /// # Errors
    /// When this one is a reversal itself.
    pub fn reversal(&self, at: Timestamp) -> Result<Self, TransactionError> {
        if self.kind() == Kind::Reversal {
            return Err(TransactionError::Reversal);
        }
        let opposite = self.postings().iter().map(|it| Ok((it.account, subtract(Cents::ZERO, it.amount)?)));
        let postings = opposite.collect::<Result<Vec<_>, OutOfRange>>()?;
        Self::new(at, Kind::Reversal, self.id().as_str(), postings)
    }

    /// Follows from the kind and the reference.
    pub fn id(&self) -> TransactionId {
        TransactionId::of(self.0.kind, &self.0.reference)
    }

    /// When it happened.
    pub const fn at(&self) -> Timestamp {
        self.0.at
    }

    /// What happened.
    pub const fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What it refers to: an invoice, a payment, a dispute, another transaction.
    pub fn reference(&self) -> &str {
        &self.0.reference
    }

    /// What it moves; sums to nothing.
    pub fn postings(&self) -> &[Posting] {
        &self.0.postings
    }

    /// What it moves on one account. That it fits into money was seen when the transaction was made.
    pub fn amount_on(&self, account: Account) -> Cents {
        let amounts = self.postings().iter().filter(|posting| posting.account == account).map(|it| it.amount);
        sum(amounts).unwrap_or_default()
    }

    pub(super) fn is_opposite_of(&self, other: &Self) -> bool {
        self.kind() != Kind::Reversal
            && Account::ALL
                .into_iter()
                .all(|account| subtract(Cents::ZERO, self.amount_on(account)) == Ok(other.amount_on(account)))
    }
}

impl TryFrom<Entry> for Transaction {
    type Error = TransactionError;
    fn try_from(entry: Entry) -> Result<Self, TransactionError> {
        if entry.reference.trim().is_empty() {
            return Err(TransactionError::NoReference);
        }
        if entry.postings.is_empty() {
            return Err(TransactionError::Nothing);
        }
        match sum(entry.postings.iter().map(|posting| posting.amount))? {
            Cents::ZERO => {}
            rest => return Err(TransactionError::Unbalanced(rest)),
        }
        // No account may overflow on its own either, whatever the others hold against it.
        for account in Account::ALL {
            sum(entry.postings.iter().filter(|it| it.account == account).map(|it| it.amount))?;
        }
        Ok(Self(entry))
    }
}

impl From<Transaction> for Entry {
    fn from(transaction: Transaction) -> Self {
        transaction.0
    }
}

fn positive(amount: Cents) -> Result<Cents, TransactionError> {
    if amount < Cents::ZERO { Err(TransactionError::Amount(amount)) } else { Ok(amount) }
}

fn negative(amount: Cents) -> Result<Cents, TransactionError> {
    Ok(subtract(Cents::ZERO, positive(amount)?)?)
}

fn total(amount: Cents, more: Cents) -> Result<Cents, TransactionError> {
    Ok(sum([positive(amount)?, positive(more)?])?)
}
