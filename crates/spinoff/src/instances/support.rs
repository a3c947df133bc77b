use api::{AskForAccess, SupportAccess};

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{or_dash, table};
use crate::when::moment;

/// What can be done about support's access to an instance. Only its customer gives it, in the portal.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show which access was asked for and given, and when support was inside
    #[command(after_help = "Examples:
  spinoff instances support show acme
  spinoff instances support show acme --json | jq '.data[0].hours'")]
    Show {
        /// Id, project name or subdomain
        instance: String,
    },
    /// Ask the customer to let support in
    #[command(
        after_help = "The customer gets a mail with the reason, and decides in the portal: for how long, and whether
support may only look or change things too. It ends by itself.

Exit codes: 0 the customer was asked, 3 no such instance, 4 refused.

Examples:
  spinoff instances support ask acme --reason 'We want to see why your app does not start.'"
    )]
    Ask {
        /// Id, project name or subdomain
        instance: String,
        /// Why, in a sentence or two that the customer reads
        #[arg(long, value_name = "SENTENCE")]
        reason: String,
    },
    /// End support's access before its time
    #[command(after_help = "Examples:
  spinoff instances support end acme")]
    End {
        /// Id, project name or subdomain
        instance: String,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::Show { instance } => {
            let what = || format!("can't show support's access to {instance}");
            let page = client.support_access(&instance).await.doing(what)?;
            context.output.show(&page, || {
                let rows = page.data.iter().map(row);
                table(&["STATE", "ASKED BY", "GIVEN BY", "UNTIL", "MAY CHANGE", "ENDED", "HOURS INSIDE"], rows)
            })
        }
        Command::Ask { instance, reason } => {
            let what = || format!("can't ask for access to {instance}");
            let asked = client.ask_for_support_access(&instance, &AskForAccess { reason }).await.doing(what)?;
            context.output.report(&asked, format!("the customer of {instance} was asked"))
        }
        Command::End { instance } => {
            let what = || format!("can't end support's access to {instance}");
            client.end_support_access(&instance).await.doing(what)?;
            context.output.note(format!("support can't enter {instance} any more"));
            Ok(())
        }
    }
}

fn row(access: &SupportAccess) -> [String; 7] {
    [
        access.state.clone(),
        or_dash(access.asked_by.clone()),
        or_dash(access.given_by.clone()),
        or_dash(access.until.map(moment)),
        if access.may_change { "yes" } else { "no" }.to_owned(),
        or_dash(access.ended_at.map(moment)),
        access.hours.len().to_string(),
    ]
}
