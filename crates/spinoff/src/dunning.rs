use api::Dunning;
use clap::Subcommand;
use domain::CustomerId;

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::when::moment;

/// What can be done about a customer who does not pay.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show how far it has come with a customer, and what comes next
    #[command(after_help = "Exit codes: 0 shown, 1 failed, 3 no such customer.

Examples:
  spinoff billing dunning show cus_01j9z3k4m5n6p7q8r9s0t1v2w3")]
    Show {
        /// The customer's id; `spinoff customers list` shows all
        customer: CustomerId,
    },
    /// Leave a customer alone: time stands still, and no reminder leaves
    #[command(after_help = "What is closed stays closed; write an invoice off, or give credit, to open it.

Exit codes: 0 it is paused, 1 failed, 3 no such customer.

Examples:
  spinoff billing dunning pause cus_01j9z3k4m5n6p7q8r9s0t1v2w3")]
    Pause {
        /// The customer's id
        customer: CustomerId,
    },
    /// Go on where it was left
    #[command(after_help = "Exit codes: 0 it goes on, 1 failed, 3 no such customer.

Examples:
  spinoff billing dunning unpause cus_01j9z3k4m5n6p7q8r9s0t1v2w3")]
    Unpause {
        /// The customer's id
        customer: CustomerId,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    let dunning = match command {
        Command::Show { customer } => client.dunning(customer).await.doing(|| format!("can't show {customer}")),
        Command::Pause { customer } => client.pause_dunning(customer).await.doing(|| format!("can't pause {customer}")),
        Command::Unpause { customer } => {
            client.unpause_dunning(customer).await.doing(|| format!("can't let it go on with {customer}"))
        }
    }?;
    context.output.show(&dunning, || in_words(&dunning))
}

fn in_words(dunning: &Dunning) -> String {
    let Dunning { stage, now, since, next, next_at, paused, disputed, .. } = dunning;
    let since = since.map_or(String::new(), |at| format!(", since {}", moment(at)));
    let mut text = format!("{stage}{since}: {now}\n");
    if let Some(next) = next {
        let at = next_at.map_or(String::new(), |at| format!(" ({})", moment(at)));
        text.push_str(&format!("next{at}: {next}\n"));
    }
    if *paused {
        text.push_str("paused: time stands still until `spinoff billing dunning unpause`\n");
    }
    if *disputed {
        text.push_str("disputed: time stands still until the bank has decided\n");
    }
    text
}
