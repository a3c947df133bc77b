use api::{Ceiling, Client, Finding, FindingFilter, FindingState, Provider};
use clap::Subcommand;
use domain::Cents;

use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};
use crate::follow::{Patience, follow};
use crate::output::{or_dash, table};
use crate::when::{ago, moment};

/// What can be done about providers.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the providers in use, and whether each can be used
    #[command(after_help = "Examples:
  spinoff providers list
  spinoff providers list --json | jq '.data[].checks[] | select(.verdict != \"ok\")'")]
    List,
    /// Show how much more the providers take
    #[command(after_help = "A signup that would not fit is turned away before anything is made; the operator is told
by mail when four fifths of a limit are used.

Examples:
  spinoff providers limits")]
    Limits,
    /// List what is left behind, missing or changed at the providers
    #[command(after_help = "Examples:
  spinoff providers findings
  spinoff providers findings --state closed
  spinoff providers findings --json | jq '.data | length'")]
    Findings {
        /// Those that are still seen, or those that are not any more
        #[arg(long, value_parser = state, default_value = "open")]
        state: FindingState,
    },
    /// Look at all providers now, and wait for what is found
    #[command(after_help = "The server looks by itself every 15 minutes.

Exit codes: 0 it was looked, 1 failed, 5 not in time.

Examples:
  spinoff providers sweep
  spinoff providers sweep --json")]
    Sweep {
        #[command(flatten)]
        patience: Patience,
    },
    /// Put one finding right, and look whether it is
    #[command(after_help = "What is left behind is removed for good, so that needs --yes. Nothing is removed that an
instance wants by then.

Exit codes: 0 it is settled, 1 failed, 3 no such finding, 4 refused, 5 not in time.

Examples:
  spinoff providers repair railway:project:8f7a1c1e-0c1b-4d0e-9a55-0f6f5b1c2d3e
  spinoff providers repair railway:project:8f7a1c1e-0c1b-4d0e-9a55-0f6f5b1c2d3e --yes")]
    Repair {
        /// Id of the finding
        id: String,
        /// Remove it for good, if that is what its repair does
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        patience: Patience,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::List => {
            let page = client.providers().await.doing(|| "can't list the providers".to_owned())?;
            context.output.show(&page, || checks(context, &page.data))
        }
        Command::Limits => {
            let page = client.providers().await.doing(|| "can't read the limits".to_owned())?;
            context.output.show(&page, || limits(context, &page.data))
        }
        Command::Findings { state } => findings(context, &client, state).await,
        Command::Sweep { patience } => sweep(context, &client, &patience).await,
        Command::Repair { id, yes, patience } => repair(context, &client, &id, yes, &patience).await,
    }
}

fn checks(context: &Context, providers: &[Provider]) -> String {
    let now = context.clock.now();
    let mut rows = Vec::new();
    for provider in providers {
        let row = |check: &str, verdict: &str, found: String| {
            let at = or_dash(provider.checked_at.map(|at| ago(now, at)));
            [provider.role.clone(), provider.name.clone(), check.to_owned(), verdict.to_owned(), found, at]
        };
        if let Some(trouble) = &provider.trouble {
            rows.push(row("inventory", "fail", trouble.clone()));
        }
        for check in &provider.checks {
            let advice = if check.advice.is_empty() { String::new() } else { format!("; {}", check.advice) };
            rows.push(row(&check.name, check.verdict.as_str(), format!("{}{advice}", check.found)));
        }
        if provider.checks.is_empty() && provider.trouble.is_none() {
            rows.push(row("-", "-", "-".to_owned()));
        }
    }
    table(&["ROLE", "PROVIDER", "CHECK", "VERDICT", "FOUND", "CHECKED"], rows)
}

fn limits(context: &Context, providers: &[Provider]) -> String {
    let now = context.clock.now();
    let row = |provider: &Provider, ceiling: &Ceiling| {
        [
            provider.name.clone(),
            ceiling.name.clone(),
            ceiling.used.to_string(),
            ceiling.limit.to_string(),
            ceiling.per_instance.to_string(),
            or_dash(ceiling.renews_at.map(moment)),
            ago(now, ceiling.observed_at),
            ceiling.advice.clone(),
        ]
    };
    let rows = providers.iter().flat_map(|held| held.ceilings.iter().map(move |ceiling| row(held, ceiling)));
    let headings = ["PROVIDER", "LIMIT OF", "USED", "LIMIT", "PER INSTANCE", "RENEWS", "READ", "ADVICE"];
    let mut words = table(&headings, rows);
    for provider in providers {
        if let Some(line) = provider.line {
            let more = format!("{} wait in line, {} s each", line.length, line.seconds_each);
            words.push_str(&format!("{} makes one project at a time: {more}\n", provider.name));
        }
    }
    words
}

async fn findings(context: &Context, client: &Client, state: FindingState) -> Result<(), Failure> {
    let filter = FindingFilter { state: Some(state) };
    let page = client.findings(&filter).await.doing(|| "can't list the findings".to_owned())?;
    let now = context.clock.now();
    let row = |finding: &Finding| {
        [
            finding.id.clone(),
            finding.class.as_str().to_owned(),
            finding.name.clone(),
            ago(now, finding.created_at.unwrap_or(finding.first_seen_at)),
            or_dash(finding.monthly_cents.as_ref().map(Cents::to_string)),
            if finding.may_repair { "yes".to_owned() } else { "by hand".to_owned() },
            finding.words.clone(),
            or_dash(finding.trouble.as_ref()),
        ]
    };
    let headings = ["FINDING", "CLASS", "NAME", "SINCE", "A MONTH", "REPAIR", "THE MATTER", "LAST REPAIR"];
    context.output.show(&page, || match (page.data.is_empty(), state) {
        (true, FindingState::Open) => "nothing is left behind\n".to_owned(),
        _ => table(&headings, page.data.iter().map(row)),
    })
}

async fn sweep(context: &Context, client: &Client, patience: &Patience) -> Result<(), Failure> {
    let accepted = client.sweep_providers().await.doing(|| "can't look at the providers".to_owned())?;
    if patience.no_wait {
        let id = accepted.workflow_id;
        let words = format!("the providers are being looked at; follow it with `spinoff workflows show {id}`");
        return context.output.report(&accepted, words);
    }
    follow(client, context.output, accepted.workflow_id, "the providers were not looked at", patience).await?;
    findings(context, client, FindingState::Open).await
}

async fn repair(context: &Context, client: &Client, id: &str, yes: bool, patience: &Patience) -> Result<(), Failure> {
    let what = || format!("can't repair {id}");
    let finding = client.finding(id).await.doing(what)?;
    if finding.removes && finding.may_repair && !yes {
        let why = format!("{} {} Say --yes to do that.", finding.words, finding.advice);
        return Err(Failure::new(Exit::Refused, what(), why));
    }
    let accepted = client.repair_finding(id).await.doing(what)?;
    if patience.no_wait {
        let workflow = accepted.workflow_id;
        let words = format!("{id} is being repaired; follow it with `spinoff workflows show {workflow}`");
        return context.output.report(&accepted, words);
    }
    follow(client, context.output, accepted.workflow_id, &format!("{id} was not repaired"), patience).await?;
    let finding = client.finding(id).await.doing(what)?;
    if let Some(trouble) = &finding.trouble {
        return Err(Failure::new(Exit::Failed, format!("{id} was not repaired"), trouble));
    }
    context.output.report(&finding, format!("{id} is settled"))
}

fn state(word: &str) -> Result<FindingState, String> {
    let found = FindingState::ALL.into_iter().find(|state| state.as_str() == word);
    found.ok_or_else(|| "choose open or closed".to_owned())
}
