//! Each customer's book. Whoever changes it holds its row, reads all of it, and writes what is new.

pub(crate) mod store;

use ::store::{Db, Tx};
use billing::OutOfRange;
use billing::ledger::{Ledger, LedgerError, Recorded, Transaction, TransactionError};
use domain::CustomerId;
use jiff::Timestamp;

use super::settlement::Settlement;
use super::{invoices, settlement};

/// Why a book was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    #[error(transparent)]
    Store(#[from] ::store::sqlx::Error),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

/// Who changes a book, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub author: &'a str,
    pub reason: &'a str,
    pub now: Timestamp,
}

/// A customer's book, held by this transaction until it ends.
pub(crate) struct Held {
    customer: CustomerId,
    pub ledger: Ledger,
}

/// Takes hold of a customer's book; whoever else wants to change it waits.
pub(crate) async fn open(tx: &mut Tx, customer: CustomerId) -> Result<Held, AccountError> {
    store::lock(tx, customer).await?;
    let ledger = Ledger::replay(store::transactions(tx, customer).await?)?;
    Ok(Held { customer, ledger })
}

/// A customer's book as it stands, held by nobody.
pub(crate) async fn read(db: &Db, customer: CustomerId) -> Result<Ledger, AccountError> {
    let mut connection = db.read().acquire().await?;
    Ok(Ledger::replay(store::transactions(&mut connection, customer).await?)?)
}

impl Held {
    /// Whose book it is.
    pub(crate) const fn customer(&self) -> CustomerId {
        self.customer
    }

    /// Adds a transaction, once.
    pub(crate) async fn record(
        &mut self,
        tx: &mut Tx,
        transaction: Transaction,
        entry: Entry<'_>,
    ) -> Result<Recorded, AccountError> {
        let recorded = self.ledger.record(transaction.clone())?;
        if recorded == Recorded::Now {
            store::append(tx, self.customer, &transaction, entry).await?;
        }
        Ok(recorded)
    }

    /// Brings what the invoices say about themselves in line with the book. What is left of each, oldest first.
    pub(crate) async fn settle(&self, tx: &mut Tx) -> Result<Vec<Settlement>, AccountError> {
        let charged = invoices::store::charged(tx, self.customer).await?;
        let settled = settlement::settle(&self.ledger, &charged)?;
        for left in &settled {
            invoices::store::settle(tx, left).await?;
        }
        Ok(settled)
    }
}
