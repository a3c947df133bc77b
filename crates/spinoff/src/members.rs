use api::Member;
use clap::Subcommand;
use domain::Email;
use serde_json::json;

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::table;
use crate::when::moment;

/// What can be done about members.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Let somebody in; adding a member again changes nothing
    #[command(after_help = "Examples:
  spinoff members add acme bob@example.com")]
    Add {
        /// Id, project name or subdomain
        instance: String,
        /// Address that the member signs in with
        email: Email,
    },
    /// Shut somebody out, from the next request on
    #[command(after_help = "Examples:
  spinoff members remove acme bob@example.com")]
    Remove {
        /// Id, project name or subdomain
        instance: String,
        /// Address of the member
        email: Email,
    },
    /// List who may enter an instance
    #[command(after_help = "Examples:
  spinoff members list acme
  spinoff members list acme --json | jq -r '.data[].email'")]
    List {
        /// Id, project name or subdomain
        instance: String,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::Add { instance, email } => {
            let member =
                client.add_member(&instance, &email).await.doing(|| format!("can't let {email} into {instance}"))?;
            context.output.report(&member, format!("{} may enter {instance}", member.email))
        }
        Command::Remove { instance, email } => {
            client.remove_member(&instance, &email).await.doing(|| format!("can't shut {email} out of {instance}"))?;
            context.output.report(&json!({"removed": email}), format!("{email} may no longer enter {instance}"))
        }
        Command::List { instance } => {
            let page = client.members(&instance).await.doing(|| format!("can't list the members of {instance}"))?;
            context.output.show(&page, || table(&["MEMBER", "ROLE", "SINCE"], page.data.iter().map(row)))
        }
    }
}

fn row(member: &Member) -> [String; 3] {
    [member.email.to_string(), member.role.as_str().to_owned(), moment(member.added_at)]
}
