use api::{Pool, WarmInstance};
use clap::Args as ClapArgs;

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{or_dash, table};
use crate::when::ago;

/// Shows the instances that are made ahead.
#[derive(Debug, ClapArgs)]
#[command(after_help = "How many are kept ready is [pool] size in spinoff.toml, or SPINOFF_POOL__SIZE. Whoever signs
up starts at once on one that is ready; the name that they chose takes over by itself when it is connected.

Examples:
  spinoff pool
  spinoff pool --json | jq .monthly_cents")]
pub struct Args {}

/// Runs the command.
pub async fn run(context: &Context, _: Args) -> Result<(), Failure> {
    let pool = context.client()?.pool().await.doing(|| "can't show the pool".to_owned())?;
    context.output.show(&pool, || in_words(context, &pool))
}

fn in_words(context: &Context, pool: &Pool) -> String {
    let Pool { size, ready, .. } = pool;
    let mut words = match size {
        0 if pool.instances.is_empty() => return "None are made ahead: [pool] size is 0.\n".to_owned(),
        _ => format!("{ready} of {size} are ready."),
    };
    if let Some(cost) = pool.monthly_cents {
        words.push_str(&format!(" Those that exist cost about {cost} a month."));
    }
    words.push('\n');
    let now = context.clock.now();
    let row = |one: &WarmInstance| {
        let (name, project) = (one.subdomain.to_string(), one.project.to_string());
        [name, project, one.state.clone(), or_dash(one.monthly_cents), ago(now, one.changed_at)]
    };
    words + &table(&["NAME", "PROJECT", "STATE", "A MONTH", "SINCE"], pool.instances.iter().map(row))
}
