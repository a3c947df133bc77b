//! Watching a rollout until it is over.

use std::time::Duration;

use api::{Client, ClientError, Rollout};
use fleet::RolloutState;
use indicatif::ProgressBar;
use tokio::time::{Instant, sleep};

use super::summary;
use crate::failure::{Doing as _, Exit, Failure};
use crate::output::{Output, visible};

/// How long a server may be away in between, for instance because it is being restarted.
const AWAY: Duration = Duration::from_secs(30);

/// Whether to wait for the end of a rollout, and for how long.
#[derive(Debug, Clone, clap::Args)]
pub struct Waiting {
    /// Wait for the end, and show how it goes
    #[arg(long)]
    pub wait: bool,

    /// Wait at most so many seconds; the rollout goes on all the same [default: for as long as it takes]
    #[arg(long, value_name = "SECONDS", requires = "wait")]
    pub timeout: Option<u64>,
}

/// Waits until a rollout has reached everybody; one that is on its way back, until everybody is back.
///
/// # Errors
/// When it halts or ends otherwise ([`Exit::Failed`]), is not over in time ([`Exit::TimedOut`]), or the server stays away.
pub async fn to_the_end(client: &Client, output: Output, id: &str, timeout: Option<u64>) -> Result<Rollout, Failure> {
    let seen = client.rollout(id).await.doing(|| format!("can't follow the rollout {id}"))?;
    let end = match seen.state {
        RolloutState::RollingBack | RolloutState::RolledBack => RolloutState::RolledBack,
        RolloutState::Cancelling | RolloutState::Cancelled => RolloutState::Cancelled,
        RolloutState::Running | RolloutState::Paused | RolloutState::Halted | RolloutState::Done => RolloutState::Done,
    };
    until(client, output, id, timeout, end).await
}

/// The same, for an end that is known.
///
/// # Errors
/// As [`to_the_end`].
pub async fn until(
    client: &Client,
    output: Output,
    id: &str,
    timeout: Option<u64>,
    end: RolloutState,
) -> Result<Rollout, Failure> {
    let begun = Instant::now();
    let mut heard = begun;
    let mut progress = Progress::new(output);
    loop {
        match client.rollout(id).await {
            Ok(rollout) => {
                heard = Instant::now();
                progress.update(&rollout);
                if rollout.state.is_over() || rollout.state == RolloutState::Halted {
                    progress.end();
                    return judge(rollout, end);
                }
            }
            Err(ClientError::Unreachable { .. } | ClientError::TimedOut { .. }) if heard.elapsed() < AWAY => {}
            Err(error) => return Err(error).doing(|| format!("can't follow the rollout {id}")),
        }
        if timeout.is_some_and(|seconds| begun.elapsed() >= Duration::from_secs(seconds)) {
            progress.end();
            let why = format!("it is still under way after {}s", timeout.unwrap_or_default());
            return Err(Failure::new(Exit::TimedOut, format!("the rollout {id} is not over"), why)
                .next(format!("it goes on; follow it with `spinoff rollouts watch {id}`")));
        }
        sleep(pause(begun.elapsed())).await;
    }
}

fn judge(rollout: Rollout, end: RolloutState) -> Result<Rollout, Failure> {
    if rollout.state == end {
        return Ok(rollout);
    }
    let Rollout { id, version, state, .. } = &rollout;
    let why = rollout.why.clone().unwrap_or_else(|| summary(&rollout));
    let next = match state {
        RolloutState::Halted => format!(
            "`spinoff rollouts show {id}` says who failed and why; then `resume` it, `skip` an instance, `cancel` it or `roll-back`"
        ),
        _ => format!("see `spinoff rollouts show {id}`"),
    };
    let what = format!("the rollout {id} of {version} is {state}");
    Err(Failure::new(Exit::Failed, what, visible(why)).next(next))
}

/// Short ones are shown at once; long ones are not asked for all the time.
fn pause(waited: Duration) -> Duration {
    (waited / 20).clamp(Duration::from_millis(100), Duration::from_secs(2))
}

/// What happens in a rollout, line by line, and where somebody watches a line that moves.
struct Progress {
    output: Output,
    told: usize,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(output: Output) -> Self {
        let bar = output.is_watched().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { output, told: 0, bar }
    }

    fn update(&mut self, rollout: &Rollout) {
        for event in rollout.log.iter().skip(self.told) {
            self.tell(&visible(event.what.clone()));
        }
        self.told = rollout.log.len();
        if let Some(bar) = &self.bar {
            bar.set_message(visible(moving(rollout)));
        }
    }

    fn tell(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => self.output.note(line),
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn moving(rollout: &Rollout) -> String {
    let counts = &rollout.counts;
    let mut line = summary(rollout);
    if counts.under_way() > 0 {
        line.push_str(&format!(", {} under way", counts.under_way()));
    }
    if counts.waiting > 0 {
        line.push_str(&format!(", {} waiting", counts.waiting));
    }
    line
}
