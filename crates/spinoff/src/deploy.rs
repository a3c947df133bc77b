use api::{Client, NewRollout, Paging, Release, RolloutFilter, RolloutStrategy, UnitFilter};
use clap::ArgGroup;
use fleet::{RolloutState, Stage, UnitState, Version};

use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};
use crate::follow::Patience;
use crate::rollouts::{summary, watch};

/// Which instances to bring to which release.
#[derive(Debug, clap::Args)]
#[command(
    group(ArgGroup::new("which").required(true).args(["instance", "all"])),
    after_help = "A rollout, one by one, that stops at the first failure; an instance whose update fails goes back to its
former release and data by itself. `spinoff rollouts start` shows the plan first, and can do it in waves.

Without --release: the newest release that was promoted to their stage, was not withdrawn, and was not taken back by a
rollout.

Exit codes: 0 they run it, 1 it failed, 3 no such instance or release, 4 refused, 5 not done in time.

Examples:
  spinoff deploy ai-diy-acme
  spinoff deploy acme --release 1.4.0
  spinoff deploy --all --release 1.4.0 --timeout 7200"
)]
pub struct Args {
    /// Id, project name or subdomain
    instance: Option<String>,
    /// All that the release may reach
    #[arg(long)]
    all: bool,
    /// The release
    #[arg(long, value_name = "VERSION")]
    release: Option<Version>,
    /// Update without backups: what fails goes back to its former release, and keeps its data as it is
    #[arg(long)]
    without_backup: bool,
    #[command(flatten)]
    patience: Patience,
}

/// Brings one instance, or all, to a release.
pub async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let client = context.client()?;
    let whom = args.instance.clone().unwrap_or_else(|| "all instances".to_owned());
    let what = || format!("can't deploy to {whom}");
    let version = match args.release {
        Some(version) => version,
        None => newest(&client, args.instance.as_deref(), &whom).await?,
    };
    let wanted = NewRollout {
        version: version.clone(),
        strategy: RolloutStrategy { without_backup: args.without_backup, ..RolloutStrategy::default() },
        only: args.instance.clone().map(|instance| vec![instance]),
        dry_run: false,
    };
    let plan = client.plan_rollout(&wanted).await.doing(what)?;
    if plan.units.is_empty() {
        // Of all, those that are left out stay so by agreement; of one, it is the answer.
        let left = plan.left_out.first().filter(|_| args.instance.is_some());
        if let Some(left) = left {
            return Err(Failure::new(Exit::Refused, what(), &left.why));
        }
        if args.instance.is_some() && plan.ran_it_already == 0 {
            let why = format!("{version} is promoted to {} only, and that is another stage", plan.stage);
            return Err(Failure::new(Exit::Refused, what(), why).next("promote the release first, or change the stage"));
        }
        return context.output.report(&plan, format!("{whom}: nothing to do, {version} runs already"));
    }
    let begun = client.start_rollout(&wanted).await.doing(what)?;
    let id = begun.id.to_string();
    if args.patience.no_wait {
        let words = format!("{id} brings {whom} to {version}; follow it with `spinoff rollouts watch {id}`");
        return context.output.report(&begun, words);
    }
    let within = Some(args.patience.timeout);
    let done = watch::until(&client, context.output, &id, within, RolloutState::Done).await?;
    if args.instance.is_some() && done.counts.updated == 0 {
        return Err(not_updated(&client, &id, what()).await);
    }
    context.output.report(&done, summary(&done))
}

/// Why the one instance of a rollout was not updated, though that is done.
async fn not_updated(client: &Client, id: &str, what: String) -> Failure {
    let page = client.rollout_units(id, &UnitFilter::default(), &Paging::default()).await;
    let unit = page.ok().and_then(|page| page.data.into_iter().find(|unit| unit.state != UnitState::Updated));
    let why = unit.and_then(|unit| unit.why).unwrap_or_else(|| "it was left out".to_owned());
    Failure::new(Exit::Failed, what, why).next(format!("see `spinoff rollouts show {id}`"))
}

/// What an instance, or all, would be brought to by whoever does not say it.
async fn newest(client: &Client, instance: Option<&str>, whom: &str) -> Result<Version, Failure> {
    let what = || format!("can't deploy to {whom}");
    let stage = match instance {
        Some(instance) => client.updates(instance).await.doing(what)?.stage,
        None => Stage::Customers,
    };
    let rollouts = client.rollouts(&RolloutFilter::default(), &Paging::default()).await.doing(what)?.data;
    let taken_back = |release: &Release| {
        let last = rollouts.iter().find(|rollout| rollout.version == release.version);
        last.is_some_and(|last| matches!(last.state, RolloutState::RollingBack | RolloutState::RolledBack))
    };
    let releases = Client::every(async |paging| client.releases(&paging).await).await.doing(what)?.data;
    let usable = |release: &Release| release.stage >= stage && release.withdrawn.is_none() && !taken_back(release);
    releases.into_iter().find(usable).map(|release| release.version).ok_or_else(|| {
        let why = format!("no release was promoted to {stage} that is still to be used");
        Failure::new(Exit::NotFound, what(), why).next("add and promote one: `spinoff releases add`")
    })
}
