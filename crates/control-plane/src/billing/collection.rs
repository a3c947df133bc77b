//! The payment provider charges what was invoiced, where it can. That an invoice is to be charged commits with the
//! invoice; what came of it is booked once, whether the charge itself told, an event, or a later look. What an event
//! says is not believed: it makes us look.
//!
//! A charge that failed is kept with its reason; dunning tries it again, and [`again`] when somebody asks.

pub(crate) mod store;
mod workflows;

use ::store::Tx;
use ::store::sqlx::Error;
use billing::dunning::Event as DunningEvent;
use billing::ledger::{Kind, Ledger, Transaction, TransactionId};
use billing::{Invoice, OutOfRange};
use domain::{Cents, CustomerId, WorkflowId};
use jiff::{SignedDuration, Timestamp};
use providers::payments::{Bill, BillLine, CollectionState, Event, Failure, Standing};
use workflow::{StepError, WorkflowState};

use super::accounts::{self, AccountError, Entry};
use super::invoices::{self, Issued};
use super::rounds::{self, charge_reference};
use super::{dunning, letter, payments};
use crate::app::{App, Core};
use crate::audit;
use crate::error::{AppError, refused};
use crate::workflows::{Plan, begin as start, step_error};

pub(crate) use workflows::{Collect, HandOver, LookUp, Withdraw};

/// A provider that is away for a weekend is waited for.
const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(3 * 24);

/// What of an invoice changes by, as far as we have to know.
const TELLING: [&str; 4] =
    ["invoice.paid", "invoice.payment_failed", "invoice.payment_action_required", "invoice.marked_uncollectible"];

/// A charge that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChargeFailure {
    /// The provider's id of the attempt.
    pub id: String,
    /// The number of the invoice.
    pub invoice: String,
    /// What was to be charged.
    pub amount: Cents,
    /// What the bank or the provider said.
    pub reason: String,
    /// When we heard of it.
    pub failed_at: Timestamp,
}

/// Begins the charge of an invoice, in the transaction that makes it due.
pub(crate) async fn begin(tx: &mut Tx, core: &Core, number: &str) -> Result<WorkflowId, Error> {
    let attempt = store::next_attempt(tx, number).await?;
    let plan = Plan { kind: workflows::COLLECT, time_limit: TIME_LIMIT, subject: number };
    start(tx, core, &plan, &workflows::Wanted { number: number.to_owned(), attempt }).await
}

/// Begins another charge of an invoice whose customer's book is held, unless one is under way.
pub(super) async fn retry(tx: &mut Tx, core: &Core, number: &str) -> Result<(), Error> {
    if workflow::under_way(tx, workflows::COLLECT, number).await?.is_some() {
        return Ok(());
    }
    begin(tx, core, number).await.map(drop)
}

/// Charges an open invoice again. Asking again while that is under way gives the same workflow.
pub(crate) async fn again(app: &App, number: &str, by: &str) -> Result<WorkflowId, AppError> {
    if !app.drivers.payments.charges() {
        let next = "Book the payment when it has come.";
        return Err(refused(409, "Nobody charges invoices here: customers pay by hand", next));
    }
    let mut tx = app.db.begin().await?;
    let found = invoices::store::find(&mut tx, number).await?;
    let (issued, _) = found.ok_or_else(|| payments::no_invoice(number))?;
    // Two who ask at once wait for each other here.
    accounts::open(&mut tx, issued.customer).await?;
    if let Some((id, state)) = workflow::under_way(&mut tx, workflows::COLLECT, number).await? {
        drop(tx);
        if state == WorkflowState::Stuck {
            app.engine.retry(&id).await?;
        }
        return WorkflowId::parse(&id).map_err(AppError::internal);
    }
    if issued.outstanding <= Cents::ZERO {
        return Err(refused(409, "Nothing is left of this invoice to be paid", "Look at the customer's ledger."));
    }
    audit::record(&mut tx, app, by, "invoice.charge_requested", number, "").await?;
    let id = begin(&mut tx, app, number).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(id)
}

/// Looks at the provider how an invoice stands of which it told.
pub(crate) async fn heard(tx: &mut Tx, core: &Core, event: &Event) -> Result<(), Error> {
    let Some(name) = event.invoice.as_deref().filter(|_| TELLING.contains(&event.kind.as_str())) else {
        return Ok(());
    };
    let number = rounds::number_of(name);
    // Another installation may have its invoices in the same account.
    if invoices::store::find(tx, number).await?.is_none() {
        return Ok(());
    }
    let plan = Plan { kind: workflows::LOOK_UP, time_limit: TIME_LIMIT, subject: number };
    start(tx, core, &plan, &workflows::Named { number: name.to_owned() }).await.map(drop)
}

/// Takes an invoice back from the provider that nobody is to be charged for any more.
pub(super) async fn withdraw(tx: &mut Tx, core: &Core, ledger: &Ledger, number: &str) -> Result<(), Error> {
    if !core.drivers.payments.charges() {
        return Ok(());
    }
    let plan = Plan { kind: workflows::WITHDRAW, time_limit: TIME_LIMIT, subject: number };
    let name = rounds::present_name(ledger, number);
    start(tx, core, &plan, &workflows::Named { number: name }).await.map(drop)
}

/// Has the provider offer on a page what is owed again of an invoice. Nobody charges it unasked: its bank said no.
pub(super) async fn hand_over(tx: &mut Tx, core: &Core, number: &str) -> Result<(), Error> {
    let plan = Plan { kind: workflows::HAND_OVER, time_limit: TIME_LIMIT, subject: number };
    start(tx, core, &plan, &workflows::Named { number: number.to_owned() }).await.map(drop)
}

/// Books how an invoice stands at the provider, before something else is booked that rests on its payment.
pub(super) async fn look_first(core: &Core, customer: CustomerId, name: &str) -> Result<(), StepError> {
    match core.drivers.payments.standing(customer, name).await.map_err(step_error)? {
        Some(standing) => book(core, rounds::number_of(name), &standing).await,
        None => Ok(()),
    }
}

/// What is left of an invoice, as the provider is told; `None` when nothing is.
async fn bill(core: &Core, number: &str) -> Result<Option<Bill>, StepError> {
    let mut connection = core.db.read().acquire().await?;
    let (issued, invoice) = invoices::store::find(&mut connection, number).await?.ok_or_else(|| missing(number))?;
    if issued.outstanding <= Cents::ZERO {
        return Ok(None);
    }
    drop(connection);
    let ledger = accounts::read(&core.db, issued.customer).await.map_err(unbooked)?;
    Ok(Some(Bill {
        number: rounds::present_name(&ledger, number),
        customer: issued.customer,
        instance: issued.instance,
        currency: issued.currency,
        lines: lines(&invoice, issued.outstanding).map_err(StepError::permanent)?,
        amount: issued.outstanding,
    }))
}

/// The lines of an invoice, down to what is left of it.
fn lines(invoice: &Invoice, left: Cents) -> Result<Vec<BillLine>, OutOfRange> {
    let line = |description: String, amount| BillLine { description, amount };
    let mut lines: Vec<BillLine> = invoice.lines.iter().map(|it| line(it.description.clone(), it.amount)).collect();
    for discount in &invoice.discounts {
        let taken = Cents::ZERO.checked_sub(discount.taken.amount).ok_or(OutOfRange)?;
        lines.push(line(discount.description.clone(), taken));
    }
    lines.extend(invoice.taxes.iter().map(|tax| line(format!("{} {}", tax.name, tax.rate), tax.amount)));
    let sum = lines.iter().try_fold(Cents::ZERO, |sum, line| sum.checked_add(line.amount)).ok_or(OutOfRange)?;
    let rest = left.checked_sub(sum).ok_or(OutOfRange)?;
    lines.push(line("Credit and earlier payments".to_owned(), rest));
    lines.retain(|line| line.amount != Cents::ZERO);
    Ok(lines)
}

/// Books how an invoice stands at the provider, once for each thing that happened.
async fn book(core: &Core, number: &str, standing: &Standing) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let (known, _) = invoices::store::find(&mut tx, number).await?.ok_or_else(|| missing(number))?;
    store::name(&mut tx, number, &standing.id).await?;
    match (standing.state, &standing.failure) {
        (CollectionState::Paid, _) => {
            paid(&mut tx, core, &known, standing.name.as_deref().unwrap_or(number), standing.paid).await?;
        }
        (CollectionState::Open, Some(failure)) => charge_failed(&mut tx, core, &known, failure).await?,
        _ => {}
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

async fn paid(tx: &mut Tx, core: &Core, known: &Issued, name: &str, amount: Cents) -> Result<(), StepError> {
    let (number, now) = (&known.number, core.clock.now());
    let reference = charge_reference(name);
    let mut held = accounts::open(tx, known.customer).await.map_err(unbooked)?;
    if held.ledger.find(&TransactionId::of(Kind::Payment, &reference)).is_some() || amount <= Cents::ZERO {
        return Ok(());
    }
    let author = core.drivers.payments.name();
    let reason = payments::reason_of(number);
    let transaction = Transaction::payment(now, &reference, amount, Cents::ZERO).map_err(StepError::permanent)?;
    held.record(tx, transaction, Entry { author, reason: &reason, now }).await.map_err(unbooked)?;
    held.settle(tx).await.map_err(unbooked)?;
    dunning::settled(tx, core, &held).await.map_err(undunned)?;
    audit::record(tx, core, author, "payment.collected", number, &amount.priced(&known.currency)).await?;
    if let Some((settled, _)) = invoices::store::find(tx, number).await? {
        let receipt = letter::Receipt { reference: &reference, how: "your card", amount, on: invoices::day_of(now) };
        letter::received(tx, core, &settled, &receipt).await?;
    }
    Ok(())
}

/// Keeps that an invoice could not be charged, and lets dunning know, once.
async fn charge_failed(tx: &mut Tx, core: &Core, known: &Issued, failure: &Failure) -> Result<(), StepError> {
    let held = accounts::open(tx, known.customer).await.map_err(unbooked)?;
    let Some((known, _)) = invoices::store::find(tx, &known.number).await? else { return Ok(()) };
    let failed = ChargeFailure {
        id: failure.id.clone(),
        invoice: known.number.clone(),
        amount: known.outstanding,
        reason: failure.reason.clone(),
        failed_at: core.clock.now(),
    };
    if store::insert_failure(tx, known.customer, &failed).await? {
        let author = core.drivers.payments.name();
        audit::record(tx, core, author, "payment.failed", &known.number, &failed.reason).await?;
        // It may have been paid by hand meanwhile.
        if known.outstanding > Cents::ZERO {
            dunning::happened(tx, core, &held, DunningEvent::ChargeFailed).await.map_err(undunned)?;
        }
    }
    Ok(())
}

fn missing(number: &str) -> StepError {
    StepError::permanent(anyhow::anyhow!("there is no invoice {number}; look whether a backup was restored"))
}

pub(super) fn undunned(error: AppError) -> StepError {
    match error {
        AppError::Internal(error) => match error.downcast::<Error>() {
            Ok(error) => error.into(),
            Err(other) => StepError::permanent(other),
        },
        refused => StepError::permanent(anyhow::anyhow!("{refused}")),
    }
}

pub(super) fn unbooked(error: AccountError) -> StepError {
    match error {
        AccountError::Store(error) => error.into(),
        other => StepError::permanent(other),
    }
}
