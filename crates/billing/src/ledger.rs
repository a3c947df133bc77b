//! One customer's books: double-entry and append-only. Nothing is edited; a mistake is reversed.

mod account;
mod issue;
mod statement;
mod transaction;

pub use account::Account;
pub use issue::issue;
pub use statement::{Statement, StatementLine};
pub use transaction::{Kind, Posting, Refunded, Transaction, TransactionError, TransactionId};

use std::collections::BTreeMap;

use domain::Cents;

use crate::arithmetic::{OutOfRange, add, subtract};

/// All transactions of one customer, in one currency, in the order in which they were recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    transactions: Vec<Transaction>,
    places: BTreeMap<TransactionId, usize>,
    balances: BTreeMap<Account, Cents>,
}

/// What recording did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It was new.
    Now,
    /// The same transaction was there already; nothing changed.
    Before,
}

/// Why a transaction does not fit into the books. They are as they were.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Some balance became too large.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// The same thing was recorded before, and differently.
    #[error("{0} was recorded already, and differently")]
    Conflict(TransactionId),
    /// What it reverses is not recorded, or is not its opposite.
    #[error("{0} does not reverse what is recorded")]
    NothingToReverse(TransactionId),
    /// It ends a dispute that was not opened, or not about this amount.
    #[error("{0} ends a dispute that was not opened, or was about another amount")]
    NoDispute(TransactionId),
    /// It reverses the beginning of a dispute whose end stands.
    #[error("{0} has to be reversed first")]
    Ended(TransactionId),
    /// It would use more credit than the customer has, or end a dispute about more than is disputed.
    #[error("{1} would take more from {0} than there is")]
    Overdrawn(Account, TransactionId),
}

impl Ledger {
    /// Books in which nothing was recorded yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads transactions in the order in which they were recorded.
    ///
    /// # Errors
    /// When they never could have been recorded like that.
    pub fn replay(transactions: impl IntoIterator<Item = Transaction>) -> Result<Self, LedgerError> {
        let mut ledger = Self::new();
        for transaction in transactions {
            ledger.record(transaction)?;
        }
        Ok(ledger)
    }

    /// Adds a transaction, once.
    ///
    /// # Errors
    /// When it contradicts what is recorded; nothing is changed then.
    pub fn record(&mut self, transaction: Transaction) -> Result<Recorded, LedgerError> {
        let id = transaction.id();
        if let Some(known) = self.find(&id) {
            let same = *known == transaction;
            return if same { Ok(Recorded::Before) } else { Err(LedgerError::Conflict(id)) };
        }
        self.check_origin(&transaction)?;
        let mut balances = self.balances.clone();
        for posting in transaction.postings() {
            let balance = balances.entry(posting.account).or_default();
            *balance = add(*balance, posting.amount)?;
            if posting.account.is_overdrawn_at(*balance) {
                return Err(LedgerError::Overdrawn(posting.account, id));
            }
        }
        self.balances = balances;
        self.places.insert(id, self.transactions.len());
        self.transactions.push(transaction);
        Ok(Recorded::Now)
    }

    /// The transaction of this id.
    pub fn find(&self, id: &TransactionId) -> Option<&Transaction> {
        self.find_by(id.as_str())
    }

    /// All of them, as recorded.
    pub fn transactions(&self) -> &[Transaction] {
        &self.transactions
    }

    /// What is on an account: debits less credits.
    pub fn balance(&self, account: Account) -> Cents {
        self.balances.get(&account).copied().unwrap_or_default()
    }

    /// What the customer owes. Negative when more was paid than was charged.
    pub fn owed(&self) -> Cents {
        self.balance(Account::Receivable)
    }

    /// What the customer has of credit, for invoices to come. Never negative.
    ///
    /// # Errors
    /// Never in fact, since a balance that large was refused.
    pub fn credit(&self) -> Result<Cents, OutOfRange> {
        subtract(Cents::ZERO, self.balance(Account::CreditBalance))
    }

    /// What refers to something else must find it.
    fn check_origin(&self, transaction: &Transaction) -> Result<(), LedgerError> {
        match transaction.kind() {
            Kind::Reversal => {
                let original = self.find_by(transaction.reference()).filter(|it| it.is_opposite_of(transaction));
                let original = original.ok_or_else(|| LedgerError::NothingToReverse(transaction.id()))?;
                let ended = TransactionId::of(Kind::DisputeWon, original.reference());
                if original.kind() == Kind::DisputeOpened && self.stands(&ended) {
                    return Err(LedgerError::Ended(ended));
                }
                Ok(())
            }
            Kind::DisputeWon | Kind::DisputeLost => {
                let opened = TransactionId::of(Kind::DisputeOpened, transaction.reference());
                let held =
                    self.find(&opened).filter(|_| self.stands(&opened)).map(|it| it.amount_on(Account::Disputed));
                let returned = subtract(Cents::ZERO, transaction.amount_on(Account::Disputed))?;
                if held == Some(returned) { Ok(()) } else { Err(LedgerError::NoDispute(transaction.id())) }
            }
            _ => Ok(()),
        }
    }

    fn find_by(&self, id: &str) -> Option<&Transaction> {
        self.places.get(id).and_then(|place| self.transactions.get(*place))
    }

    /// Whether it was recorded and not reversed.
    fn stands(&self, id: &TransactionId) -> bool {
        let reversal = TransactionId::of(Kind::Reversal, id.as_str());
        self.places.contains_key(id) && !self.places.contains_key(&reversal)
    }
}
