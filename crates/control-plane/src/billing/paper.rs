//! An invoice as people read it: on a page, on paper, and in a spreadsheet.

use std::fmt::Write as _;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use billing::ledger::{Account, Kind, Transaction};
use billing::{Invoice, LineKind, Party};
use domain::{Cents, CustomerId};
use jiff::Timestamp;
use jiff::civil::Date;
use pages::{AmountRow, HowToPay, InvoiceLine, InvoiceRow, InvoiceView, PartyView, PaymentRow, Standing};
use papers::InvoicePaper;
use providers::payments::DisputeState;

use super::invoices::{InvoiceState, Issued, day_of};
use super::{accounts, collection, disputes, payments, refunds, rounds};
use crate::app::{App, Core};
use crate::error::AppError;
use crate::instances::Instance;

pub(crate) const fn standing(state: InvoiceState) -> Standing {
    match state {
        InvoiceState::Open => Standing::Open,
        InvoiceState::Overdue => Standing::Overdue,
        InvoiceState::Paid => Standing::Paid,
        InvoiceState::WrittenOff => Standing::WrittenOff,
    }
}

/// An invoice in a list, with everything of it below an address.
pub(crate) fn row(issued: Issued, today: Date, below: &str) -> InvoiceRow {
    let url = format!("{below}/{}", issued.number);
    InvoiceRow {
        period: issued.period.to_string(),
        total: issued.total,
        open: issued.outstanding,
        standing: standing(issued.state(today)),
        due: issued.due,
        pdf_url: format!("{url}/pdf"),
        csv_url: format!("{url}/csv"),
        url,
        number: issued.number,
    }
}

/// What there is to be done about what is open: nothing before a card is charged, a page that takes the payment once
/// that failed; without cards a transfer that names the invoice. `url` is the invoice's page.
pub(crate) async fn how_to_pay(core: &Core, issued: &Issued, url: &str) -> Result<HowToPay, AppError> {
    if issued.outstanding <= Cents::ZERO {
        return Ok(HowToPay::Nothing);
    }
    if !core.drivers.payments.charges() {
        return Ok(HowToPay::Transfer(transfer(core, &issued.number)));
    }
    let ledger = accounts::read(&core.db, issued.customer).await?;
    if rounds::lost(&ledger).map_err(AppError::internal)?.contains_key(issued.number.as_str()) {
        return Ok(HowToPay::Online { url: format!("{url}/pay"), because: Some(TAKEN_BACK.to_owned()) });
    }
    let failures = collection::store::failures(&core.db, issued.customer, &issued.number).await?;
    let Some(last) = failures.last() else { return Ok(HowToPay::Automatic(CHARGED.to_owned())) };
    let because = format!(
        "The last charge, on {}, failed: {}.",
        day_of(last.failed_at).strftime("%-d %B %Y"),
        last.reason.trim_end_matches('.')
    );
    Ok(HowToPay::Online { url: format!("{url}/pay"), because: Some(because) })
}

/// What a customer reads of an invoice whose payment a bank took back.
pub(super) const TAKEN_BACK: &str = "Your bank took the payment for it back, so that it is to be paid again.";
const PAY_NOW: &str = "You can pay it at once on the invoice's page, with the same card or another one.";
const CHARGED: &str = "It is charged to your card; there is nothing for you to do.";

/// The same of one that was just issued, a paragraph each.
pub(crate) fn in_paragraphs(core: &Core, number: &str) -> Vec<String> {
    if core.drivers.payments.charges() { vec![CHARGED.to_owned()] } else { transfer(core, number) }
}

/// What to do about an invoice that is late, a paragraph each.
pub(super) fn when_late(core: &Core, number: &str) -> Vec<String> {
    if core.drivers.payments.charges() { vec![PAY_NOW.to_owned()] } else { transfer(core, number) }
}

/// How an invoice is paid by transfer, a paragraph each.
fn transfer(core: &Core, number: &str) -> Vec<String> {
    let naming = format!("Please name the invoice when you pay: {number}.");
    core.settings.billing.how_to_pay.iter().cloned().chain([naming]).collect()
}

/// What a customer has of credit.
pub(crate) async fn credit(app: &App, customer: CustomerId) -> Result<Cents, AppError> {
    let ledger = accounts::read(&app.db, customer).await?;
    ledger.credit().map_err(AppError::internal)
}

pub(crate) async fn view(
    app: &App,
    instance: &Instance,
    issued: &Issued,
    invoice: &Invoice,
) -> Result<InvoiceView, AppError> {
    let amounts = |what: &str, amount| AmountRow { what: what.to_owned(), amount };
    let mut connection = app.db.read().acquire().await?;
    let questioned = disputes::store::of(&mut connection, issued.customer, &issued.number).await?;
    drop(connection);
    let is_owed = issued.outstanding > Cents::ZERO;
    Ok(InvoiceView {
        number: invoice.number.clone(),
        standing: standing(issued.state(day_of(app.clock.now()))),
        currency: invoice.currency.to_string(),
        workspace: app.shown_hostname(&instance.subdomain),
        period: invoice.period.to_string(),
        issued: invoice.issued,
        due: invoice.due,
        seller: party(&invoice.seller),
        buyer: party(&invoice.buyer),
        lines: invoice
            .lines
            .iter()
            .map(|line| InvoiceLine {
                what: line.description.clone(),
                quantity: (line.kind != LineKind::BaseFee).then_some(line.quantity),
                unit: line.unit,
                amount: line.amount,
            })
            .collect(),
        subtotal: invoice.subtotal,
        discounts: invoice
            .discounts
            .iter()
            .map(|discount| amounts(&discount.description, discount.taken.amount))
            .collect(),
        net: invoice.net,
        taxes: invoice.taxes.iter().map(|tax| amounts(&format!("{} {}", tax.name, tax.rate), tax.amount)).collect(),
        tax_exempt: invoice.tax_exempt.clone(),
        total: invoice.total,
        credit_applied: invoice.credit_applied,
        credits: invoice.credits.iter().map(|credit| amounts(&credit.description, credit.amount)).collect(),
        payments: paid(app, issued, &questioned).await?,
        notes: questioned.iter().filter_map(|kept| disputes::words::for_customer(&kept.dispute, is_owed)).collect(),
        open: issued.outstanding,
    })
}

/// The payments that were booked for this invoice, and what of them went back or was taken back, as it happened. An older
/// one may have been settled with them.
async fn paid(app: &App, issued: &Issued, questioned: &[disputes::Kept]) -> Result<Vec<PaymentRow>, AppError> {
    let ledger = accounts::read(&app.db, issued.customer).await?;
    let reason = payments::reason_of(&issued.number);
    let notes = accounts::store::notes(&app.db, issued.customer).await?;
    let named = |it: &&Transaction| notes.iter().any(|(id, _, why)| *id == it.id().as_str() && *why == reason);
    let paid = ledger.transactions().iter().filter(|it| it.kind() == Kind::Payment).filter(named);
    let refunds = refunds::store::of(&app.db, issued.customer, &issued.number).await?;
    let returned = refunds.into_iter().filter_map(|refund| {
        if refund.returned_at.is_some() {
            return None;
        }
        let (at, how) = (refund.booked_at?, format!("Given back: {}", refund.reason));
        Some((at, PaymentRow { on: day_of(at), how, amount: Cents::ZERO.checked_sub(refund.amount)? }))
    });
    let came = paid.map(|it| {
        let amount = Cents::ZERO.checked_sub(it.amount_on(Account::Receivable)).unwrap_or_default();
        (it.at(), PaymentRow { on: day_of(it.at()), how: format!("Payment, reference {}", it.reference()), amount })
    });
    let mut rows: Vec<_> = came.chain(returned).chain(questioned.iter().filter_map(kept_by_bank)).collect();
    rows.sort_by_key(|(at, _)| *at);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// What a bank took back and kept.
fn kept_by_bank(kept: &disputes::Kept) -> Option<(Timestamp, PaymentRow)> {
    let dispute = &kept.dispute;
    let is_booked = dispute.state == DisputeState::Lost && kept.problem.is_none();
    let (at, how) = (kept.ended_at.filter(|_| is_booked)?, "Taken back by the bank".to_owned());
    Some((at, PaymentRow { on: day_of(at), how, amount: Cents::ZERO.checked_sub(dispute.taken)? }))
}

fn party(party: &Party) -> PartyView {
    PartyView { name: party.name.clone(), address: party.address.clone(), tax_id: party.tax_id.clone() }
}

/// The paper, for printing and for the tax office.
pub(crate) async fn pdf(
    app: &App,
    instance: &Instance,
    issued: &Issued,
    invoice: &Invoice,
) -> Result<Response, AppError> {
    let how_to_pay = match how_to_pay(app, issued, "").await? {
        HowToPay::Nothing => Vec::new(),
        HowToPay::Transfer(paragraphs) => paragraphs,
        HowToPay::Automatic(paragraph) => vec![paragraph],
        HowToPay::Online { because, .. } => because.into_iter().chain([PAY_NOW.to_owned()]).collect(),
    };
    let workspace = app.shown_hostname(&instance.subdomain);
    let paper = InvoicePaper { invoice, workspace: &workspace, how_to_pay: &how_to_pay };
    let bytes = paper.to_pdf().map_err(AppError::internal)?;
    Ok(file(&invoice.number, "pdf", "application/pdf", bytes))
}

/// Lines and hours, for a spreadsheet.
pub(crate) fn csv(invoice: &Invoice) -> Response {
    file(&invoice.number, "csv", "text/csv; charset=utf-8", rows(invoice).into_bytes())
}

fn file(number: &str, suffix: &str, kind: &'static str, bytes: Vec<u8>) -> Response {
    let name = format!("attachment; filename=\"invoice-{number}.{suffix}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)], bytes).into_response()
}

/// A row for each line and each of its hours, as RFC 4180 has it.
fn rows(invoice: &Invoice) -> String {
    let mut text = String::from("invoice,kind,description,hour,quantity,unit,amount,currency\r\n");
    for line in &invoice.lines {
        let _ = write!(
            text,
            "{},line,{},,{},{},{},{}\r\n",
            invoice.number,
            quoted(&line.description),
            line.quantity,
            line.unit,
            line.amount,
            invoice.currency
        );
        for hour in line.hours.iter() {
            let _ = write!(text, "{},hour,,{},1,{},,{}\r\n", invoice.number, hour.start(), line.unit, invoice.currency);
        }
    }
    text
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
