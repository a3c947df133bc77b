use api::{ModelUsage, ModelUse};
use clap::Subcommand;
use domain::{Micros, Month};

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::table;

/// The AI that is included: what was used of it.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what each instance used in a month
    #[command(after_help = "What is offered, and how much of it, is [model] in spinoff.toml. Amounts are US dollars.

Examples:
  spinoff model usage
  spinoff model usage --month 2026-11
  spinoff model usage --json | jq '.instances[] | {project, model, cost_micros}'")]
    Usage {
        /// Month, such as 2026-11 [default: the present one]
        #[arg(long)]
        month: Option<Month>,
    },
}

/// Runs a command.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let Command::Usage { month } = command;
    let what = || "can't show what was used of the included AI".to_owned();
    let found = context.client()?.model_usage(month).await.doing(what)?;
    context.output.show(&found, || in_words(&found))
}

fn in_words(found: &ModelUsage) -> String {
    let ModelUsage { month, is_offered, allowance_micros, total_micros, used_micros, instances } = found;
    if !is_offered && instances.is_empty() {
        return "No model is offered: [model] provider_url is not set.\n".to_owned();
    }
    let each = allowance_micros.map(|amount| format!(", {} for each instance", dollars(amount))).unwrap_or_default();
    let total = total_micros.map(|amount| format!(" of {}", dollars(amount))).unwrap_or_default();
    let row = |it: &ModelUse| {
        [
            it.project.as_ref().map_or_else(|| it.instance_id.to_string(), ToString::to_string),
            it.model.clone(),
            it.calls.to_string(),
            it.uncounted_calls.to_string(),
            it.input_tokens.to_string(),
            it.output_tokens.to_string(),
            dollars(it.cost_micros),
        ]
    };
    let headings = ["INSTANCE", "MODEL", "QUESTIONS", "NOT COUNTED", "TOKENS IN", "TOKENS OUT", "COST"];
    format!("{month}: {}{total} used{each}\n\n{}", dollars(*used_micros), table(&headings, instances.iter().map(row)))
}

fn dollars(micros: i64) -> String {
    format!("${}", Micros::new(micros))
}
