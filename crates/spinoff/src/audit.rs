use api::{AuditEvent, Client, Paging};
use clap::Subcommand;

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::table;
use crate::when::moment;

/// What can be asked about changes.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the changes, newest first
    #[command(after_help = "Examples:
  spinoff audit list
  spinoff audit list --limit 200 --json")]
    List {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let Command::List { limit } = command;
    let page = newest(&context.client()?, limit).await?;
    context.output.show(&page, || table(&["WHEN", "WHO", "WHAT", "TO WHAT", "DETAIL"], page.data.iter().map(row)))
}

async fn newest(client: &Client, limit: u32) -> Result<api::Page<AuditEvent>, Failure> {
    let paging = Paging { cursor: None, limit: Some(limit) };
    client.audit_events(&paging).await.doing(|| "can't list the changes".to_owned())
}

fn row(event: &AuditEvent) -> [String; 5] {
    let AuditEvent { at, actor, action, subject, detail, .. } = event;
    [moment(*at), actor.clone(), action.clone(), subject.clone(), detail.clone()]
}
