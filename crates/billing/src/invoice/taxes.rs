use domain::Cents;
use serde::{Deserialize, Serialize};

use super::lines::Line;
use crate::arithmetic::{OutOfRange, add, measure, share};
use crate::plan::Tax;
use crate::rate::Rate;

/// A tax on an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxLine {
    /// As it is called.
    pub name: String,
    /// The part.
    pub rate: Rate,
    /// What it is a part of: the invoice's net amount.
    pub of: Cents,
    /// How much, rounded once.
    pub amount: Cents,
}

/// How much of a tax belongs to one line, or to a credit for a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxShare {
    /// As it is called.
    pub name: String,
    /// How much.
    pub amount: Cents,
}

/// Each tax of the net amount, and on each line its share of it.
pub(super) fn charge(lines: &mut [Line], net: Cents, taxes: &[Tax]) -> Result<Vec<TaxLine>, OutOfRange> {
    let mut charged = Vec::with_capacity(taxes.len());
    for Tax { name, rate } in taxes {
        let amount = rate.of(net)?;
        let mut before = Cents::ZERO;
        for line in lines.iter_mut() {
            let after = add(before, line.net)?;
            let share = share(amount, measure(before), measure(after), measure(net))?;
            line.taxes.push(TaxShare { name: name.clone(), amount: share });
            before = after;
        }
        charged.push(TaxLine { name: name.clone(), rate: *rate, of: net, amount });
    }
    Ok(charged)
}
