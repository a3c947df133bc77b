use api::{Client, Message, MessageFilter, MessageState, NewSuppression, Paging, Suppression};
use clap::Subcommand;
use domain::Email;

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
    /// Send somebody no more mail that is not about their own account
    #[command(
        after_help = "For whoever asked you for it. Each such mail has a link with which its reader does so alone. What an
account needs is sent all the same: sign-in codes, bills and the like.

Examples:
  spinoff mail suppress ada@example.com"
    )]
    Suppress {
        /// Whose address
        email: Email,
    },
    /// List who gets no such mail
    #[command(after_help = "Examples:
  spinoff mail suppressions
  spinoff mail suppressions --json | jq -r '.data[].email'")]
    Suppressions,
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
        Command::Suppress { email } => {
            let what = || format!("can't keep mail from {email}");
            let new = NewSuppression { email: email.clone() };
            let found = client.suppress(&new).await.doing(what)?;
            context.output.report(&found, format!("{email} gets what their account needs, and nothing else"))
        }
        Command::Suppressions => suppressions(context, &client).await,
    }
}

async fn list(context: &Context, client: &Client, failed: bool, limit: u32) -> Result<(), Failure> {
    let filter = MessageFilter { state: failed.then_some(MessageState::Failed) };
    let paging = Paging { cursor: None, limit: Some(limit) };
    let page = client.messages(&filter, &paging).await.doing(|| "can't list the mails".to_owned())?;
    let headings = ["MAIL", "TO", "SUBJECT", "STATE", "TRIED", "WRITTEN", "NEXT TRY", "ERROR"];
    context.output.show(&page, || table(&headings, page.data.iter().map(row)))
}

async fn suppressions(context: &Context, client: &Client) -> Result<(), Failure> {
    let page = Client::every(async |paging| client.suppressions(&paging).await)
        .await
        .doing(|| "can't list who gets no mail".to_owned())?;
    let row = |one: &Suppression| [one.email.to_string(), moment(one.since), one.asked_by.clone()];
    context.output.show(&page, || table(&["ADDRESS", "SINCE", "ASKED BY"], page.data.iter().map(row)))
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
