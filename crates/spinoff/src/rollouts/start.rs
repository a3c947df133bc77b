use std::num::NonZeroU16;

use api::{Client, NewRollout, RolloutStrategy};
use fleet::Version;

use super::{plan, summary, watch};
use crate::confirm;
use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};

/// Which release to roll out, and how.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Left as it is, instances are updated one by one, and the first failure stops it. Each is backed up
first, and goes back to its former release and data by itself if its update fails. Instances that sleep or are in a quiet
hour come first, those with a maintenance window in their window, pinned ones not at all. The plan is shown before
anything happens: on a terminal you are asked, scripts give --yes.

Exit codes: 0 it began, or with --wait it is done, 1 it halted or failed, 3 no such release or instance, 4 refused or not
confirmed, 5 not done in time.

Examples:
  spinoff rollouts start 1.4.0 --dry-run
  spinoff rollouts start 1.4.0 --yes --wait
  spinoff rollouts start 1.4.0 --waves 1,10,20,30 --at-once 10 --soak 30m --tolerate 2% --notice 24h
  spinoff rollouts start 1.4.0 --only acme --only zoo --yes"
)]
pub struct Args {
    /// The version of the release
    version: Version,
    #[command(flatten)]
    strategy: Strategy,
    /// Only this instance; may be given several times [default: all of the release's stage and those before it]
    #[arg(long, value_name = "INSTANCE")]
    only: Vec<String>,
    /// Show the plan, and do nothing
    #[arg(long, conflicts_with_all = ["yes", "wait"])]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    waiting: watch::Waiting,
}

/// How instances are gone through.
#[derive(Debug, clap::Args)]
pub struct Strategy {
    /// In waves of so many per cent; what they leave is the last one
    #[arg(long, value_name = "PERCENTS", value_delimiter = ',')]
    waves: Vec<u8>,
    /// So many of a wave are deployed at a time [default: one]
    #[arg(long, value_name = "N")]
    at_once: Option<NonZeroU16>,
    /// Watch each for so long before it counts as updated, such as 30m or 2h
    #[arg(long, value_name = "TIME", value_parser = minutes)]
    soak: Option<u32>,
    /// So many may fail, such as 2 or 2% [default: none]
    #[arg(long, value_name = "N|N%")]
    tolerate: Option<String>,
    /// Tell customers so long before the first one, such as 24h or 3d
    #[arg(long, value_name = "TIME", value_parser = hours)]
    notice: Option<u32>,
    /// Update without backups: what fails goes back to its former release, and keeps its data as it is
    #[arg(long)]
    without_backup: bool,
}

/// Shows what would happen, asks, and begins.
pub async fn run(context: &Context, client: &Client, args: Args) -> Result<(), Failure> {
    let Args { version, strategy, only, dry_run, yes, waiting } = args;
    let what = || format!("can't roll {version} out");
    let wanted = NewRollout {
        version: version.clone(),
        strategy: strategy.wanted(),
        only: (!only.is_empty()).then_some(only),
        dry_run,
    };
    let planned = client.plan_rollout(&wanted).await.doing(what)?;
    if dry_run {
        return context.output.show(&planned, || plan::in_words(&planned));
    }
    if planned.units.is_empty() {
        let words = format!("nobody is to be updated: {} run {version} already", planned.ran_it_already);
        let left = planned.left_out.iter().map(|left| format!("; {} is left out, {}", left.subdomain, left.why));
        return context.output.report(&planned, words + &left.collect::<String>());
    }
    if let Some(open) = planned.waits_for {
        let next = "wait for its end, or cancel it: `spinoff rollouts cancel`";
        return Err(Failure::new(Exit::Refused, what(), format!("another rollout is open: {open}")).next(next));
    }
    context.output.note(plan::in_words(&planned));
    confirm::yes(yes, &format!("{version} was not rolled out"))?;
    let begun = client.start_rollout(&wanted).await.doing(what)?;
    let id = begun.id.to_string();
    if !waiting.wait {
        let words =
            format!("{id} brings {} instances to {version}; follow it with `spinoff rollouts watch`", begun.planned);
        return context.output.report(&begun, words);
    }
    let done = watch::to_the_end(client, context.output, &id, waiting.timeout).await?;
    context.output.report(&done, summary(&done))
}

impl Strategy {
    fn wanted(self) -> RolloutStrategy {
        RolloutStrategy {
            waves: (!self.waves.is_empty()).then_some(self.waves),
            at_once: self.at_once,
            soak_minutes: self.soak.unwrap_or(0),
            tolerated: self.tolerate,
            notice_hours: self.notice.unwrap_or(0),
            without_backup: self.without_backup,
        }
    }
}

/// `30m`, `2h`, `1d`, in minutes.
fn minutes(text: &str) -> Result<u32, String> {
    spans(text, [("m", 1), ("h", 60), ("d", 24 * 60)])
        .ok_or_else(|| format!("{text:?} is no time: write it like 30m, 2h or 1d"))
}

/// `24h`, `3d`, in hours.
fn hours(text: &str) -> Result<u32, String> {
    spans(text, [("h", 1), ("d", 24)]).ok_or_else(|| format!("{text:?} is no time: write it like 24h or 3d"))
}

fn spans<const N: usize>(text: &str, units: [(&str, u32); N]) -> Option<u32> {
    let (number, each) =
        units.into_iter().find_map(|(unit, each)| text.strip_suffix(unit).map(|number| (number, each)))?;
    number.parse::<u32>().ok()?.checked_mul(each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_their_unit() {
        assert_eq!((minutes("30m"), minutes("2h"), minutes("1d")), (Ok(30), Ok(120), Ok(1_440)));
        assert_eq!((hours("24h"), hours("3d")), (Ok(24), Ok(72)));
        for wrong in ["", "30", "m", "-1m", "1.5h", "4294967295h", "30 m"] {
            assert!(minutes(wrong).is_err(), "{wrong}");
        }
        assert!(hours("30m").is_err(), "half an hour of notice is not rounded");
    }
}
