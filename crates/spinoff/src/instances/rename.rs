use api::RenameInstance;

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::follow::{Patience, follow};
use crate::provision;

/// Which instance gets which name.
#[derive(Debug, clap::Args)]
#[command(after_help = "The instance stays at its present address until the new one answers, then the present one is
taken away. Its project keeps its name, and nobody else can have the former subdomain while the instance lives.

Exit codes: 0 it answers at the new address, 1 failed and was undone, 3 no such instance, 4 refused, 5 not there in time.

Examples:
  spinoff instances rename acme acme-works
  spinoff instances rename ai-diy-acme acme-works --json")]
pub struct Args {
    /// Id, project name or subdomain
    instance: String,

    /// The subdomain that it shall have
    subdomain: String,

    #[command(flatten)]
    patience: Patience,
}

/// Moves an instance to another subdomain.
pub async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let Args { instance, subdomain, patience } = args;
    let what = || format!("can't rename {instance}");
    let subdomain = provision::subdomain(&subdomain)?;
    let client = context.client()?;
    let wanted = RenameInstance { subdomain: subdomain.clone() };
    let accepted = client.rename_instance(&instance, &wanted).await.doing(what)?;
    if patience.no_wait {
        let id = accepted.workflow_id;
        let words = format!("{instance} moves to {subdomain}; follow it with `spinoff workflows show {id}`");
        return context.output.report(&accepted, words);
    }
    let failed = format!("{instance} was not renamed");
    let workflow = follow(&client, context.output, accepted.workflow_id, &failed, &patience).await?;
    context.output.report(&workflow, format!("{instance} is now {subdomain}"))
}
