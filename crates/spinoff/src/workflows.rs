use api::{Client, Direction, Step, StepState, Workflow, WorkflowFilter, WorkflowState};
use clap::Subcommand;

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{or_dash, pairs, table, visible};
use crate::when::{ago, moment, span};

/// What can be done about workflows.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the workflows, newest first
    #[command(after_help = "Examples:
  spinoff workflows list
  spinoff workflows list --state stuck")]
    List {
        /// Only those in this state
        #[arg(long, value_parser = state)]
        state: Option<WorkflowState>,
    },
    /// Show one workflow with its steps, attempts and errors
    #[command(after_help = "Examples:
  spinoff workflows show wfl_01k9x0a4q7e8r9t0v1w2x3y4z5")]
    Show {
        /// Id of the workflow
        id: String,
    },
    /// Take a workflow up again now, from the step that failed
    #[command(after_help = "Examples:
  spinoff workflows retry wfl_01k9x0a4q7e8r9t0v1w2x3y4z5")]
    Retry {
        /// Id of the workflow
        id: String,
    },
    /// Give a workflow up
    #[command(after_help = "Examples:
  spinoff workflows abandon wfl_01k9x0a4q7e8r9t0v1w2x3y4z5")]
    Abandon {
        /// Id of the workflow
        id: String,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::List { state } => list(context, &client, state).await,
        Command::Show { id } => {
            let workflow = client.workflow(&id).await.doing(|| format!("can't show workflow {id}"))?;
            context.output.show(&workflow, || in_words(&workflow))
        }
        Command::Retry { id } => {
            let accepted = client.retry_workflow(&id).await.doing(|| format!("can't retry workflow {id}"))?;
            context.output.report(&accepted, format!("workflow {id} is taken up again"))
        }
        Command::Abandon { id } => {
            let accepted = client.abandon_workflow(&id).await.doing(|| format!("can't abandon workflow {id}"))?;
            context.output.report(&accepted, format!("workflow {id} is given up"))
        }
    }
}

async fn list(context: &Context, client: &Client, state: Option<WorkflowState>) -> Result<(), Failure> {
    let filter = WorkflowFilter { state };
    let page = Client::every(async |paging| client.workflows(&filter, &paging).await)
        .await
        .doing(|| "can't list the workflows".to_owned())?;
    let now = context.clock.now();
    let row = |workflow: &Workflow| {
        let Workflow { id, kind, subject, state, attempt, error, created_at, .. } = workflow;
        [
            id.to_string(),
            kind.clone(),
            subject.clone(),
            state.as_str().to_owned(),
            attempt.to_string(),
            ago(now, *created_at),
            or_dash(error.as_ref()),
        ]
    };
    let headings = ["WORKFLOW", "KIND", "SUBJECT", "STATE", "ATTEMPT", "BEGUN", "ERROR"];
    context.output.show(&page, || table(&headings, page.data.iter().map(row)))
}

fn in_words(workflow: &Workflow) -> String {
    let about = pairs(&[
        ("workflow", workflow.id.to_string()),
        ("kind", workflow.kind.clone()),
        ("subject", workflow.subject.clone()),
        ("state", workflow.state.as_str().to_owned()),
        ("attempt", workflow.attempt.to_string()),
        ("error", or_dash(workflow.error.as_ref())),
        ("begun", moment(workflow.created_at)),
        ("finished", or_dash(workflow.finished_at.map(moment))),
        ("due", or_dash(workflow.due_at.map(moment))),
    ]);
    let steps = table(&["STEP", "STATE", "ATTEMPTS", "TOOK", "ERROR"], workflow.steps.iter().map(step_row));
    let requests = workflow.steps.iter().filter(|step| !step.requests.is_empty());
    let requests: String = requests.map(|step| listed(&step.name, &step.requests)).collect();
    format!("{about}\n{steps}{requests}")
}

/// What a step asked of providers.
fn listed(step: &str, requests: &[String]) -> String {
    let lines: String = requests.iter().map(|line| format!("  {}\n", visible(line.clone()))).collect();
    format!("\nrequests of {step}\n{lines}")
}

fn step_row(step: &Step) -> [String; 5] {
    let name = match step.direction {
        Direction::Do => step.name.clone(),
        Direction::Undo => format!("undo: {}", step.name),
    };
    let state = match step.state {
        StepState::Started => "started",
        StepState::Waiting => "waiting",
        StepState::Done => "done",
        StepState::Failed => "failed",
    };
    let took = or_dash(step.duration_ms.map(span));
    [name, state.to_owned(), step.attempts.to_string(), took, or_dash(step.error.as_ref())]
}

fn state(word: &str) -> Result<WorkflowState, String> {
    WorkflowState::ALL.into_iter().find(|state| state.as_str() == word).ok_or_else(|| {
        let words = WorkflowState::ALL.map(WorkflowState::as_str).join(", ");
        format!("choose one of {words}")
    })
}
