use domain::Cents;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::account::Account;
use super::transaction::{Transaction, TransactionId};
use super::{Ledger, LedgerError};
use crate::arithmetic::{OutOfRange, add, subtract};

/// What happened to a customer's account in some time, as the customer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// What was owed before it.
    pub owed_before: Cents,
    /// What happened, in its order.
    pub lines: Vec<StatementLine>,
    /// What was owed after it.
    pub owed_after: Cents,
    /// The credit after it.
    pub credit_after: Cents,
}

/// Something that changed what is owed, or the credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementLine {
    /// When.
    pub at: Timestamp,
    /// Which transaction.
    pub id: TransactionId,
    /// In words.
    pub description: String,
    /// By how much it changed what is owed.
    pub owed: Cents,
    /// By how much it changed the credit.
    pub credit: Cents,
    /// What was owed after it.
    pub owed_after: Cents,
}

impl Ledger {
    /// Everything from a moment up to, and without, another, by the time at which it happened.
    ///
    /// # Errors
    /// Never in fact, since balances that large were refused.
    pub fn statement(&self, from: Timestamp, until: Timestamp) -> Result<Statement, LedgerError> {
        let mut ordered: Vec<&Transaction> = self.transactions().iter().filter(|it| it.at() < until).collect();
        // Of two at the same moment, the one that was recorded first.
        ordered.sort_by_key(|transaction| transaction.at());
        let mut statement = Statement {
            owed_before: Cents::ZERO,
            lines: Vec::new(),
            owed_after: Cents::ZERO,
            credit_after: Cents::ZERO,
        };
        for transaction in ordered {
            let line = line(transaction, statement.owed_after)?;
            statement.owed_after = line.owed_after;
            statement.credit_after = add(statement.credit_after, line.credit)?;
            if transaction.at() < from {
                statement.owed_before = line.owed_after;
            } else {
                statement.lines.push(line);
            }
        }
        Ok(statement)
    }
}

fn line(transaction: &Transaction, owed_before: Cents) -> Result<StatementLine, OutOfRange> {
    let owed = transaction.amount_on(Account::Receivable);
    Ok(StatementLine {
        at: transaction.at(),
        id: transaction.id(),
        description: format!("{} {}", transaction.kind().in_words(), transaction.reference()),
        owed,
        credit: subtract(Cents::ZERO, transaction.amount_on(Account::CreditBalance))?,
        owed_after: add(owed_before, owed)?,
    })
}
