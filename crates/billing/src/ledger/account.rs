use std::fmt;

use domain::Cents;
use serde::{Deserialize, Serialize};

/// Where amounts stand. A debit is positive, a credit negative, so that all accounts together are nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// An asset: what the customer owes us.
    Receivable,
    /// An asset: what the customer paid, less what the processor kept.
    Cash,
    /// An asset in doubt: what a bank took back and may return.
    Disputed,
    /// A liability: taxes that we owe to the state.
    TaxPayable,
    /// A liability: what the customer may spend on later invoices.
    CreditBalance,
    /// Income: what was sold.
    Revenue,
    /// Less income: what was given back.
    Refunds,
    /// A cost: what the processor kept.
    ProcessingFees,
    /// A cost: what nobody will pay any more.
    BadDebt,
}

impl Account {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Receivable,
        Self::Cash,
        Self::Disputed,
        Self::TaxPayable,
        Self::CreditBalance,
        Self::Revenue,
        Self::Refunds,
        Self::ProcessingFees,
        Self::BadDebt,
    ];

    /// The word that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receivable => "receivable",
            Self::Cash => "cash",
            Self::Disputed => "disputed",
            Self::TaxPayable => "tax_payable",
            Self::CreditBalance => "credit_balance",
            Self::Revenue => "revenue",
            Self::Refunds => "refunds",
            Self::ProcessingFees => "processing_fees",
            Self::BadDebt => "bad_debt",
        }
    }

    /// Nobody can spend credit that was not granted, and no bank returns what it did not take.
    pub(super) fn is_overdrawn_at(self, balance: Cents) -> bool {
        match self {
            Self::CreditBalance => balance > Cents::ZERO,
            Self::Disputed => balance < Cents::ZERO,
            _ => false,
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
