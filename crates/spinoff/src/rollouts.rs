use api::{Client, Rollout, RolloutEvent, RolloutFilter, RolloutUnit, RolloutWave, UnitCounts, UnitFilter};
use clap::Subcommand;
use fleet::UnitState;

use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};
use crate::output::{or_dash, pairs, table, visible};
use crate::when::{about, ago, moment};

pub mod plan;
mod start;
pub mod watch;

/// What can be done about rollouts.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring instances to a release, after showing who is updated, in what order, and how long it takes
    Start(start::Args),
    /// List the rollouts, newest first
    #[command(after_help = "Examples:
  spinoff rollouts list
  spinoff rollouts list --json | jq -r '.data[0].state'")]
    List,
    /// Show a rollout: how far it is, who failed and why, what happened
    #[command(after_help = "Without an id: the one that is open, else the latest.

Exit codes: 0 shown, 1 failed, 3 no such rollout.

Examples:
  spinoff rollouts show
  spinoff rollouts show rol_01k9x0a4q7e8r9t0v1w2x3y4z5 --units
  spinoff rollouts show --units --state rolled_back --json | jq -r '.data[].subdomain'")]
    Show {
        /// Its id
        id: Option<String>,
        /// List its instances
        #[arg(long)]
        units: bool,
        /// Only those in this state
        #[arg(long, value_parser = unit_state, requires = "units")]
        state: Option<UnitState>,
    },
    /// Follow a rollout to its end
    #[command(after_help = "Without an id: the one that is open, else the latest.

Exit codes: 0 done, 1 it halted or ended otherwise, 3 no such rollout, 5 not over in time.

Examples:
  spinoff rollouts watch
  spinoff rollouts watch --timeout 3600")]
    Watch {
        /// Its id
        id: Option<String>,
        /// Wait at most so many seconds; the rollout goes on all the same [default: for as long as it takes]
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<u64>,
    },
    /// Begin nothing more for now; what was begun goes on
    #[command(after_help = "Without an id: the one that is open.

Examples:
  spinoff rollouts pause")]
    Pause {
        /// Its id
        id: Option<String>,
    },
    /// Go on; after a halt, the failures so far are accepted
    #[command(after_help = "Without an id: the one that is open.

Examples:
  spinoff rollouts resume")]
    Resume {
        /// Its id
        id: Option<String>,
    },
    /// End a rollout: what was begun goes on to its end, and nothing more is begun
    #[command(
        after_help = "Without an id: the one that is open. Instances that were updated stay so; `spinoff rollouts
roll-back` takes them back.

Examples:
  spinoff rollouts cancel"
    )]
    Cancel {
        /// Its id
        id: Option<String>,
    },
    /// Take back everything that was updated, to what it ran before
    #[command(
        after_help = "What customers did since the update stays, unless the former release can't live with it; each
is backed up first. Asks on a terminal; scripts give --yes.

Exit codes: 0 it began, or with --wait everything is back, 1 failed, 3 no such rollout, 4 not confirmed, or another one
is open, 5 not back in time.

Examples:
  spinoff rollouts roll-back
  spinoff rollouts roll-back rol_01k9x0a4q7e8r9t0v1w2x3y4z5 --yes --wait"
    )]
    RollBack {
        /// Its id [default: the one that is open, else the latest]
        id: Option<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        waiting: watch::Waiting,
    },
    /// Leave an instance out whose turn has not come, or that needed a person and had one
    #[command(after_help = "Examples:
  spinoff rollouts skip acme
  spinoff rollouts skip acme --rollout rol_01k9x0a4q7e8r9t0v1w2x3y4z5")]
    Skip {
        /// Id, project name or subdomain
        instance: String,
        /// The rollout [default: the one that is open, else the latest]
        #[arg(long, value_name = "ID")]
        rollout: Option<String>,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::Start(args) => start::run(context, &client, args).await,
        Command::List => list(context, &client).await,
        Command::Show { id, units, state } => show(context, &client, id, units, state).await,
        Command::Watch { id, timeout } => {
            let id = named(&client, id).await?;
            let ended = watch::to_the_end(&client, context.output, &id, timeout).await?;
            context.output.report(&ended, summary(&ended))
        }
        Command::Pause { id } => {
            let id = named(&client, id).await?;
            let rollout = client.pause_rollout(&id).await.doing(|| format!("can't pause the rollout {id}"))?;
            context.output.report(&rollout, format!("{id} is paused; go on with `spinoff rollouts resume`"))
        }
        Command::Resume { id } => {
            let id = named(&client, id).await?;
            let rollout = client.resume_rollout(&id).await.doing(|| format!("can't resume the rollout {id}"))?;
            context.output.report(&rollout, format!("{id} goes on; follow it with `spinoff rollouts watch`"))
        }
        Command::Cancel { id } => {
            let id = named(&client, id).await?;
            let rollout = client.cancel_rollout(&id).await.doing(|| format!("can't cancel the rollout {id}"))?;
            context.output.report(&rollout, format!("{id} ends; {} run {}", rollout.counts.updated, rollout.version))
        }
        Command::RollBack { id, yes, waiting } => roll_back(context, &client, id, yes, &waiting).await,
        Command::Skip { instance, rollout } => {
            let id = named(&client, rollout).await?;
            let skipped = client.skip_unit(&id, &instance).await;
            let rollout = skipped.doing(|| format!("can't leave {instance} out of the rollout {id}"))?;
            context.output.report(&rollout, format!("{instance} is left out of {id}"))
        }
    }
}

/// The id that was given, else that of the rollout that is open, else that of the latest.
async fn named(client: &Client, id: Option<String>) -> Result<String, Failure> {
    if let Some(id) = id {
        return Ok(id);
    }
    let what = || "can't find a rollout".to_owned();
    for state in [Some("open"), None] {
        let paging = api::Paging { cursor: None, limit: Some(1) };
        let page = client.rollouts(&RolloutFilter { state }, &paging).await.doing(what)?;
        if let Some(found) = page.data.first() {
            return Ok(found.id.to_string());
        }
    }
    let next = "`spinoff rollouts start VERSION` begins one";
    Err(Failure::new(Exit::NotFound, what(), "there was none yet").next(next))
}

async fn list(context: &Context, client: &Client) -> Result<(), Failure> {
    let page = Client::every(async |paging| client.rollouts(&RolloutFilter::default(), &paging).await)
        .await
        .doing(|| "can't list the rollouts".to_owned())?;
    let now = context.clock.now();
    let row = |rollout: &Rollout| {
        [
            rollout.id.to_string(),
            rollout.version.to_string(),
            rollout.state.to_string(),
            format!("{} of {}", rollout.counts.updated, rollout.planned),
            rollout.counts.failed().to_string(),
            ago(now, rollout.made_at),
            rollout.made_by.clone(),
        ]
    };
    let headings = ["ROLLOUT", "VERSION", "STATE", "UPDATED", "FAILED", "BEGUN", "BY"];
    context.output.show(&page, || table(&headings, page.data.iter().map(row)))
}

async fn show(
    context: &Context,
    client: &Client,
    id: Option<String>,
    with_units: bool,
    state: Option<UnitState>,
) -> Result<(), Failure> {
    let id = named(client, id).await?;
    let what = || format!("can't show the rollout {id}");
    if with_units {
        let filter = UnitFilter { state };
        let page = Client::every(async |paging| client.rollout_units(&id, &filter, &paging).await).await.doing(what)?;
        return context.output.show(&page, || units(&page.data));
    }
    let rollout = client.rollout(&id).await.doing(what)?;
    if context.output.json {
        return context.output.show(&rollout, String::new);
    }
    let mut failed = Vec::new();
    for state in [UnitState::Stuck, UnitState::RolledBack] {
        let filter = UnitFilter { state: Some(state) };
        let page = client.rollout_units(&id, &filter, &api::Paging::default()).await.doing(what)?;
        failed.extend(page.data);
    }
    context.output.show(&rollout, || in_words(context, &rollout, &failed))
}

async fn roll_back(
    context: &Context,
    client: &Client,
    id: Option<String>,
    said: bool,
    waiting: &watch::Waiting,
) -> Result<(), Failure> {
    let id = named(client, id).await?;
    let rollout = client.rollout(&id).await.doing(|| format!("can't roll the rollout {id} back"))?;
    let turn = rollout.counts.under_way();
    let what = format!(
        "This takes {} instances back from {} to what they ran before{}.",
        rollout.counts.updated.saturating_add(turn),
        rollout.version,
        if turn > 0 { ", those on their way included" } else { "" }
    );
    context.output.note(what);
    crate::confirm::yes(said, &format!("the rollout {id} was not rolled back"))?;
    let begun = client.roll_back_rollout(&id).await.doing(|| format!("can't roll the rollout {id} back"))?;
    if !waiting.wait {
        return context
            .output
            .report(&begun, format!("{id} is being rolled back; follow it with `spinoff rollouts watch`"));
    }
    let ended = watch::until(client, context.output, &id, waiting.timeout, fleet::RolloutState::RolledBack).await?;
    context.output.report(&ended, summary(&ended))
}

/// How it is or went, in a sentence.
pub fn summary(rollout: &Rollout) -> String {
    let Rollout { version, state, planned, counts, .. } = rollout;
    let failed = match counts.failed() {
        0 => String::new(),
        many => format!(", {many} failed"),
    };
    match counts.went_back {
        0 => format!("{state}: {} of {planned} run {version}{failed}", counts.updated),
        back => format!("{state}: {back} of {planned} were taken back from {version}{failed}"),
    }
}

fn in_words(context: &Context, rollout: &Rollout, failed: &[RolloutUnit]) -> String {
    let now = context.clock.now();
    let mut rows = vec![
        ("rollout", rollout.id.to_string()),
        ("release", format!("{}, to the stage {} and those before it", rollout.version, rollout.stage)),
        ("state", rollout.state.to_string()),
    ];
    rows.extend(rollout.why.clone().map(|why| ("why", why)));
    rows.extend([
        ("instances", counted(&rollout.counts)),
        ("halts", plan::halts(rollout.tolerated)),
        ("expected", about(rollout.expected_seconds)),
        ("begun", format!("{} ({}) by {}", moment(rollout.made_at), ago(now, rollout.made_at), rollout.made_by)),
    ]);
    rows.extend(rollout.finished_at.map(|at| ("over", moment(at))));
    let mut text = pairs(&rows);
    if !rollout.waves.is_empty() {
        let row = |wave: &RolloutWave| [wave.wave.to_string(), wave.planned.to_string(), counted(&wave.counts)];
        text.push_str(&format!("\n{}", table(&["WAVE", "PLANNED", "INSTANCES"], rollout.waves.iter().map(row))));
    }
    if !failed.is_empty() {
        text.push_str(&format!("\n{}", units(failed)));
    }
    let line = |event: &RolloutEvent| visible(format!("{}  {}: {}", moment(event.at), event.by, event.what));
    let log: Vec<String> = rollout.log.iter().map(line).collect();
    text.push_str(&format!("\n{}\n", log.join("\n")));
    text
}

/// How many are how far, without those of which there are none.
fn counted(counts: &UnitCounts) -> String {
    let all = [
        (counts.updated, "updated"),
        (counts.updating, "being updated"),
        (counts.soaking, "being watched"),
        (counts.waiting, "waiting"),
        (counts.rolled_back, "failed and back"),
        (counts.stuck, "stuck"),
        (counts.skipped, "left out"),
        (counts.excused, "with nothing to update"),
        (counts.going_back, "being taken back"),
        (counts.went_back, "taken back"),
    ];
    let some: Vec<String> =
        all.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")).collect();
    if some.is_empty() { "none".to_owned() } else { some.join(", ") }
}

fn units(units: &[RolloutUnit]) -> String {
    let row = |unit: &RolloutUnit| {
        [
            unit.subdomain.to_string(),
            unit.stage.to_string(),
            unit.wave.to_string(),
            unit.state.to_string(),
            or_dash(unit.from.as_ref()),
            or_dash(unit.workflow_id),
            or_dash(unit.why.as_ref()),
        ]
    };
    table(&["INSTANCE", "STAGE", "WAVE", "STATE", "FROM", "WORKFLOW", "WHY"], units.iter().map(row))
}

fn unit_state(word: &str) -> Result<UnitState, String> {
    UnitState::parse(word).ok_or_else(|| format!("choose one of {}", UnitState::ALL.map(UnitState::as_str).join(", ")))
}
