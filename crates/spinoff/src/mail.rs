use api::{Client, Message, MessageFilter, MessageState, Paging};
use clap::Subcommand;

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{or_dash, table};
use crate::when::moment;

/// What can be done about mail.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the mails, newest first, without what they say
    #[command(after_help = "Examples:
  spinoff mail list
  spinoff mail list --failed --json | jq -r '.data[].id'")]
    List {
        /// Only those that were given up
        #[arg(long)]
        failed: bool,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// Try a mail that was not delivered again now, also where its address bounced
    #[command(after_help = "Examples:
  spinoff mail retry msg_01k9x0a4q7e8r9t0v1w2x3y4z5")]
    Retry {
        /// Id of the mail
        id: String,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::List { failed, limit } => list(context, &client, failed, limit).await,
        Command::Retry { id } => {
            let message = client.retry_message(&id).await.doing(|| format!("can't retry mail {id}"))?;
            context.output.report(&message, format!("mail {id} to {} is tried again", message.to))
        }
    }
}

async fn list(context: &Context, client: &Client, failed: bool, limit: u32) -> Result<(), Failure> {
    let filter = MessageFilter { state: failed.then_some(MessageState::Failed) };
    let paging = Paging { cursor: None, limit: Some(limit) };
    let page = client.messages(&filter, &paging).await.doing(|| "can't list the mails".to_owned())?;
    let headings = ["MAIL", "TO", "SUBJECT", "STATE", "TRIED", "WRITTEN", "NEXT TRY", "ERROR"];
    context.output.show(&page, || table(&headings, page.data.iter().map(row)))
}

fn row(message: &Message) -> [String; 8] {
    let Message { id, to, subject, state, attempts, error, created_at, due_at } = message;
    [
        id.to_string(),
        to.to_string(),
        subject.clone(),
        state.as_str().to_owned(),
        attempts.to_string(),
        moment(*created_at),
        or_dash(due_at.map(moment)),
        or_dash(error.as_ref()),
    ]
}
