use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use billing::Invoice;
use billing::ledger::{Account, Kind, Transaction};
use domain::{Cents, OperatorRole, WorkflowId};
use pages::console::{ConfirmWriteOff, ConsoleInvoice, CreditForm, DunningView, HistoryRow, PaymentForm};
use serde::Deserialize;

use super::super::console_shell;
use super::{customer_url, invoice_url, name, refund};
use crate::app::App;
use crate::billing::invoices::{self, Issued, day_of};
use crate::billing::payments::{self, Credit, Payment};
use crate::billing::{accounts, collection, disputes, dunning, figures, paper, refunds};
use crate::error::{AppError, refused};
use crate::instances::{self, Instance};
use crate::person::{Owner, Person, Reader, Supporter};
use crate::site::PageError;

/// An invoice with the instance that it is for.
pub(super) struct Found {
    pub issued: Issued,
    invoice: Invoice,
    instance: Instance,
}

pub(super) async fn find(app: &App, number: &str) -> Result<Found, AppError> {
    let mut connection = app.db.read().acquire().await?;
    let found = invoices::store::find(&mut connection, number).await?;
    drop(connection);
    let (issued, invoice) = found.ok_or(AppError::NotFound)?;
    let instance = instances::store::find(&app.db, issued.instance).await?.ok_or(AppError::NotFound)?;
    Ok(Found { issued, invoice, instance })
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(person): Reader,
    Path(number): Path<String>,
) -> Result<Html<String>, PageError> {
    let found = find(&app, &number).await?;
    Ok(Html(page(&app, &person, &found, Entered::default()).await?))
}

pub(crate) async fn pdf(
    State(app): State<App>,
    Reader(_): Reader,
    Path(number): Path<String>,
) -> Result<Response, PageError> {
    let Found { issued, invoice, instance } = find(&app, &number).await?;
    Ok(paper::pdf(&app, &instance, &issued, &invoice).await?)
}

pub(crate) async fn csv(
    State(app): State<App>,
    Reader(_): Reader,
    Path(number): Path<String>,
) -> Result<Response, PageError> {
    Ok(paper::csv(&find(&app, &number).await?.invoice))
}

/// Forms that were refused, as they were filled in.
#[derive(Default)]
struct Entered {
    payment: Option<PaymentForm>,
    credit: Option<CreditForm>,
}

async fn page(app: &App, person: &Person, found: &Found, entered: Entered) -> Result<String, AppError> {
    let Found { issued, invoice, instance } = found;
    let now = app.clock.now();
    let url = invoice_url(&issued.number);
    let payment = entered.payment.unwrap_or_else(|| PaymentForm {
        amount: issued.outstanding.to_string(),
        on: day_of(now).to_string(),
        ..PaymentForm::default()
    });
    let credit = entered.credit.unwrap_or_else(|| CreditForm {
        reference: WorkflowId::new(now, app.entropy.bytes()).to_string(),
        ..CreditForm::default()
    });
    let is_charged = issued.outstanding > Cents::ZERO && app.drivers.payments.charges();
    let page = ConsoleInvoice {
        shell: console_shell(app, &format!("Invoice {}", issued.number), person),
        invoice: paper::view(app, instance, issued, invoice).await?,
        pdf_url: format!("{url}/pdf"),
        invoice_url: url.clone(),
        customer: name(app, issued.customer).await?,
        customer_url: customer_url(issued.customer),
        dunning: reminding(app, issued).await?,
        charge_url: is_charged.then(|| format!("{url}/charge")),
        refund_url: refund::is_possible(app, person, issued).await?.then(|| format!("{url}/refund")),
        history: history(app, issued).await?,
        payment,
        credit,
        may_change: person.role >= Some(OperatorRole::Support),
    };
    Ok(page.render())
}

/// How far reminding has come with the customer, while something is owed or they are left alone.
async fn reminding(app: &App, issued: &Issued) -> Result<Option<DunningView>, AppError> {
    let found = dunning::view(app, issued.customer).await?;
    let owes = issued.outstanding > Cents::ZERO;
    let none = || owes.then(|| DunningView { now: "Nobody was reminded yet.".to_owned(), next: None, paused: false });
    let Some(view) = found else { return Ok(none()) };
    let next = view.next.and_then(|(what, at)| Some((what.to_owned(), at?)));
    let waits =
        if view.disputed { " A bank has a payment in dispute; until it has decided, time stands still." } else { "" };
    let shown = DunningView { now: format!("{}{waits}", view.now), next, paused: view.paused };
    Ok((owes || view.paused).then_some(shown))
}

pub(crate) async fn pause(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(number): Path<String>,
) -> Result<Redirect, PageError> {
    let customer = find(&app, &number).await?.issued.customer;
    dunning::pause::pause(&app, customer, person.email.as_str()).await?;
    Ok(Redirect::to(&invoice_url(&number)))
}

pub(crate) async fn unpause(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(number): Path<String>,
) -> Result<Redirect, PageError> {
    let customer = find(&app, &number).await?.issued.customer;
    dunning::pause::unpause(&app, customer, person.email.as_str()).await?;
    Ok(Redirect::to(&invoice_url(&number)))
}

pub(crate) async fn charge(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(number): Path<String>,
) -> Result<Redirect, PageError> {
    let workflow = collection::again(&app, &number, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/workflows/{workflow}")))
}

/// What the customer's book says of an invoice, and what failed of it, newest first.
async fn history(app: &App, issued: &Issued) -> Result<Vec<HistoryRow>, AppError> {
    let ledger = accounts::read(&app.db, issued.customer).await?;
    let notes = accounts::store::notes(&app.db, issued.customer).await?;
    let payment = payments::reason_of(&issued.number);
    let of_invoice = |transaction: &&Transaction| {
        transaction.reference() == issued.number
            || notes.iter().any(|(id, _, reason)| *id == transaction.id().as_str() && *reason == payment)
    };
    let row = |transaction: &Transaction| HistoryRow {
        at: transaction.at(),
        what: what(transaction, &issued.currency),
        by: notes
            .iter()
            .find(|(id, ..)| *id == transaction.id().as_str())
            .map(|(_, author, _)| author.clone())
            .unwrap_or_default(),
    };
    let failures = collection::store::failures(&app.db, issued.customer, &issued.number).await?;
    let failed = failures.into_iter().map(|failure| HistoryRow {
        at: failure.failed_at,
        what: format!("Charge failed: {}, {}", failure.amount.priced(&issued.currency), failure.reason),
        by: app.drivers.payments.name().to_owned(),
    });
    let mut connection = app.db.read().acquire().await?;
    let questioned = disputes::store::of(&mut connection, issued.customer, &issued.number).await?;
    drop(connection);
    let given = refunds::store::of(&app.db, issued.customer, &issued.number).await?;
    let mut rows: Vec<_> = ledger.transactions().iter().rev().filter(of_invoice).map(row).chain(failed).collect();
    rows.extend(refund::history(&given, &issued.currency));
    rows.extend(questioned.iter().map(|kept| refund::questioned(app, kept)));
    rows.sort_by_key(|row| std::cmp::Reverse(row.at));
    Ok(rows)
}

fn what(transaction: &Transaction, currency: &str) -> String {
    let amount = match transaction.kind() {
        Kind::CreditGranted => figures::credited(transaction),
        Kind::DisputeOpened | Kind::DisputeWon => transaction.amount_on(Account::Disputed),
        _ => transaction.amount_on(Account::Receivable),
    };
    let amount = if amount < Cents::ZERO { Cents::ZERO.checked_sub(amount).unwrap_or(amount) } else { amount };
    format!("{}: {}, {}", transaction.kind().in_words(), amount.priced(currency), transaction.reference())
}

/// A payment as it was entered.
#[derive(Deserialize)]
pub(crate) struct Paid {
    amount: String,
    reference: String,
    on: String,
}

pub(crate) async fn pay(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(number): Path<String>,
    Form(paid): Form<Paid>,
) -> Result<Response, PageError> {
    match book(&app, &number, &paid, person.email.as_str()).await {
        Ok(()) => Ok(Redirect::to(&invoice_url(&number)).into_response()),
        Err(error) => {
            let error = Some(error.about_what_was_entered()?);
            let Paid { amount, reference, on } = paid;
            let entered = Entered { payment: Some(PaymentForm { amount, reference, on, error }), credit: None };
            again(&app, &person, &number, entered).await
        }
    }
}

async fn book(app: &App, number: &str, paid: &Paid, by: &str) -> Result<(), AppError> {
    let received = paid.on.parse().map_err(|_| {
        refused(422, &format!("{:?} is not a day", paid.on), "Give the day on which it arrived, such as 2026-12-09.")
    })?;
    let payment = Payment { amount: cents(&paid.amount)?, reference: &paid.reference, received: Some(received) };
    payments::pay(app, number, &payment, by).await?;
    Ok(())
}

/// A credit as it was entered.
#[derive(Deserialize)]
pub(crate) struct Granted {
    amount: String,
    reason: String,
    reference: String,
}

pub(crate) async fn give_credit(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(number): Path<String>,
    Form(granted): Form<Granted>,
) -> Result<Response, PageError> {
    let customer = find(&app, &number).await?.issued.customer;
    let given = async {
        let credit = Credit { amount: cents(&granted.amount)?, reference: &granted.reference, reason: &granted.reason };
        payments::give_credit(&app, customer, &credit, person.email.as_str()).await
    };
    match given.await {
        Ok(()) => Ok(Redirect::to("/admin/money#credits").into_response()),
        Err(error) => {
            let error = Some(error.about_what_was_entered()?);
            let Granted { amount, reason, reference } = granted;
            let entered = Entered { payment: None, credit: Some(CreditForm { amount, reason, reference, error }) };
            again(&app, &person, &number, entered).await
        }
    }
}

async fn again(app: &App, person: &Person, number: &str, entered: Entered) -> Result<Response, PageError> {
    let html = page(app, person, &find(app, number).await?, entered).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(html)).into_response())
}

pub(super) fn cents(text: &str) -> Result<Cents, AppError> {
    Cents::parse(text).map_err(|error| refused(422, &error.to_string(), "Correct the amount."))
}

pub(crate) async fn confirm_write_off(
    State(app): State<App>,
    Owner(person): Owner,
    Path(number): Path<String>,
) -> Result<Html<String>, PageError> {
    Ok(Html(question(&app, &person, &number, String::new(), None).await?))
}

/// What confirms that nothing more is expected of an invoice.
#[derive(Deserialize)]
pub(crate) struct WrittenOff {
    reason: String,
    confirmation: String,
}

pub(crate) async fn write_off(
    State(app): State<App>,
    Owner(person): Owner,
    Path(number): Path<String>,
    Form(form): Form<WrittenOff>,
) -> Result<Response, PageError> {
    let written = if form.confirmation.trim() == number {
        payments::write_off(&app, &number, &form.reason, person.email.as_str()).await.map(|_| ())
    } else {
        Err(refused(422, "That is not the number of the invoice", "Nothing was written off; type it as it stands."))
    };
    match written {
        Ok(()) => Ok(Redirect::to(&invoice_url(&number)).into_response()),
        Err(error) => {
            let html = question(&app, &person, &number, form.reason, Some(error.about_what_was_entered()?)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(html)).into_response())
        }
    }
}

async fn question(
    app: &App,
    person: &Person,
    number: &str,
    reason: String,
    error: Option<String>,
) -> Result<String, AppError> {
    let Found { issued, .. } = find(app, number).await?;
    let url = invoice_url(number);
    let page = ConfirmWriteOff {
        shell: console_shell(app, "Write off", person),
        number: number.to_owned(),
        customer: name(app, issued.customer).await?,
        open: issued.outstanding.priced(&issued.currency),
        reason,
        error,
        action: format!("{url}/write-off"),
        back_url: url,
    };
    Ok(page.render())
}
