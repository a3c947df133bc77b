//! Money that goes back to a customer, of an invoice that was paid. That it shall go back is stored first; where a card
//! paid, the payment provider gives it back, else a person sends it. It is booked once it went.

pub(crate) mod store;

use std::sync::Arc;

use ::store::{Tx, is_unique_violation};
use async_trait::async_trait;
use billing::ledger::{Account, Kind, Ledger, Refunded, Transaction, TransactionId};
use domain::{Cents, CustomerId};
use jiff::{SignedDuration, Timestamp};
use providers::payments;
use serde::{Deserialize, Serialize};
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::accounts::{self, AccountError, Entry, Held};
use super::collection::unbooked;
use super::invoices::{self, Issued};
use super::letter;
use super::payments::{booked_otherwise, given_reason, hold_invoice, named, worth_something};
use super::settlement::charge_reference;
use crate::app::{App, Core};
use crate::audit;
use crate::error::{AppError, refused};
use crate::workflows::{Plan, begin, step_error};

/// Stored with every run; a changed sequence of steps gets a new number.
const KIND: &str = "refund.v1";
/// A provider that is away for a weekend is waited for.
const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(3 * 24);

/// What shall go back.
pub(crate) struct NewRefund<'a> {
    pub amount: Cents,
    /// Names it. It makes the refund one, however often it is asked for.
    pub reference: &'a str,
    /// The customer reads it.
    pub reason: &'a str,
}

/// What goes back, or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refund {
    pub reference: String,
    /// The number of the invoice.
    pub invoice: String,
    pub customer: CustomerId,
    /// With its share of the taxes.
    pub amount: Cents,
    /// That share.
    pub tax: Cents,
    pub reason: String,
    pub author: String,
    pub requested_at: Timestamp,
    /// Nothing while the payment provider has not given it back yet.
    pub booked_at: Option<Timestamp>,
}

/// Gives back a part of what was paid for an invoice. The same reference gives back once.
pub(crate) async fn give_back(app: &App, number: &str, wanted: &NewRefund<'_>, by: &str) -> Result<Refund, AppError> {
    let amount = worth_something(wanted.amount)?;
    let (reference, reason) = (named(wanted.reference)?, given_reason(wanted.reason)?);
    let mut tx = app.db.begin().await?;
    let (issued, mut held) = hold_invoice(&mut tx, number).await?;
    if let Some(known) = store::find(&mut tx, reference).await? {
        let same = known.invoice == number && known.amount == amount;
        return if same { Ok(known) } else { Err(booked_otherwise("refund", reference)) };
    }
    let before = store::given(&mut tx, number).await?;
    let charged = charged(&held.ledger, number)?;
    let at_provider = app.drivers.payments.charges() && charged > Cents::ZERO;
    let most =
        if at_provider { charged.checked_sub(before) } else { paid(&issued).and_then(|it| it.checked_sub(before)) };
    let most = most.ok_or_else(|| AppError::internal(billing::OutOfRange))?;
    if amount > most {
        return Err(too_much(&issued, most));
    }
    let document = invoices::store::find(&mut tx, number).await?.ok_or(AppError::NotFound)?.1;
    let Refunded::Sale { tax, .. } = document.given_back(before, amount).map_err(AppError::internal)? else {
        return Err(AppError::internal(billing::OutOfRange));
    };
    let refund = Refund {
        reference: reference.to_owned(),
        invoice: number.to_owned(),
        customer: issued.customer,
        amount,
        tax,
        reason: reason.to_owned(),
        author: by.to_owned(),
        requested_at: app.clock.now(),
        booked_at: None,
    };
    store::insert(&mut tx, &refund).await.map_err(|error| match error {
        error if is_unique_violation(&error) => booked_otherwise("refund", reference),
        error => error.into(),
    })?;
    let detail = format!("{reference}: {}, {reason}", amount.priced(&issued.currency));
    audit::record(&mut tx, app, by, "refund.requested", number, &detail).await?;
    if at_provider {
        let plan = Plan { kind: KIND, time_limit: TIME_LIMIT, subject: number };
        begin(&mut tx, app, &plan, &Named { reference: refund.reference.clone() }).await?;
    } else {
        book(&mut tx, app, &mut held, &refund).await?;
    }
    let kept = store::find(&mut tx, reference).await?.ok_or(AppError::NotFound)?;
    tx.commit().await?;
    app.engine.wake();
    app.mail_waiting.notify_one();
    Ok(kept)
}

/// What the payment provider collected for an invoice, and nobody took back.
fn charged(ledger: &Ledger, number: &str) -> Result<Cents, AppError> {
    let id = TransactionId::of(Kind::Payment, &charge_reference(number));
    let reversed = ledger.find(&TransactionId::of(Kind::Reversal, id.as_str())).is_some();
    let Some(payment) = ledger.find(&id).filter(|_| !reversed) else { return Ok(Cents::ZERO) };
    let came = Cents::ZERO.checked_sub(payment.amount_on(Account::Receivable));
    came.ok_or_else(|| AppError::internal(billing::OutOfRange))
}

/// What was paid for an invoice, however it came.
fn paid(issued: &Issued) -> Option<Cents> {
    issued.amount_due.checked_sub(issued.outstanding)?.checked_sub(issued.written_off)
}

fn too_much(issued: &Issued, most: Cents) -> AppError {
    let title = match most {
        Cents::ZERO => format!("Nothing was paid for invoice {} that could be given back", issued.number),
        most => format!("Of invoice {}, {} can be given back", issued.number, most.priced(&issued.currency)),
    };
    let next = "Give back less, or give the customer credit, which later invoices take.";
    refused(409, &title, next)
}

/// Books what went back, and writes to the customer.
async fn book(tx: &mut Tx, core: &Core, held: &mut Held, refund: &Refund) -> Result<(), AccountError> {
    let now = core.clock.now();
    let net = refund.amount.checked_sub(refund.tax).ok_or(billing::OutOfRange)?;
    let transaction = Transaction::refund(now, &refund.reference, Refunded::Sale { net, tax: refund.tax })?;
    held.record(tx, transaction, Entry { author: &refund.author, reason: &refund.reason, now }).await?;
    store::booked(tx, &refund.reference, now).await?;
    if let Some((issued, _)) = invoices::store::find(tx, &refund.invoice).await? {
        letter::given_back(tx, core, &issued, refund).await?;
    }
    Ok(())
}

/// Which refund it is about.
#[derive(Debug, Serialize, Deserialize)]
struct Named {
    reference: String,
}

/// Has the payment provider give money back, and books that it did.
pub(crate) struct GiveBack(pub Arc<Core>);

#[async_trait]
impl Workflow for GiveBack {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let Named { reference } = run.input()?;
        let _: () = run.step("give back", || at_provider(core, &reference)).await?;
        run.step("book", || booked(core, &reference)).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

async fn at_provider(core: &Core, reference: &str) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let refund = store::find(&mut tx, reference).await?.ok_or_else(|| missing(reference))?;
    drop(tx);
    let asked = payments::Refund {
        reference: refund.reference,
        invoice: refund.invoice,
        customer: refund.customer,
        amount: refund.amount,
    };
    core.drivers.payments.refund(&asked).await.map_err(step_error)
}

async fn booked(core: &Core, reference: &str) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let customer = store::find(&mut tx, reference).await?.ok_or_else(|| missing(reference))?.customer;
    let mut held = accounts::open(&mut tx, customer).await.map_err(unbooked)?;
    let refund = store::find(&mut tx, reference).await?.ok_or_else(|| missing(reference))?;
    if refund.booked_at.is_none() {
        book(&mut tx, core, &mut held, &refund).await.map_err(unbooked)?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

fn missing(reference: &str) -> StepError {
    StepError::permanent(anyhow::anyhow!("there is no refund {reference}; look whether a backup was restored"))
}
