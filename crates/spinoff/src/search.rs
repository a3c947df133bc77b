use api::FoundThing;
use clap::Args as ClapArgs;

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::table;

/// Finds customers, instances, members, invoices, workflows and releases.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Names, addresses and numbers are found by any piece of them, ids only whole. At most ten of a kind are
shown.

Examples:
  spinoff search acme
  spinoff search ada@example.com
  spinoff search ins_01k9x0a4q7e8r9t0v1w2x3y4z5 --json | jq -r '.found[0].url'"
)]
pub struct Args {
    /// What to look for: 2 characters at least
    text: String,
}

/// Runs the command.
pub async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let found = context.client()?.search(&args.text).await.doing(|| format!("can't look for {:?}", args.text))?;
    context.output.show(&found, || match found.found.as_slice() {
        [] => format!("Nothing contains {:?}.\n", args.text),
        all => table(&["WHAT", "NAME", "ABOUT", "ID"], all.iter().map(row)),
    })
}

fn row(FoundThing { kind, id, name, about, .. }: &FoundThing) -> [String; 4] {
    [kind.clone(), name.clone(), about.clone(), id.clone()]
}
