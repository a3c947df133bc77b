//! Computes everything again from what is stored and says where that differs from what is stored. It changes nothing.

use std::collections::BTreeMap;

use ::store::sqlx::Error;
use billing::ledger::{Account, Ledger, Transaction, issue};
use billing::{HourSet, Invoice, InvoiceInputs};
use domain::{Cents, CustomerId, InstanceId, UsageHour};

use super::accounts::store::Raw as RawTransaction;
use super::coupons::held as coupons;
use super::invoices::store::Raw as RawInvoice;
use super::settlement::settle;
use super::{accounts, invoices, plans};
use crate::app::Core;
use crate::usage;

const PAGE: u32 = 200;

/// What a check found.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// So many invoices were computed again.
    pub invoices: u64,
    /// So many transactions were replayed.
    pub transactions: u64,
    /// What all customers together owe.
    pub owed: Cents,
    /// What does not add up, in words. Empty when all is well.
    pub problems: Vec<String>,
}

impl Books {
    fn problem(&mut self, what: impl Into<String>) {
        self.problems.push(what.into());
    }
}

/// Computes every invoice again, replays every customer's book, and looks for the evidence of every billed hour.
///
/// What is issued meanwhile is no problem: each customer is read at one moment.
pub(crate) async fn check(core: &Core) -> Result<Books, Error> {
    let mut books = Books::default();
    // Read first: whatever is issued from now on has a higher number.
    let last = invoices::store::last_seq(&core.db).await?;
    let mut numbers = Vec::new();
    let mut after = String::new();
    loop {
        let page = accounts::store::customers(&core.db, &after, PAGE).await?;
        let Some((customer, _)) = page.last() else { break };
        after = customer.to_string();
        for (customer, _) in page {
            numbers.extend(check_customer(core, customer, &mut books).await?);
        }
    }
    numbers.sort_unstable();
    for (expected, seq) in (1..=last).zip(numbers.iter().copied().chain(std::iter::repeat(0))) {
        if expected != seq {
            books.problem(format!("invoice {expected} of {last} is missing, or its number was changed"));
            break;
        }
    }
    Ok(books)
}

/// Checks one customer, and gives the running numbers of the invoices.
async fn check_customer(core: &Core, customer: CustomerId, books: &mut Books) -> Result<Vec<i64>, Error> {
    // Held, so that invoices and transactions are of one moment; dropped without a commit.
    let mut tx = core.db.begin().await?;
    accounts::store::lock(&mut tx, customer).await?;
    let raw = invoices::store::raw(&mut tx, customer).await?;
    let entries = accounts::store::raw(&mut tx, customer).await?;
    let held = coupons::of(&mut tx, customer).await?;
    drop(tx);
    books.invoices += u64::try_from(raw.len()).unwrap_or(u64::MAX);
    let numbers = raw.iter().map(|raw| raw.seq).collect();
    let readable: Vec<(RawInvoice, Invoice)> =
        raw.into_iter().filter_map(|raw| recomputed(&raw, books).map(|invoice| (raw, invoice))).collect();
    if let Some(ledger) = replayed(customer, &entries, books) {
        compare(customer, &readable, &ledger, books);
    }
    let issued: Vec<&Invoice> = readable.iter().map(|(_, invoice)| invoice).collect();
    for difference in coupons::differences(&held, &issued) {
        books.problem(format!("customer {customer}: {difference}"));
    }
    let mut by_instance: BTreeMap<InstanceId, Vec<&Invoice>> = BTreeMap::new();
    for (_, invoice) in &readable {
        by_instance.entry(invoice.instance).or_default().push(invoice);
    }
    for (instance, invoices) in by_instance {
        check_hours(core, instance, &invoices, books).await?;
    }
    Ok(numbers)
}

/// The invoice, if its document, its inputs and its row say the same.
fn recomputed(raw: &RawInvoice, books: &mut Books) -> Option<Invoice> {
    let number = &raw.number;
    let Ok(inputs) = serde_json::from_str::<InvoiceInputs>(&raw.inputs) else {
        books.problem(format!("the inputs of invoice {number} can't be read"));
        return None;
    };
    let invoice = match Invoice::of(&inputs) {
        Ok(invoice) => invoice,
        Err(error) => {
            books.problem(format!("the inputs of invoice {number} give no invoice: {error}"));
            return None;
        }
    };
    if invoice.to_bytes().ok().as_ref() != Some(&raw.document) {
        books.problem(format!("invoice {number} computes to something else than is stored"));
    }
    let row = (raw.number.as_str(), raw.total, raw.amount_due, raw.period_start);
    let document =
        (invoice.number.as_str(), invoice.total.get(), invoice.amount_due.get(), invoice.period.start().get());
    if row != document || raw.instance != invoice.instance.to_string() {
        books.problem(format!("the row of invoice {number} says something else than the invoice"));
    }
    Some(invoice)
}

fn replayed(customer: CustomerId, entries: &[RawTransaction], books: &mut Books) -> Option<Ledger> {
    books.transactions += u64::try_from(entries.len()).unwrap_or(u64::MAX);
    let mut ledger = Ledger::new();
    for (expected, entry) in (1..).zip(entries) {
        let Ok(transaction) = serde_json::from_str::<Transaction>(&entry.document) else {
            books.problem(format!("{} of customer {customer} can't be read, or does not balance", entry.id));
            return None;
        };
        if entry.seq != expected || transaction.id().as_str() != entry.id {
            books.problem(format!("{} of customer {customer} is out of its place", entry.id));
        }
        if let Err(error) = ledger.record(transaction) {
            books.problem(format!("{} of customer {customer} does not fit into the book: {error}", entry.id));
            return None;
        }
    }
    let balances = Account::ALL.into_iter().map(|account| ledger.balance(account).get());
    if balances.map(i128::from).sum::<i128>() != 0 {
        books.problem(format!("the accounts of customer {customer} do not sum to nothing"));
    }
    match books.owed.checked_add(ledger.owed()) {
        Some(owed) => books.owed = owed,
        None => books.problem("what all customers owe is larger than money can be"),
    }
    Some(ledger)
}

/// Every invoice is in the book as it was issued, every charge has its invoice, and each row says what the book says.
fn compare(customer: CustomerId, invoices: &[(RawInvoice, Invoice)], ledger: &Ledger, books: &mut Books) {
    for (raw, invoice) in invoices {
        let expected = issue(invoice, raw.issued_at).unwrap_or_default();
        if expected.iter().any(|transaction| ledger.find(&transaction.id()) != Some(transaction)) {
            books.problem(format!("invoice {} is not in the book of customer {customer} as it was issued", raw.number));
        }
    }
    let charged = ledger.transactions().iter().filter(|it| it.kind() == billing::ledger::Kind::Charge);
    for charge in charged.filter(|it| !invoices.iter().any(|(raw, _)| raw.number == it.reference())) {
        books.problem(format!("customer {customer} was charged for {}, which is no invoice", charge.reference()));
    }
    let totals: Vec<_> = invoices.iter().map(|(_, invoice)| (invoice.number.clone(), invoice.total)).collect();
    let Ok(settled) = settle(ledger, &totals) else {
        return books.problem(format!("the amounts of customer {customer} are larger than money can be"));
    };
    for ((raw, _), left) in invoices.iter().zip(settled) {
        if (raw.outstanding, raw.written_off) != (left.outstanding.get(), left.written_off.get()) {
            books.problem(format!("invoice {} says that something else is left of it than the book", raw.number));
        }
    }
}

/// No hour is billed twice, and none without evidence.
async fn check_hours(core: &Core, instance: InstanceId, invoices: &[&Invoice], books: &mut Books) -> Result<(), Error> {
    let mut billed = HourSet::none();
    for invoice in invoices {
        for line in &invoice.lines {
            if let Some(hour) = billed.intersection(&line.hours).iter().next() {
                books.problem(format!("{instance} was billed twice for {}, last by {}", hour.start(), invoice.number));
            }
            billed.union(&line.hours);
        }
    }
    let (Some(first), Some(last)) = (billed.iter().next(), billed.iter().last()) else { return Ok(()) };
    let evidence = used(core, instance, first, last).await?;
    if let Some(hour) = billed.difference(&evidence).iter().next() {
        books.problem(format!("{instance} was billed for {}, of which there is no evidence", hour.start()));
    }
    Ok(())
}

async fn used(core: &Core, instance: InstanceId, first: UsageHour, last: UsageHour) -> Result<HourSet, Error> {
    let mut connection = core.db.read().acquire().await?;
    Ok(usage::recorded(&mut connection, instance, first, plans::next(last)).await?.used())
}
