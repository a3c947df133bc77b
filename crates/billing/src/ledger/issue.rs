use jiff::Timestamp;

use super::transaction::{Transaction, TransactionError};
use crate::arithmetic::subtract;
use crate::invoice::Invoice;

/// What issuing an invoice records: the charge, each credit for waived hours, and the credit that settles a part of it.
/// What is nothing is left out, so a free invoice records nothing.
///
/// # Errors
/// When the invoice has amounts that no computation gives.
pub fn issue(invoice: &Invoice, at: Timestamp) -> Result<Vec<Transaction>, TransactionError> {
    let number = &invoice.number;
    let mut transactions = vec![Transaction::charge(at, number, invoice.net, invoice.tax()?)];
    for (place, credit) in (1..).zip(&invoice.credits) {
        let tax = subtract(credit.amount, credit.net)?;
        transactions.push(Transaction::credit_granted(at, &format!("{number}/{place}"), credit.net, tax));
    }
    transactions.push(Transaction::credit_applied(at, number, invoice.credit_applied));
    transactions.into_iter().filter(|made| !matches!(made, Err(TransactionError::Nothing))).collect()
}
