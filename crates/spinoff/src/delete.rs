use api::{Client, DeleteInstance, Instance};

use crate::confirm::Asked;
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::follow::{Patience, follow};
use crate::output::pairs;

/// Which instance to take down.
#[derive(Debug, clap::Args)]
#[command(after_help = "This can't be taken back. On a terminal you are asked to type the subdomain; scripts give it
with --confirm. Interrupting the command does not interrupt the work.

Exit codes: 0 everything is gone, 1 failed, 3 no such instance, 4 not confirmed, 5 not gone in time.

Examples:
  spinoff delete acme
  spinoff delete ai-diy-acme --confirm acme --json")]
pub struct Args {
    /// Id, project name or subdomain
    instance: String,

    /// The instance's subdomain, to say that you mean it
    #[arg(long, value_name = "SUBDOMAIN")]
    confirm: Option<String>,

    #[command(flatten)]
    patience: Patience,
}

/// Takes an instance down.
pub async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let client = context.client()?;
    let what = || format!("can't delete {}", args.instance);
    let instance = client.instance(&args.instance).await.doing(what)?;
    confirm(&instance, args.confirm)?;
    let confirm = instance.subdomain.to_string();
    let id = instance.id.to_string();
    let accepted = client.delete_instance(&id, &DeleteInstance { confirm }).await.doing(what)?;
    if args.patience.no_wait {
        let words = format!(
            "{} is being deleted; follow it with `spinoff workflows show {}`",
            instance.subdomain, accepted.workflow_id
        );
        return context.output.report(&accepted, words);
    }
    let failed = format!("{} was not deleted", instance.subdomain);
    let workflow = follow(&client, context.output, accepted.workflow_id, &failed, &args.patience).await?;
    let record = removal(&client, &id).await;
    context.output.report(&workflow, format!("{} is deleted{record}", instance.subdomain))
}

fn confirm(instance: &Instance, given: Option<String>) -> Result<(), Failure> {
    let Instance { subdomain, customer_email, .. } = instance;
    let asked = Asked {
        what: &format!("This deletes {subdomain} of {customer_email} with all its data."),
        word: subdomain.as_str(),
        word_is: "its subdomain",
        not_done: &format!("{subdomain} was not deleted"),
        purpose: "to delete it with all its data",
    };
    asked.confirm(given)
}

/// What was removed, where the server keeps a record of it.
async fn removal(client: &Client, id: &str) -> String {
    let Some(record) = client.instance(id).await.ok().and_then(|instance| instance.removal) else {
        return String::new();
    };
    let removed: Vec<_> = record.removed.iter().map(|thing| (thing.kind.as_str(), thing.name.clone())).collect();
    format!("; removed:\n{}", pairs(&removed).trim_end())
}
