use std::collections::{BTreeMap, BTreeSet};

use ::store::sqlx::Error;
use billing::ledger::{Account, Kind, Transaction};
use domain::{Cents, CustomerId, InstanceId, Month};
use jiff::SignedDuration;

use super::super::reading::end_of;
use super::super::store::{self, Served};
use super::{Basis, too_large};
use crate::app::Core;
use crate::billing::{BillingCycle, closing, figures};

/// So long after a period could be closed, it was: whoever has no invoice by then gets none.
const CLOSED: SignedDuration = SignedDuration::from_hours(24);

/// What customers bought in a month.
pub(super) struct Sold {
    amounts: BTreeMap<CustomerId, Cents>,
    /// Whose invoices are still to come.
    open: BTreeSet<CustomerId>,
    pub(super) basis: Basis,
}

impl Sold {
    /// Everybody of whom something is known.
    pub(super) fn customers(&self) -> impl Iterator<Item = CustomerId> {
        self.amounts.keys().copied()
    }

    /// Nothing while invoices are still to come.
    pub(super) fn of(&self, customer: CustomerId) -> Option<Cents> {
        (!self.open.contains(&customer)).then(|| self.amounts.get(&customer).copied().unwrap_or_default())
    }
}

pub(super) async fn of_month(core: &Core, month: Month, served: &[Served]) -> Result<Sold, Error> {
    let mut amounts: BTreeMap<CustomerId, Cents> = BTreeMap::new();
    let mut add = |customer, amount| {
        let sum = amounts.entry(customer).or_default();
        *sum = sum.checked_add(amount).ok_or_else(|| too_large(billing::OutOfRange))?;
        Ok::<_, Error>(())
    };
    let mut invoiced: BTreeSet<InstanceId> = BTreeSet::new();
    for (customer, instance, net) in store::sold(&core.db, month.first_hour(), month.next().first_hour()).await? {
        invoiced.insert(instance);
        add(customer, net)?;
    }
    let mut booked = figures::store::booked(&core.db, (month.first_hour().start(), end_of(month)), None).await?;
    // Invoices count in the month in which their period began, and not when they were issued.
    booked.retain(|booked| booked.transaction.kind() != Kind::Charge);
    for booked in &booked {
        match lost(&booked.transaction).ok_or_else(|| too_large(billing::OutOfRange))? {
            Cents::ZERO => {}
            amount => add(booked.customer, amount)?,
        }
    }
    let is_closed = is_closed(core, month);
    let waiting = served.iter().filter(|served| !is_closed && !invoiced.contains(&served.instance));
    let open: BTreeSet<CustomerId> = waiting.map(|served| served.customer).collect();
    let mut how = "Invoices of the periods that began in the month, without taxes; less credits, refunds and what was \
        written off in it."
        .to_owned();
    if !open.is_empty() {
        how.push_str(" Unknown where the invoice is still to come.");
    }
    let basis = Basis { what: "Revenue", how, observed_at: None, is_known: open.is_empty() };
    Ok(Sold { amounts, open, basis })
}

/// Whether every period that begins in a month was closed so long ago that whoever has no invoice for it gets none.
pub(crate) fn is_closed(core: &Core, month: Month) -> bool {
    // The last one ends with the next month, at the latest.
    let last_end = match core.settings.billing.cycle {
        BillingCycle::Calendar => month.next(),
        BillingCycle::Anniversary => month.next().next(),
    };
    closing::settled_until(core, core.clock.now() - CLOSED) >= last_end.first_hour()
}

/// What a transaction takes off the revenue, as an amount below nothing.
pub(crate) fn lost(transaction: &Transaction) -> Option<Cents> {
    let accounts = [Account::Revenue, Account::Refunds, Account::BadDebt];
    accounts.into_iter().try_fold(Cents::ZERO, |sum, account| sum.checked_sub(transaction.amount_on(account)))
}
