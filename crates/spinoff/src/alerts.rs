use api::{Alert, AlertFilter, Client, SilenceAlert};
use clap::Subcommand;

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{or_dash, table};
use crate::when::{ago, moment};

/// What can be done about alerts.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List what waits for an operator, newest first
    #[command(after_help = "Each kind has a runbook of the same name in docs/runbooks.

Examples:
  spinoff alerts list
  spinoff alerts list --state resolved
  spinoff alerts list --json | jq -r '.data[] | select(.severity == \"critical\") | .what'")]
    List {
        /// Only those that stand there [default: all that are not resolved]
        #[arg(long, value_parser = ["open", "acknowledged", "silenced", "resolved"])]
        state: Option<String>,
    },
    /// Say that somebody looks after an alert: nobody else is told
    #[command(after_help = "Exit codes: 0 it is acknowledged, 3 no such alert, 4 it is resolved.

Examples:
  spinoff alerts acknowledge alt_01k9x0a4q7e8r9t0v1w2x3y4z5")]
    Acknowledge {
        /// Id of the alert
        id: String,
    },
    /// Silence an alert for a while: it is not told again before then, however often it happens
    #[command(
        after_help = "Exit codes: 0 it is silenced, 3 no such alert, 4 it is resolved, or the time or reason is refused.

Examples:
  spinoff alerts silence alt_01k9x0a4q7e8r9t0v1w2x3y4z5 --minutes 120 --reason 'The provider works on it.'"
    )]
    Silence {
        /// Id of the alert
        id: String,
        /// For how long: 1 to 10080
        #[arg(long, value_name = "NUMBER", default_value_t = 60)]
        minutes: u32,
        /// Why, in one sentence
        #[arg(long, value_name = "SENTENCE")]
        reason: String,
    },
    /// Say that what an alert was about is over; it opens again should it happen again
    #[command(after_help = "Exit codes: 0 it is resolved, 3 no such alert.

Examples:
  spinoff alerts resolve alt_01k9x0a4q7e8r9t0v1w2x3y4z5")]
    Resolve {
        /// Id of the alert
        id: String,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::List { state } => list(context, &client, &AlertFilter { state }).await,
        Command::Acknowledge { id } => {
            let alert = client.acknowledge_alert(&id).await.doing(|| format!("can't acknowledge {id}"))?;
            context.output.report(&alert, format!("Somebody looks after it: {}", alert.what))
        }
        Command::Silence { id, minutes, reason } => {
            let silence = SilenceAlert { minutes, reason };
            let alert = client.silence_alert(&id, &silence).await.doing(|| format!("can't silence {id}"))?;
            let until = or_dash(alert.silenced_until.map(moment));
            context.output.report(&alert, format!("Silent until {until}: {}", alert.what))
        }
        Command::Resolve { id } => {
            let alert = client.resolve_alert(&id).await.doing(|| format!("can't resolve {id}"))?;
            context.output.report(&alert, format!("It is over: {}", alert.what))
        }
    }
}

async fn list(context: &Context, client: &Client, filter: &AlertFilter) -> Result<(), Failure> {
    let page = Client::every(async |paging| client.alerts(filter, &paging).await)
        .await
        .doing(|| "can't list the alerts".to_owned())?;
    let now = context.clock.now();
    let row = |alert: &Alert| {
        [
            alert.id.to_string(),
            alert.severity.clone(),
            alert.state.clone(),
            alert.kind.clone(),
            ago(now, alert.last_seen_at),
            alert.seen.to_string(),
            alert.what.clone(),
        ]
    };
    let headings = ["ALERT", "SEVERITY", "STATE", "KIND", "SEEN", "TIMES", "WHAT"];
    context.output.show(&page, || table(&headings, page.data.iter().map(row)))
}
