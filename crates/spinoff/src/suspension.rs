use api::SuspendInstance;

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::follow::{Patience, follow};

/// Which instance to close, and why.
#[derive(Debug, clap::Args)]
#[command(after_help = "Nobody can enter, and the application rests; everything in it is kept. The customer is told
the reason by mail. `spinoff resume` opens it again.

Exit codes: 0 it is closed, 1 failed, 3 no such instance, 4 refused, 5 not closed in time.

Examples:
  spinoff suspend acme --reason 'The last invoice is unpaid.'
  spinoff suspend ai-diy-acme --reason 'You asked us to.' --json")]
pub struct SuspendArgs {
    /// Id, project name or subdomain
    instance: String,

    /// Why, in one sentence that the customer reads
    #[arg(long, value_name = "SENTENCE")]
    reason: String,

    #[command(flatten)]
    patience: Patience,
}

/// Which instance to open again.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Lifts your own suspension. What something else keeps closed, such as an invoice that is not paid, stays
closed; the answer says what it is.

Exit codes: 0 its members can enter, 1 failed, 3 no such instance, 4 refused, 5 not open in time.

Examples:
  spinoff resume acme
  spinoff resume acme --json"
)]
pub struct ResumeArgs {
    /// Id, project name or subdomain
    instance: String,

    #[command(flatten)]
    patience: Patience,
}

/// Closes an instance and keeps its data.
pub async fn suspend(context: &Context, args: SuspendArgs) -> Result<(), Failure> {
    let client = context.client()?;
    let what = || format!("can't suspend {}", args.instance);
    let why = SuspendInstance { reason: args.reason };
    let accepted = client.suspend_instance(&args.instance, &why).await.doing(what)?;
    if args.patience.no_wait {
        let id = accepted.workflow_id;
        let words = format!("{} is being suspended; follow it with `spinoff workflows show {id}`", args.instance);
        return context.output.report(&accepted, words);
    }
    let failed = format!("{} was not suspended", args.instance);
    let workflow = follow(&client, context.output, accepted.workflow_id, &failed, &args.patience).await?;
    context.output.report(&workflow, format!("{} is suspended; its data is kept", args.instance))
}

/// Opens a suspended instance again.
pub async fn resume(context: &Context, args: ResumeArgs) -> Result<(), Failure> {
    let client = context.client()?;
    let what = || format!("can't resume {}", args.instance);
    let accepted = client.resume_instance(&args.instance).await.doing(what)?;
    if args.patience.no_wait {
        let id = accepted.workflow_id;
        let words = format!("{} is being resumed; follow it with `spinoff workflows show {id}`", args.instance);
        return context.output.report(&accepted, words);
    }
    let failed = format!("{} was not resumed", args.instance);
    let workflow = follow(&client, context.output, accepted.workflow_id, &failed, &args.patience).await?;
    context.output.report(&workflow, format!("{} is open again", args.instance))
}
