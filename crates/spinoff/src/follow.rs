//! Watching a workflow until it is over.

use std::collections::HashSet;
use std::time::Duration;

use api::{Client, ClientError, Direction, Step, StepState, Workflow, WorkflowState};
use domain::WorkflowId;
use indicatif::ProgressBar;
use tokio::time::{Instant, sleep};

use crate::failure::{Doing as _, Exit, Failure};
use crate::output::{Output, visible};
use crate::when::span;

/// How long a server may be away in between, for instance because it is being restarted.
const AWAY: Duration = Duration::from_secs(30);

/// Whether and how long to wait for the end of long work.
#[derive(Debug, Clone, clap::Args)]
pub struct Patience {
    /// Do not wait for the end
    #[arg(long)]
    pub no_wait: bool,

    /// Wait at most so many seconds; the work goes on all the same
    #[arg(long, value_name = "SECONDS", default_value_t = 600, conflicts_with = "no_wait")]
    pub timeout: u64,
}

/// Waits until the workflow is over, showing its steps as they end.
///
/// # Errors
/// When it ends without success ([`Exit::Failed`]), does not end in time ([`Exit::TimedOut`]), or
/// the server stays away.
pub async fn follow(
    client: &Client,
    output: Output,
    id: WorkflowId,
    what: &str,
    patience: &Patience,
) -> Result<Workflow, Failure> {
    follow_until(client, output, id, what, patience, |_| false).await
}

/// The same, but not longer than until it is `enough`.
///
/// # Errors
/// As [`follow`].
pub async fn follow_until(
    client: &Client,
    output: Output,
    id: WorkflowId,
    what: &str,
    patience: &Patience,
    enough: impl Fn(&Workflow) -> bool,
) -> Result<Workflow, Failure> {
    let begun = Instant::now();
    let within = Duration::from_secs(patience.timeout);
    let mut heard = begun;
    let mut progress = Progress::new(output);
    loop {
        match client.workflow(&id.to_string()).await {
            Ok(workflow) => {
                heard = Instant::now();
                progress.update(&workflow);
                if workflow.state.is_over() {
                    return judge(workflow, what);
                }
                if enough(&workflow) {
                    progress.end();
                    return Ok(workflow);
                }
            }
            Err(ClientError::Unreachable { .. } | ClientError::TimedOut { .. }) if heard.elapsed() < AWAY => {}
            Err(error) => return Err(error).doing(|| format!("can't follow workflow {id}")),
        }
        if begun.elapsed() >= within {
            let why = format!("workflow {id} is still under way after {}s", patience.timeout);
            return Err(Failure::new(Exit::TimedOut, what, why)
                .next(format!("it goes on; follow it with `spinoff workflows show {id}`")));
        }
        sleep(pause(begun.elapsed())).await;
    }
}

fn judge(workflow: Workflow, what: &str) -> Result<Workflow, Failure> {
    if workflow.state == WorkflowState::Done {
        return Ok(workflow);
    }
    let cause = workflow.error.unwrap_or_else(|| "no cause was recorded".to_owned());
    let Workflow { id, state, .. } = workflow;
    let next = match state {
        WorkflowState::Failed => format!("everything was undone; see `spinoff workflows show {id}`"),
        _ => format!("see `spinoff workflows show {id}`, then `spinoff workflows retry {id}`"),
    };
    Err(Failure::new(Exit::Failed, what, visible(format!("workflow {state}: {cause}", state = state.as_str())))
        .next(next))
}

/// Short work is shown at once; long work is not asked for all the time.
fn pause(waited: Duration) -> Duration {
    (waited / 20).clamp(Duration::from_millis(50), Duration::from_secs(1))
}

/// The steps of a workflow as they happen: a line for each that ended and, where somebody watches,
/// a moving one for the steps under way. Where nobody does, each new reason to try again has a line.
struct Progress {
    output: Output,
    told: HashSet<(String, Direction)>,
    told_errors: HashSet<(String, Direction, String)>,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(output: Output) -> Self {
        let bar = output.is_watched().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { output, told: HashSet::new(), told_errors: HashSet::new(), bar }
    }

    fn update(&mut self, workflow: &Workflow) {
        for step in workflow.steps.iter().filter(|step| has_ended(step, workflow.state)) {
            if self.told.insert((step.name.clone(), step.direction)) {
                self.tell(&ended(step));
            }
        }
        let under_way: Vec<&Step> = workflow.steps.iter().filter(|step| !has_ended(step, workflow.state)).collect();
        if self.bar.is_none() {
            self.tell_errors(&under_way);
        }
        if let Some(bar) = &self.bar {
            bar.set_message(in_one_line(&under_way));
        }
        if workflow.state.is_over() {
            self.end();
        }
    }

    /// Shows nothing more of a workflow that goes on.
    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn tell_errors(&mut self, under_way: &[&Step]) {
        for step in under_way {
            let Some(error) = &step.error else { continue };
            if self.told_errors.insert((step.name.clone(), step.direction, error.clone())) {
                self.tell(&visible(format!("… {}", tried(step))));
            }
        }
    }

    fn tell(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => self.output.note(line),
        }
    }
}

/// A step that failed is tried again, unless its workflow is over or takes back what it did.
fn has_ended(step: &Step, workflow: WorkflowState) -> bool {
    let being_undone = workflow == WorkflowState::Undoing && step.direction == Direction::Do;
    match step.state {
        StepState::Done => true,
        StepState::Failed => workflow.is_over() || being_undone,
        StepState::Started | StepState::Waiting => false,
    }
}

fn in_one_line(under_way: &[&Step]) -> String {
    visible(under_way.iter().map(|step| tried(step)).collect::<Vec<_>>().join(", "))
}

fn tried(step: &Step) -> String {
    match &step.error {
        Some(error) => format!("{}  attempt {}, last error: {error}", name(step), step.attempts),
        None => name(step),
    }
}

fn ended(step: &Step) -> String {
    let mark = if step.state == StepState::Done { "✓" } else { "✗" };
    let took = step.duration_ms.map(|millis| format!("  {}", span(millis)));
    let error = step.error.as_ref().filter(|_| step.state == StepState::Failed).map(|error| format!("  {error}"));
    visible(format!("{mark} {}{}{}", name(step), took.unwrap_or_default(), error.unwrap_or_default()))
}

fn name(step: &Step) -> String {
    match step.direction {
        Direction::Do => step.name.clone(),
        Direction::Undo => format!("undo: {}", step.name),
    }
}
