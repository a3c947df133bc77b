//! Money that goes back to a customer, of an invoice that was paid. That it shall go back is stored first; where a card
//! paid, the payment provider gives it back, else a person sends it. It is booked once it went.
//!
//! - what the provider does, and what becomes of it when somebody gives it up: `workflows.rs`
//! - what went back by another hand, such as in the provider's dashboard, or came back: `elsewhere.rs`

pub(crate) mod elsewhere;
pub(crate) mod store;
mod workflows;

use ::store::sqlx::Error;
use ::store::{Tx, is_unique_violation};
use billing::Invoice;
use billing::ledger::{Account, Ledger, Refunded, Transaction};
use domain::{Cents, CustomerId};
use jiff::{SignedDuration, Timestamp};

use super::accounts::{AccountError, Entry, Held};
use super::invoices::{self, Issued};
use super::letter;
use super::payments::{booked_otherwise, given_reason, hold_invoice, named, worth_something};
use super::rounds;
use crate::app::{App, Core};
use crate::audit;
use crate::error::{AppError, refused};
use crate::workflows::{Plan, begin};

pub(crate) use workflows::{GiveBack, SettleRefund};

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
    /// The name under which what paid it was collected; the number, where people pay by hand.
    pub charge: String,
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
    /// When it was given up, and was seen not to have gone.
    pub withdrawn_at: Option<Timestamp>,
    /// When it was seen to have come back: whoever it was sent to did not take it.
    pub returned_at: Option<Timestamp>,
}

/// Gives back a part of what was paid for an invoice. The same reference gives back once.
pub(crate) async fn give_back(app: &App, number: &str, wanted: &NewRefund<'_>, by: &str) -> Result<Refund, AppError> {
    let amount = worth_something(wanted.amount)?;
    let (reference, reason) = (named(wanted.reference)?, given_reason(wanted.reason)?);
    let mut tx = app.db.begin().await?;
    let (issued, mut held) = hold_invoice(&mut tx, number).await?;
    if let Some(known) = store::find(&mut tx, reference).await? {
        if known.withdrawn_at.is_some() {
            let title = format!("The refund {reference} was given up, and nothing went");
            return Err(refused(409, &title, "Use another reference for another try."));
        }
        let same = known.invoice == number && known.amount == amount;
        return if same { Ok(known) } else { Err(booked_otherwise("refund", reference)) };
    }
    let (charge, at_provider, most) = most(&mut tx, app, &held.ledger, &issued).await?;
    if amount > most {
        return Err(too_much(&issued, most, held.ledger.balance(Account::Disputed) > Cents::ZERO));
    }
    let document = invoices::store::find(&mut tx, number).await?.ok_or(AppError::NotFound)?.1;
    let tax = share_of_taxes(&mut tx, &document, amount).await?;
    let refund = Refund {
        reference: reference.to_owned(),
        invoice: number.to_owned(),
        charge,
        customer: issued.customer,
        amount,
        tax,
        reason: reason.to_owned(),
        author: by.to_owned(),
        requested_at: app.clock.now(),
        booked_at: None,
        withdrawn_at: None,
        returned_at: None,
    };
    store::insert(&mut tx, &refund).await.map_err(|error| match error {
        error if is_unique_violation(&error) => booked_otherwise("refund", reference),
        error => error.into(),
    })?;
    let detail = format!("{reference}: {}, {reason}", amount.priced(&issued.currency));
    audit::record(&mut tx, app, by, "refund.requested", number, &detail).await?;
    if at_provider {
        let plan = Plan { kind: workflows::KIND, time_limit: TIME_LIMIT, subject: number };
        begin(&mut tx, app, &plan, &workflows::Named { reference: refund.reference.clone() }).await?;
    } else {
        book(&mut tx, app, &mut held, &refund).await?;
    }
    let kept = store::find(&mut tx, reference).await?.ok_or(AppError::NotFound)?;
    tx.commit().await?;
    app.engine.wake();
    app.mail_waiting.notify_one();
    Ok(kept)
}

/// What can still be given back of an invoice: of which payment, whether by the payment provider, and how much.
pub(crate) async fn most(
    tx: &mut Tx,
    core: &Core,
    ledger: &Ledger,
    issued: &Issued,
) -> Result<(String, bool, Cents), AppError> {
    let beyond = || AppError::internal(billing::OutOfRange);
    let number = &issued.number;
    let mut questioned = Cents::ZERO;
    if core.drivers.payments.charges() {
        for round in (1..=rounds::present(ledger, number)).rev() {
            let name = rounds::name(number, round);
            let Some(came) = rounds::collected(ledger, &name).map_err(AppError::internal)? else { continue };
            let away = rounds::questioned(ledger, &name).map_err(AppError::internal)?;
            questioned = questioned.checked_add(away).ok_or_else(beyond)?;
            let left = came.checked_sub(away).ok_or_else(beyond)?;
            if left > Cents::ZERO {
                let given = store::given_of(tx, &name).await?;
                let most = left.checked_sub(given).ok_or_else(beyond)?;
                return Ok((name, true, most.max(Cents::ZERO)));
            }
        }
    }
    let given = store::given(tx, number).await?;
    let paid = paid(issued).ok_or_else(beyond)?;
    let lost = rounds::lost(ledger).map_err(AppError::internal)?.get(number.as_str()).copied().unwrap_or_default();
    // What a bank holds at the moment is not ours to give back by hand; what it kept is owed again already.
    let held = questioned.checked_sub(lost).ok_or_else(beyond)?;
    let most = paid.checked_sub(given).and_then(|it| it.checked_sub(held)).ok_or_else(beyond)?;
    Ok((number.clone(), false, most.max(Cents::ZERO)))
}

/// What of an amount that is given back are taxes, so that all shares of an invoice add up.
async fn share_of_taxes(tx: &mut Tx, document: &Invoice, amount: Cents) -> Result<Cents, AppError> {
    let (before, taxes) = store::given_with_taxes(tx, &document.number).await?;
    let beyond = || AppError::internal(billing::OutOfRange);
    let all = before.checked_add(amount).ok_or_else(beyond)?;
    let Refunded::Sale { tax, .. } = document.given_back(Cents::ZERO, all).map_err(AppError::internal)? else {
        return Err(beyond());
    };
    // One that was given up, or came back, may have left another cent to those after it than their own share.
    Ok(tax.checked_sub(taxes).ok_or_else(beyond)?.clamp(Cents::ZERO, amount))
}

/// What was paid for an invoice, however it came.
fn paid(issued: &Issued) -> Option<Cents> {
    issued.amount_due.checked_sub(issued.outstanding)?.checked_sub(issued.written_off)
}

fn too_much(issued: &Issued, most: Cents, is_disputed: bool) -> AppError {
    let title = match most {
        Cents::ZERO => format!("Nothing was paid for invoice {} that could be given back", issued.number),
        most => format!("Of invoice {}, {} can be given back", issued.number, most.priced(&issued.currency)),
    };
    let next = match is_disputed {
        true => "What a bank holds can't be given back as well: wait until it has decided.",
        false => "Give back less, or give the customer credit, which later invoices take.",
    };
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

/// Looks whether a refund went that nobody pursues any more.
async fn settle(tx: &mut Tx, core: &Core, refund: &Refund) -> Result<(), Error> {
    let plan = Plan { kind: workflows::SETTLE, time_limit: TIME_LIMIT, subject: &refund.invoice };
    let named = workflows::Named { reference: refund.reference.clone() };
    begin(tx, core, &plan, &named).await.map(drop)
}

/// Finds refunds that were begun and given up, so that they do not keep their amount for ever.
pub(crate) async fn settle_abandoned(core: &Core) -> Result<(), Error> {
    let mut tx = core.db.begin().await?;
    for refund in store::abandoned(&mut tx, workflows::KIND, workflows::SETTLE).await? {
        settle(&mut tx, core, &refund).await?;
    }
    tx.commit().await
}
