use std::fs;
use std::path::PathBuf;

use api::{ChargeFailure, Client, Invoice, InvoiceFilter, InvoiceLine, InvoiceState, NewPayment};
use clap::Subcommand;
use domain::{Cents, CustomerId};
use jiff::civil::Date;
use serde_json::json;

use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};
use crate::money::amount;
use crate::output::{self, pairs, table, visible};

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
