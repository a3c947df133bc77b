use domain::Cents;

use super::Invoice;
use crate::OutOfRange;
use crate::arithmetic::{measure, share, subtract, sum};
use crate::ledger::Refunded;

impl Invoice {
    /// What giving back an amount of this invoice takes from sales and from taxes, when so much of it was given back
    /// `before`. Amounts contain their share of the taxes; however an invoice is given back in parts, the shares add up
    /// to its taxes.
    ///
    /// # Errors
    /// When an amount is larger than money can be.
    pub fn given_back(&self, before: Cents, amount: Cents) -> Result<Refunded, OutOfRange> {
        let taxes = sum(self.taxes.iter().map(|tax| tax.amount))?;
        let after = before.checked_add(amount).ok_or(OutOfRange)?;
        let tax = share(taxes, measure(before), measure(after), measure(self.total))?;
        Ok(Refunded::Sale { net: subtract(amount, tax)?, tax })
    }
}
