use api::{CancelInstance, Cancellation};
use domain::{LeavingReason, Subdomain};

use crate::confirm::Asked;
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::when::moment;

/// Which instance to give up, or to keep after all.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "For a customer who asked for it; customers do it themselves in the portal. The instance runs to
the end of what is paid for: of the trial, else of the period. Then nobody can enter, nothing more is charged, and its
data is kept for as long as [billing.cancellation] says; a mail announces its deletion. Until then --undo takes it back:
before the end as if nothing had happened, after it the instance opens again and is charged from then on.

On a terminal you are asked to type the subdomain; scripts give it with --confirm. --dry-run says what would happen.

Exit codes: 0 done, 1 failed, 3 no such instance, 4 not confirmed or refused.

Examples:
  spinoff cancel acme --dry-run
  spinoff cancel acme --confirm acme --json | jq -r .ends_at
  spinoff cancel acme --undo"
)]
pub struct Args {
    /// Id, project name or subdomain
    instance: String,

    /// The instance's subdomain, to say that you mean it
    #[arg(long, value_name = "SUBDOMAIN", conflicts_with_all = ["undo", "dry_run"])]
    confirm: Option<String>,

    /// Why, where the customer said so: too_expensive, not_used, missing, too_hard, unreliable, replaced, finished or other
    #[arg(long, conflicts_with_all = ["undo", "dry_run"])]
    reason: Option<LeavingReason>,

    /// What the customer said beside it
    #[arg(long, value_name = "WORDS", conflicts_with_all = ["undo", "dry_run"])]
    comment: Option<String>,

    /// Take a cancellation back
    #[arg(long, conflicts_with = "dry_run")]
    undo: bool,

    /// Only say how it stands, and what would happen
    #[arg(long)]
    dry_run: bool,
}

/// Gives an instance up, or keeps it after all.
pub async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let client = context.client()?;
    let Args { instance, confirm, reason, comment, undo, dry_run } = args;
    if undo {
        let what = || format!("can't take back the cancellation of {instance}");
        let taken_back = client.take_cancellation_back(&instance).await.doing(what)?;
        let words = if taken_back.returned {
            format!("{instance} opens again, and is charged from now on")
        } else {
            format!("{instance} goes on as if it had never been cancelled")
        };
        return context.output.report(&taken_back, words);
    }
    let what = || format!("can't cancel {instance}");
    let standing = client.cancellation(&instance).await.doing(what)?;
    let subdomain = client.instance(&instance).await.doing(what)?.subdomain;
    if dry_run {
        return context.output.show(&standing, || format!("{}\n", in_words(&subdomain, &standing)));
    }
    if standing.stage == "none" {
        ask(&subdomain, &standing, confirm)?;
    }
    let id = standing.instance_id.to_string();
    let asked = CancelInstance { confirm: subdomain.to_string(), reason, comment };
    let cancelled = client.cancel_instance(&id, &asked).await.doing(what)?;
    context.output.report(&cancelled, in_words(&subdomain, &cancelled))
}

fn ask(subdomain: &Subdomain, standing: &Cancellation, given: Option<String>) -> Result<(), Failure> {
    let asked = Asked {
        what: &in_words(subdomain, standing),
        word: subdomain.as_str(),
        word_is: "its subdomain",
        not_done: &format!("{subdomain} was not cancelled"),
        purpose: "to cancel it at the end of what is paid for",
    };
    asked.confirm(given)
}

fn in_words(subdomain: &Subdomain, standing: &Cancellation) -> String {
    let (ends, kept) = (moment(standing.ends_at), moment(standing.kept_until));
    match standing.stage.as_str() {
        "none" => format!("{subdomain} would run until {ends}, and its data would be kept until {kept}"),
        "running_out" => format!("{subdomain} is cancelled: it runs until {ends}, and its data is kept until {kept}"),
        _ => format!("{subdomain} has ended on {ends}; its data is kept until {kept}"),
    }
}
