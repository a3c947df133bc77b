use api::{CopyInstance, NewInstance};
use domain::BackupId;

use crate::confirm::yes;
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::follow::Patience;
use crate::provision::{self, Waits};

/// Which instance to copy, and to where.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The copy is another instance of the same customer, at a name of its own, and begins with everything that its
source keeps: as it is now, or as a backup has it. It has a subscription and a bill of its own, at the prices of the plan,
so you are asked whether you mean it; scripts give --yes. Only its owner may enter it; other members, hours and settings
are not carried along. The source rests for a moment while it is backed up. If the copy can't be made, everything of it is
removed and the source is as it was.

Where customers enter their card at the payment provider, this one is sent a link for that first, as with
`spinoff provision`.

Exit codes: 0 the copy is ready or waits for its customer's payment details, 1 it failed and was undone, 3 no such
instance or backup, 4 not confirmed or refused, 5 not ready in time.

Examples:
  spinoff instances copy acme acme-trial --yes
  spinoff instances copy acme acme-may --backup bak_01kb8r1n3m0000000000000000 --yes --json"
)]
pub struct Args {
    /// Id, project name or subdomain of the source
    source: String,

    /// The subdomain of the copy
    subdomain: String,

    /// The backup that it begins with; without it, one that is taken now
    #[arg(long, value_name = "BACKUP")]
    backup: Option<BackupId>,

    /// Say that you mean it
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    patience: Patience,

    /// Wait for the customer's payment details too, within --timeout
    #[arg(long, conflicts_with = "no_wait")]
    until_paid: bool,

    /// Asking again with the same key gives the same copy
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// Copies an instance.
pub async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let subdomain = provision::subdomain(&args.subdomain)?;
    let client = context.client()?;
    let what = || format!("can't copy {}", args.source);
    let source = client.instance(&args.source).await.doing(what)?;
    let customer = source.customer_email;
    context
        .output
        .note(format!("{subdomain} is charged to {customer} at the prices of the plan, on a bill of its own."));
    yes(args.yes, &format!("{} was not copied", source.subdomain))?;
    let wanted = CopyInstance { subdomain: subdomain.clone(), backup: args.backup };
    let id = source.id.to_string();
    let accepted = client.copy_instance(&id, &wanted, args.idempotency_key.as_deref()).await.doing(what)?;
    let order = NewInstance { customer_email: customer, subdomain };
    let waits = Waits { patience: args.patience, until_paid: args.until_paid };
    provision::see_through(context, &client, &order, &accepted, &waits).await
}
