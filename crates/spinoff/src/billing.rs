use api::{BooksCheck, ChargeDifference, DryRun, InvoicePreview};
use clap::Subcommand;
use domain::{Cents, Month};

use crate::context::Context;
use crate::dunning;
use crate::failure::{Doing as _, Exit, Failure};
use crate::follow::{Patience, follow};
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
        Command::Check => check(context).await,
        Command::Differences { closed } => {
            let what = || "can't show the differences".to_owned();
            let found = context.client()?.charge_differences(closed).await.doing(what)?;
            context.output.show(&found, || differences(&found.data))
        }
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
