//! `cargo xtask bench`: measures of the release build, taken from outside as a user would see them.

mod billing;
mod figures;
mod fleet;
mod guard;
mod idle;
mod load;
mod provisioning;
mod rehearsal;
mod size;
mod start;
mod table;
mod workspace;

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use crate::product::Product;
use table::Measure;

/// What to measure.
#[derive(Debug, clap::Args)]
#[command(after_help = "Measures depend on the machine and on what else it does: compare within one run.

Examples:
  cargo xtask bench
  cargo xtask bench start size --json
  cargo xtask bench load --binary /tmp/spinoff-of-last-week
  cargo xtask bench guard --rounds 3
  cargo xtask bench workspace
  cargo xtask bench crowd
  cargo xtask bench seeds --number 200
  cargo xtask bench billing
  cargo xtask bench year --customers 200
  cargo xtask bench fleet --sizes 10000
  cargo xtask bench rollout
  cargo xtask bench fleet-seeds --number 50 --first 1000
  cargo xtask bench fleet-year --instances 2000 --releases 10")]
pub struct Args {
    /// [default: start, provisioning, idle, load and size]
    #[arg(value_enum)]
    what: Vec<What>,

    /// Measure this executable instead of building one; for `guard`, `spinoff-guard` or `spinoff`; for `workspace`,
    /// `ai-diy`; for `billing` and `fleet`, the examples `measure_billing` and `measure_fleet` of the crate
    /// `control-plane`
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,

    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    effort: guard::Effort,

    #[command(flatten)]
    numbers: rehearsal::Numbers,

    #[command(flatten)]
    billed: billing::Load,

    #[command(flatten)]
    sizes: fleet::Sizes,

    #[command(flatten)]
    fleet: rehearsal::Fleet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// From the beginning of the process to its first answer
    Start,
    /// From the request for an instance to the instance being healthy, and back to nothing
    Provisioning,
    /// Memory and processor time while nobody does anything
    Idle,
    /// Requests per second through edge and guard
    Load,
    /// The executable's size
    Size,
    /// The guard alone on one core, beside nginx and HAProxy, and whether it reaches its aims
    Guard,
    /// A clean build, and the tests
    Build,
    /// Whether everything fits together in the end whatever chance does, at simulated companies
    Seeds,
    /// How long many signups take that come at once, beside what Railway's limits alone dictate
    Crowd,
    /// How long a signup takes, beside what Railway's delays alone dictate
    Signup,
    /// How long a rollout to many instances takes at Railway, beside what its limits and delays alone dictate
    Rollout,
    /// Fleets through thirty releases, good and bad, while providers fail and main instances die: nobody is skipped, and
    /// nobody is left between versions, whatever a seed decides
    FleetSeeds,
    /// The same with one large fleet, and how long each update takes the main instance
    FleetYear,
    /// Marks, reports and the close of a month, beside a row for each event, and whether they reach their aims
    Billing,
    /// A year of many customers in which whatever can go wrong does: whether the books balance in the end
    Year,
    /// A main instance with many instances in its store: starting, looking, resting, and the console's pages
    Fleet,
    /// AI-DIY by itself: memory, first paint and weight of pages, a word's way to the screen, a sprint's first code,
    /// and ten workspaces on two cores
    Workspace,
}

impl Args {
    fn binary_or(&self, build: impl FnOnce() -> Result<PathBuf>) -> Result<PathBuf> {
        match &self.binary {
            Some(binary) => Ok(binary.canonicalize()?),
            None => build(),
        }
    }
}

impl What {
    const USUAL: [Self; 5] = [Self::Start, Self::Provisioning, Self::Idle, Self::Load, Self::Size];
}

/// Measures, and prints what came out.
pub fn run(args: &Args) -> Result<()> {
    let what = if args.what.is_empty() { &What::USUAL[..] } else { &args.what };
    let mut measures = Vec::new();
    if what.contains(&What::Build) {
        measures.extend(size::build()?);
    }
    if what.contains(&What::Guard) {
        let report = guard::measure(&args.binary_or(guard::build)?, &args.effort)?;
        if args.json {
            measures.extend(report.measures());
        } else {
            println!("{}", report.plain());
        }
    }
    if what.contains(&What::Billing) {
        measures.extend(billing::measure(&args.binary_or(billing::build)?, &args.billed)?);
    }
    if what.contains(&What::Fleet) {
        measures.extend(fleet::measure(&args.binary_or(fleet::build)?, &args.sizes)?);
    }
    if what.contains(&What::Workspace) {
        measures.extend(workspace::measure(&args.binary_or(workspace::build)?)?);
    }
    if what.contains(&What::Year) {
        rehearsal::year(args.billed.customers)?;
    }
    if what.contains(&What::FleetYear) {
        rehearsal::fleet_year(&args.fleet)?;
    }
    for (name, rehearse) in [
        (What::Seeds, rehearsal::seeds as fn(&rehearsal::Numbers) -> Result<()>),
        (What::Crowd, rehearsal::crowd),
        (What::Signup, rehearsal::signup),
        (What::Rollout, rehearsal::rollout),
        (What::FleetSeeds, rehearsal::fleet_seeds),
    ] {
        if what.contains(&name) {
            rehearse(&args.numbers)?;
        }
    }
    if what.iter().any(|what| What::USUAL.contains(what)) {
        let binary = args.binary_or(Product::build_release)?;
        for (name, measure) in [
            (What::Start, start::measure as fn(&std::path::Path) -> Result<Vec<Measure>>),
            (What::Provisioning, provisioning::measure),
            (What::Idle, idle::measure),
            (What::Load, load::measure),
            (What::Size, size::measure),
        ] {
            if what.contains(&name) {
                let title = format!("measuring {name:?}").to_lowercase();
                measures.extend(crate::shell::step(&title, || measure(&binary))?);
            }
        }
    }
    if args.json {
        println!("{}", table::json(&measures));
    } else if !measures.is_empty() {
        println!("{}", table::plain(&measures));
    }
    Ok(())
}
