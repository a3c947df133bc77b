//! `spinoff spend`: what was spent to win customers.

use api::{NewSpend, Spend};
use clap::Subcommand;
use domain::{Cents, Month};

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::money::amount;
use crate::output::{or_dash, table};
use crate::when::moment;

/// What can be done about it.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Enter what was spent in a month
    #[command(
        after_help = "It is shared by the customers who pay for the first time for the month, and becomes the cost of winning
one in `spinoff analytics`. Enter 0 for a month in which nothing was spent. With --key, running the same line again enters
nothing twice.

Exit codes: 0 it is entered, 4 something of it is refused.

Examples:
  spinoff spend add --month 2026-11 --amount 250.00 --for 'search ads'
  spinoff spend add --month 2026-11 --amount 250 --for 'search ads' --key invoice-4711"
    )]
    Add {
        /// For which month it counts
        #[arg(long, value_name = "YYYY-MM")]
        month: Month,
        /// How much, in the plan's currency: 250.00
        #[arg(long, value_parser = amount)]
        amount: Cents,
        /// For what, in a few words
        #[arg(long = "for", value_name = "WORDS")]
        purpose: String,
        /// Names the entry, so that it is entered once
        #[arg(long)]
        key: Option<String>,
    },
    /// List what was entered, the latest month first
    #[command(after_help = "Examples:
  spinoff spend list
  spinoff spend list --month 2026-11 --json | jq '[.data[] | select(.taken_back_at == null) | .amount] | add'")]
    List {
        /// Only what counts for this month
        #[arg(long, value_name = "YYYY-MM")]
        month: Option<Month>,
    },
    /// Take an entry back that was a mistake; it stays on the list and counts for nothing
    #[command(after_help = "Exit codes: 0 it is taken back, 3 no such entry.

Examples:
  spinoff spend take-back spd_01k9x0a4q7e8r9t0v1w2x3y4z5")]
    TakeBack {
        /// Id of the entry
        id: String,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::Add { month, amount, purpose, key } => {
            let new = NewSpend { month, amount, purpose };
            let entry = client.add_spend(&new, key.as_deref()).await.doing(|| "can't enter it".to_owned())?;
            context.output.report(&entry, format!("{} for {} is entered: {}", entry.amount, entry.month, entry.id))
        }
        Command::List { month } => {
            let page = client.spend(month).await.doing(|| "can't list what was spent".to_owned())?;
            let headings = ["ENTRY", "MONTH", "AMOUNT", "FOR", "ENTERED", "BY", "TAKEN BACK"];
            context.output.show(&page, || table(&headings, page.data.iter().map(row)))
        }
        Command::TakeBack { id } => {
            let entry = client.take_spend_back(&id).await.doing(|| format!("can't take back {id}"))?;
            context.output.report(&entry, format!("{} for {} counts for nothing now", entry.amount, entry.month))
        }
    }
}

fn row(entry: &Spend) -> [String; 7] {
    [
        entry.id.to_string(),
        entry.month.to_string(),
        entry.amount.to_string(),
        entry.purpose.clone(),
        moment(entry.entered_at),
        entry.entered_by.clone(),
        or_dash(entry.taken_back_at.map(moment)),
    ]
}
