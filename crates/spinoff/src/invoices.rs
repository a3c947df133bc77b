use std::fs;
use std::path::PathBuf;

use api::{
    ChargeFailure, Client, Dispute, Invoice, InvoiceFilter, InvoiceLine, InvoiceState, NewPayment, NewRefund, Refund,
};
use clap::Subcommand;
use domain::{Cents, CustomerId};
use jiff::civil::Date;
use serde_json::json;

use crate::confirm::Asked;
use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};
use crate::money::amount;
use crate::output::{self, or_dash, pairs, table, visible};

/// What can be done about invoices.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the invoices, newest first
    #[command(after_help = "Examples:
  spinoff invoices list --state overdue
  spinoff invoices list --instance acme
  spinoff invoices list --json | jq '[.data[].outstanding] | add'")]
    List {
        /// Only those of this instance: id, project name or subdomain
        #[arg(long)]
        instance: Option<String>,
        /// Only those of this customer
        #[arg(long, value_name = "ID")]
        customer: Option<CustomerId>,
        /// Only those that stand there: open, overdue, paid or written_off
        #[arg(long, value_parser = state)]
        state: Option<InvoiceState>,
    },
    /// Show one invoice with its lines
    #[command(after_help = "With --json, `document` is the invoice as it is stored and computed again by
`spinoff billing check`.

Examples:
  spinoff invoices show 2026-000123
  spinoff invoices show 2026-000123 --json | jq .document.lines")]
    Show {
        /// Its number
        number: String,
    },
    /// Save one invoice as PDF, or its lines and hours as CSV
    #[command(after_help = "Exit codes: 0 it is saved, 1 the file can't be written, 3 no such invoice.

Examples:
  spinoff invoices save 2026-000123
  spinoff invoices save 2026-000123 --csv
  spinoff invoices save 2026-000123 - | lp")]
    Save {
        /// Its number
        number: String,
        /// Where to; replaced if it is there, and - is standard output [default: invoice-NUMBER.pdf]
        file: Option<PathBuf>,
        /// CSV instead of PDF
        #[arg(long)]
        csv: bool,
    },
    /// Book a payment that came in
    #[command(after_help = "The oldest open invoice of the customer is paid first, whichever is named. A payment is
booked once for each reference, however often the command is run.

Exit codes: 0 it is booked, 3 no such invoice, 4 the reference belongs to another payment.

Examples:
  spinoff invoices pay 2026-000123 --amount 17.00 --reference 'BANK 2026-12-03/17'
  spinoff invoices pay 2026-000123 --amount 17.00 --reference 'BANK 17' --received 2026-12-03")]
    Pay {
        /// Number of the invoice
        number: String,
        /// How much came, such as 17.00
        #[arg(long, value_parser = amount)]
        amount: Cents,
        /// What the bank calls it
        #[arg(long)]
        reference: String,
        /// The day it came [default: today, UTC]
        #[arg(long, value_name = "YYYY-MM-DD")]
        received: Option<Date>,
    },
    /// Have the payment provider charge an open invoice again
    #[command(after_help = "The first charge comes with the invoice. `spinoff invoices show` tells why it failed, and
whether this one went through.

Exit codes: 0 it is tried, 3 no such invoice, 4 nothing is left of it, or customers pay by hand.

Examples:
  spinoff invoices charge 2026-000123")]
    Charge {
        /// Number of the invoice
        number: String,
    },
    /// Give back a part of what was paid for an invoice
    #[command(
        after_help = "Where a card paid, the payment provider gives it back to that card; else you send the money,
and it is booked at once. What is given back contains its share of the taxes. The reference names the refund: it is
given back once, however often the command is run. On a terminal you are asked to type the amount, scripts give it
with --confirm.

Exit codes: 0 it is given back or under way, 3 no such invoice, 4 less is left of what was paid, or not confirmed.

Examples:
  spinoff invoices refund 2026-000123 --amount 5.00 --reference 'TICKET 17' --reason 'We had an outage.'
  spinoff invoices refund 2026-000123 --amount 5.00 --confirm 5.00 --reference 'TICKET 17' --reason 'We had an outage.'"
    )]
    Refund {
        /// Number of the invoice
        number: String,
        /// How much, with taxes, such as 5.00
        #[arg(long, value_parser = amount)]
        amount: Cents,
        /// Names it, such as the number of a ticket
        #[arg(long)]
        reference: String,
        /// Why, in one sentence; the customer reads it
        #[arg(long, value_name = "SENTENCE")]
        reason: String,
        /// The amount again, so that nothing has to be typed
        #[arg(long, value_name = "AMOUNT", value_parser = amount)]
        confirm: Option<Cents>,
    },
    /// List what was given back of an invoice
    #[command(after_help = "Examples:
  spinoff invoices refunds 2026-000123
  spinoff invoices refunds 2026-000123 --json | jq '.data[] | select(.booked_at == null)'")]
    Refunds {
        /// Number of the invoice
        number: String,
    },
    /// List payments that customers' banks question
    #[command(
        after_help = "While a bank holds a payment, its customer is not reminded and nothing is closed. What the bank
keeps is owed again on the invoice. Evidence is sent in the payment provider's dashboard; --json has its address, and
what the provider charges for the dispute.

Examples:
  spinoff invoices disputes
  spinoff invoices disputes --closed
  spinoff invoices disputes --json | jq -r '.data[] | select(.state == \"needs_response\") | .url'"
    )]
    Disputes {
        /// Those that are over, instead
        #[arg(long)]
        closed: bool,
    },
    /// Give up what is left of an invoice
    #[command(after_help = "Exit codes: 0 it is given up, 3 no such invoice, 4 nothing is left of it.

Examples:
  spinoff invoices write-off 2026-000123 --reason 'The company no longer exists.'")]
    WriteOff {
        /// Number of the invoice
        number: String,
        /// Why, in one sentence
        #[arg(long, value_name = "SENTENCE")]
        reason: String,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::List { instance, customer, state } => {
            list(context, &client, &InvoiceFilter { instance, customer, state }).await
        }
        Command::Show { number } => {
            let invoice = client.invoice(&number).await.doing(|| format!("can't show invoice {number}"))?;
            context.output.show(&invoice, || in_words(&invoice))
        }
        Command::Save { number, file, csv } => save(context, &client, &number, file, csv).await,
        Command::Pay { number, amount, reference, received } => {
            let payment = NewPayment { amount, reference, received_on: received };
            let what = || format!("can't book the payment for invoice {number}");
            let invoice = client.pay_invoice(&number, &payment).await.doing(what)?;
            context.output.report(&invoice, format!("{} is booked; {}", price(&invoice, amount), left(&invoice)))
        }
        Command::Charge { number } => {
            let what = || format!("can't charge invoice {number}");
            let accepted = client.charge_invoice(&number).await.doing(what)?;
            let id = accepted.workflow_id;
            let words = format!("invoice {number} is being charged; follow it with `spinoff workflows show {id}`");
            context.output.report(&accepted, words)
        }
        Command::Refund { number, amount, reference, reason, confirm } => {
            confirm_refund(&number, amount, confirm)?;
            let wanted = NewRefund { amount, reference, reason };
            let what = || format!("can't give back {amount} of invoice {number}");
            let refund = client.refund_invoice(&number, &wanted).await.doing(what)?;
            let words = match refund.booked_at {
                Some(_) => format!("{amount} of invoice {number} is given back"),
                None => format!(
                    "{amount} of invoice {number} is on its way back; `spinoff invoices refunds {number}` tells"
                ),
            };
            context.output.report(&refund, words)
        }
        Command::Refunds { number } => {
            let page =
                client.refunds(&number).await.doing(|| format!("can't list what went back of invoice {number}"))?;
            let headings = ["REFUND", "AMOUNT", "STATE", "WHEN", "BY", "WHY"];
            context.output.show(&page, || table(&headings, page.data.iter().map(refund_row)))
        }
        Command::Disputes { closed } => {
            let page = client.disputes(closed).await.doing(|| "can't list the disputes".to_owned())?;
            let headings = ["DISPUTE", "INVOICE", "AMOUNT", "STATE", "EVIDENCE BY", "WHY", "NEXT"];
            context.output.show(&page, || table(&headings, page.data.iter().map(dispute_row)))
        }
        Command::WriteOff { number, reason } => {
            let what = || format!("can't write off invoice {number}");
            let invoice = client.write_off_invoice(&number, &reason).await.doing(what)?;
            context.output.report(&invoice, format!("nobody waits for invoice {number} any more"))
        }
    }
}

async fn list(context: &Context, client: &Client, filter: &InvoiceFilter) -> Result<(), Failure> {
    let page = Client::every(async |paging| client.invoices(filter, &paging).await)
        .await
        .doing(|| "can't list the invoices".to_owned())?;
    let headings = ["INVOICE", "STATE", "TOTAL", "LEFT", "ISSUED", "DUE", "INSTANCE", "CUSTOMER"];
    context.output.show(&page, || table(&headings, page.data.iter().map(row)))
}

async fn save(
    context: &Context,
    client: &Client,
    number: &str,
    file: Option<PathBuf>,
    csv: bool,
) -> Result<(), Failure> {
    let what = || format!("can't save invoice {number}");
    let bytes = if csv { client.invoice_csv(number).await } else { client.invoice_pdf(number).await }.doing(what)?;
    let file = file.unwrap_or_else(|| format!("invoice-{number}.{}", if csv { "csv" } else { "pdf" }).into());
    if file.as_os_str() == "-" {
        return output::print_bytes(&bytes);
    }
    fs::write(&file, bytes).map_err(|cause| {
        let why = format!("{}: {cause}", file.display());
        Failure::new(Exit::Failed, what(), why).next("name a file in a folder that you may write to")
    })?;
    let words = format!("invoice {number} is saved in {}", file.display());
    context.output.report(&json!({"saved": file}), words)
}

fn confirm_refund(number: &str, amount: Cents, given: Option<Cents>) -> Result<(), Failure> {
    let word = amount.to_string();
    let asked = Asked {
        what: &format!("This gives back {word} of invoice {number}, and can't be taken back."),
        word: &word,
        word_is: "the amount",
        not_done: &format!("nothing of invoice {number} was given back"),
        purpose: "to give so much back",
    };
    asked.confirm(given.map(|given| given.to_string()))
}

fn refund_row(refund: &Refund) -> [String; 6] {
    let (state, at) = match (refund.returned_at.or(refund.withdrawn_at), refund.booked_at) {
        (Some(at), Some(_)) => ("came back", at),
        (Some(at), None) => ("given up", at),
        (None, Some(at)) => ("given back", at),
        (None, None) => ("on its way", refund.requested_at),
    };
    [
        visible(refund.reference.clone()),
        refund.amount.to_string(),
        state.to_owned(),
        at.strftime("%Y-%m-%d %H:%M").to_string(),
        visible(refund.author.clone()),
        visible(refund.reason.clone()),
    ]
}

fn dispute_row(dispute: &Dispute) -> [String; 7] {
    [
        visible(dispute.id.clone()),
        or_dash(dispute.invoice.as_ref()),
        dispute.amount.priced(&dispute.currency),
        dispute.state.clone(),
        or_dash(dispute.evidence_due.map(|due| due.strftime("%Y-%m-%d").to_string())),
        visible(dispute.reason_in_words.clone()),
        visible(dispute.next_step.clone()),
    ]
}

fn row(invoice: &Invoice) -> [String; 8] {
    [
        invoice.number.clone(),
        invoice.state.as_str().to_owned(),
        price(invoice, invoice.total),
        price(invoice, invoice.outstanding),
        invoice.issued_on.to_string(),
        invoice.due_on.to_string(),
        invoice.instance_id.to_string(),
        invoice.customer_id.to_string(),
    ]
}

fn in_words(invoice: &Invoice) -> String {
    let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:00").to_string();
    let about = pairs(&[
        ("invoice", invoice.number.clone()),
        ("state", invoice.state.as_str().to_owned()),
        ("period", format!("{} to {} UTC", day(invoice.period_start), day(invoice.period_end))),
        ("issued", invoice.issued_on.to_string()),
        ("due", invoice.due_on.to_string()),
        ("instance", invoice.instance_id.to_string()),
        ("customer", invoice.customer_id.to_string()),
    ]);
    let line = |line: &InvoiceLine| {
        let InvoiceLine { description, quantity, unit, amount, .. } = line;
        [description.clone(), quantity.to_string(), price(invoice, *unit), price(invoice, *amount)]
    };
    let sum = |name: &str, amount| [name.to_owned(), String::new(), String::new(), price(invoice, amount)];
    let mut rows: Vec<_> = invoice.lines.iter().map(line).collect();
    rows.push(sum("Total with taxes", invoice.total));
    rows.push(sum("To be paid, less credit", invoice.amount_due));
    rows.push(sum("Left to be paid", invoice.outstanding));
    rows.extend(invoice.credits.iter().map(|credit| sum(&credit.description, credit.amount)));
    let failed = |it: &ChargeFailure| {
        let ChargeFailure { amount, reason, failed_at } = it;
        let at = failed_at.strftime("%Y-%m-%d %H:%M");
        format!("{at} UTC: charging {} failed: {}\n", price(invoice, *amount), visible(reason.clone()))
    };
    let failures: String = invoice.charge_failures.iter().map(failed).collect();
    format!("{about}\n{}{failures}", table(&["LINE", "QUANTITY", "EACH", "AMOUNT"], rows))
}

fn left(invoice: &Invoice) -> String {
    match invoice.outstanding {
        Cents::ZERO => format!("invoice {} is paid", invoice.number),
        rest => format!("{} is left of invoice {}", price(invoice, rest), invoice.number),
    }
}

fn price(invoice: &Invoice, amount: Cents) -> String {
    amount.priced(&invoice.currency)
}

fn state(word: &str) -> Result<InvoiceState, String> {
    InvoiceState::ALL.into_iter().find(|state| state.as_str() == word).ok_or_else(|| {
        let words = InvoiceState::ALL.map(InvoiceState::as_str).join(", ");
        format!("choose one of {words}")
    })
}
