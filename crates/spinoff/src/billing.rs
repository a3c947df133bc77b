use api::{BillPreview, BooksCheck, ChargeDifference, DryRun, InvoiceLine, InvoicePreview};
use clap::Subcommand;
use domain::{Cents, Month};
use jiff::Timestamp;

use crate::context::Context;
use crate::dunning;
use crate::failure::{Doing as _, Exit, Failure};
use crate::follow::{Patience, follow};
use crate::margin;
use crate::output::{or_dash, table, visible};

/// What can be done about invoices as a whole.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Issue the invoices of all periods that are over
    #[command(
        after_help = "The server does this by itself, once a day. Each period gets its invoice once, however often
this is run. With --month, late reports are not waited for; what comes later is on the next invoice.

Exit codes: 0 done, 1 failed, 4 the month is not over, 5 not done in time.

Examples:
  spinoff billing close --month 2026-11 --dry-run
  spinoff billing close --month 2026-11
  spinoff billing close --dry-run --json | jq '.invoices[] | select(.problem)'"
    )]
    Close {
        /// Everything up to the end of this month [default: what has waited for late reports]
        #[arg(long, value_name = "YYYY-MM")]
        month: Option<Month>,
        /// Only show what would be issued, beside what was issued before
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        patience: Patience,
    },
    /// Show the invoice that an instance would get if the running period ended now
    #[command(
        after_help = "Coupons, credit and taxes included; nothing is issued. `spinoff spending show` says what the period
comes to if it goes on like this.

Exit codes: 0 shown, 1 no invoice could be made, 3 no such instance, 4 nothing is charged for it any more.

Examples:
  spinoff billing preview acme
  spinoff billing preview acme --json | jq .invoice.amount_due"
    )]
    Preview {
        /// Id, project name or subdomain
        instance: String,
    },
    /// Compute every invoice and every book again, and compare
    #[command(after_help = "Exit codes: 0 everything adds up, 1 something does not.

Examples:
  spinoff billing check
  spinoff billing check --json | jq -r '.problems[]'")]
    Check,
    /// Show where the payment provider says something else than the books
    #[command(after_help = "They are compared once a day, with the closing, where the provider charges invoices.

Examples:
  spinoff billing differences
  spinoff billing differences --closed --json | jq '.data[] | .reason'")]
    Differences {
        /// Those that are not seen any more, instead
        #[arg(long)]
        closed: bool,
    },
    /// Show what is left of each customer's revenue after what serving them costs, and how near providers' limits are
    #[command(
        after_help = "Worst first; what is not known is shown as unknown, and why. Costs are read at the providers about once
an hour. The console shows the same under Money, Costs and margins.

Exit codes: 0 shown, 4 the month is still to come.

Examples:
  spinoff billing margin
  spinoff billing margin --month 2026-11
  spinoff billing margin --month 2026-11 --json | jq '.customers[] | select(.margin_permille < 800) | .name'
  spinoff billing margin --json | jq '.limits[] | {name, used, limit, notices}'"
    )]
    Margin {
        /// The month [default: the one before the present]
        #[arg(long, value_name = "YYYY-MM")]
        month: Option<Month>,
    },
    /// See and pause what happens to customers who do not pay
    #[command(subcommand)]
    Dunning(dunning::Command),
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Close { month, dry_run: true, .. } => {
            let what = || "can't say what would be invoiced".to_owned();
            let found = context.client()?.preview_closing(month).await.doing(what)?;
            context.output.show(&found, || in_words(&found))
        }
        Command::Close { month, dry_run: false, patience } => close(context, month, &patience).await,
        Command::Preview { instance } => preview(context, &instance).await,
        Command::Check => check(context).await,
        Command::Differences { closed } => {
            let what = || "can't show the differences".to_owned();
            let found = context.client()?.charge_differences(closed).await.doing(what)?;
            context.output.show(&found, || differences(&found.data))
        }
        Command::Margin { month } => margin::show(context, month).await,
        Command::Dunning(command) => dunning::run(context, command).await,
    }
}

fn differences(found: &[ChargeDifference]) -> String {
    let row = |it: &ChargeDifference| {
        [
            it.invoice.clone(),
            it.since.strftime("%Y-%m-%d").to_string(),
            or_dash(it.closed_at.map(|at| at.strftime("%Y-%m-%d").to_string())),
            it.reason.clone(),
        ]
    };
    table(&["INVOICE", "SINCE", "UNTIL", "WHAT DIFFERS"], found.iter().map(row))
}

async fn close(context: &Context, month: Option<Month>, patience: &Patience) -> Result<(), Failure> {
    let client = context.client()?;
    let accepted = client.close_periods(month).await.doing(|| "can't issue the invoices".to_owned())?;
    if patience.no_wait {
        let id = accepted.workflow_id;
        let words = format!("invoices are being issued; follow it with `spinoff workflows show {id}`");
        return context.output.report(&accepted, words);
    }
    let failed = "the invoices were not all issued";
    let workflow = follow(&client, context.output, accepted.workflow_id, failed, patience).await?;
    context.output.report(&workflow, "every period that is over has its invoice; `spinoff invoices list` shows them")
}

async fn preview(context: &Context, instance: &str) -> Result<(), Failure> {
    let what = || format!("can't say what {instance} would be invoiced");
    let found = context.client()?.preview_bill(instance).await.doing(what)?;
    context.output.show(&found, || bill(&found))?;
    match &found.invoice.problem {
        None => Ok(()),
        Some(problem) => Err(Failure::new(Exit::Failed, what(), visible(problem.clone()))),
    }
}

fn bill(found: &BillPreview) -> String {
    let BillPreview { currency, invoice, lines, credits } = found;
    let price = |amount: Cents| amount.priced(currency);
    let day = |at: Option<Timestamp>| or_dash(at.map(|at| at.strftime("%Y-%m-%d %H:00").to_string()));
    let period = format!("{} to {} UTC", day(invoice.period_start), day(invoice.period_end));
    let line = |line: &InvoiceLine| {
        [line.description.clone(), line.quantity.to_string(), price(line.unit), price(line.amount)]
    };
    let sum = |name: &str, amount| [name.to_owned(), String::new(), String::new(), price(amount)];
    let mut rows: Vec<_> = lines.iter().map(line).collect();
    rows.push(sum("Total with taxes", invoice.total));
    rows.push(sum("To be paid, less credit", invoice.amount_due));
    rows.extend(credits.iter().map(|credit| sum(&credit.description, credit.amount)));
    rows.extend(invoice.previous_total.map(|total| sum("The invoice before", total)));
    format!("{period}\n\n{}\nNothing was issued.\n", table(&["LINE", "QUANTITY", "EACH", "AMOUNT"], rows))
}

async fn check(context: &Context) -> Result<(), Failure> {
    let found = context.client()?.check_books().await.doing(|| "can't check the books".to_owned())?;
    context.output.show(&found, || verdict(&found))?;
    match found.problems.len() {
        0 => Ok(()),
        number => Err(Failure::new(Exit::Failed, "the books do not add up", format!("problems: {number}"))),
    }
}

fn verdict(found: &BooksCheck) -> String {
    let BooksCheck { invoices, transactions, owed, currency, problems } = found;
    let counted = format!("{invoices} invoices computed again, {transactions} transactions replayed.\n");
    let owed = format!("Customers owe {}.\n", owed.priced(currency));
    let problems: String = problems.iter().map(|problem| format!("- {}\n", visible(problem.clone()))).collect();
    if problems.is_empty() {
        format!("{counted}{owed}Everything adds up.\n")
    } else {
        format!("{counted}{owed}{problems}")
    }
}

fn in_words(found: &DryRun) -> String {
    let price = |amount: Cents| amount.priced(&found.currency);
    let row = |preview: &InvoicePreview| {
        let InvoicePreview { instance_id, period_start, hours, total, previous_total, problem, .. } = preview;
        let change = previous_total.and_then(|previous| total.checked_sub(previous));
        [
            instance_id.to_string(),
            or_dash(period_start.map(|at| at.strftime("%Y-%m-%d").to_string())),
            hours.to_string(),
            price(*total),
            or_dash(previous_total.map(price)),
            or_dash(change.map(price)),
            or_dash(problem.as_ref()),
        ]
    };
    let headings = ["INSTANCE", "PERIOD FROM", "HOURS", "TOTAL", "BEFORE", "CHANGE", "PROBLEM"];
    let number = found.invoices.len();
    let total = price(found.total);
    format!(
        "{}\n{number} invoices, {total} together. Nothing was issued.\n",
        table(&headings, found.invoices.iter().map(row))
    )
}
