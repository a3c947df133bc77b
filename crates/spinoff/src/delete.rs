use api::{Client, DeleteInstance, Instance};
use domain::LeavingReason;

use crate::confirm::Asked;
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::follow::{Patience, follow};
use crate::output::pairs;
use crate::when::moment;

/// Which instance to take down.
#[derive(Debug, clap::Args)]
#[command(after_help = "The instance is closed at once and its application rests. Everything in it is kept for as long
as [instances] undo_days says; until then --undo takes the deletion back, and its customer can
do so in the portal. Then it is deleted for good. --now deletes at once what nobody shall be
able to take back, such as for a customer who wants it so. On a terminal you are asked to type
the subdomain; scripts give it with --confirm. Interrupting the command does not interrupt the
work.

Exit codes: 0 it will be deleted, or everything is gone, 1 failed, 3 no such instance, 4 not
confirmed or refused, 5 not gone in time.

Examples:
  spinoff delete acme
  spinoff delete acme --undo
  spinoff delete ai-diy-acme --now --confirm acme --json")]
pub struct Args {
    /// Id, project name or subdomain
    instance: String,

    /// The instance's subdomain, to say that you mean it
    #[arg(long, value_name = "SUBDOMAIN", conflicts_with = "undo")]
    confirm: Option<String>,

    /// Delete it at once: nobody can take it back
    #[arg(long, conflicts_with = "undo")]
    now: bool,

    /// Why, where the customer said so: too_expensive, not_used, missing, too_hard, unreliable, replaced, finished or other
    #[arg(long, conflicts_with = "undo")]
    reason: Option<LeavingReason>,

    /// What the customer said beside it
    #[arg(long, value_name = "WORDS", conflicts_with = "undo")]
    comment: Option<String>,

    /// Take a deletion back that has not begun
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    patience: Patience,
}

/// Takes an instance down, or keeps it after all.
pub async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let client = context.client()?;
    if args.undo {
        let what = || format!("can't take back the deletion of {}", args.instance);
        let kept = client.take_deletion_back(&args.instance).await.doing(what)?;
        return context.output.report(&kept, format!("{} is kept", kept.subdomain));
    }
    let what = || format!("can't delete {}", args.instance);
    let instance = client.instance(&args.instance).await.doing(what)?;
    confirm(&instance, args.confirm)?;
    let confirm = instance.subdomain.to_string();
    let id = instance.id.to_string();
    let asked = DeleteInstance { confirm, now: args.now, reason: args.reason, comment: args.comment };
    let accepted = client.delete_instance(&id, &asked).await.doing(what)?;
    let subdomain = &instance.subdomain;
    let Some(workflow_id) = accepted.workflow_id else {
        let when = accepted.deleted_at.map_or_else(String::new, |at| format!(" on {}", moment(at)));
        let words = format!(
            "{subdomain} is closed, and deleted{when}; until then `spinoff delete {subdomain} --undo` takes that back"
        );
        return context.output.report(&accepted, words);
    };
    if args.patience.no_wait {
        let words = format!("{subdomain} is being deleted; follow it with `spinoff workflows show {workflow_id}`");
        return context.output.report(&accepted, words);
    }
    let failed = format!("{} was not deleted", instance.subdomain);
    let workflow = follow(&client, context.output, workflow_id, &failed, &args.patience).await?;
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
