use api::{Client, Incident, IncidentFilter, NewIncident, NewIncidentUpdate};
use clap::Subcommand;
use domain::{Component, Impact, IncidentState};

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::table;
use crate::when::moment;

/// What can be said on the status page.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the incidents, newest first
    #[command(after_help = "Examples:
  spinoff incidents list
  spinoff incidents list --state open --json | jq -r '.data[].title'")]
    List {
        /// Only those: open, or one of the states
        #[arg(long, value_parser = ["open", "investigating", "identified", "monitoring", "resolved"])]
        state: Option<String>,
    },
    /// Show an incident with all that was said of it
    #[command(after_help = "Examples:
  spinoff incidents show inc_01k9x0a4q7e8r9t0v1w2x3y4z5")]
    Show {
        /// Id of the incident
        id: String,
    },
    /// Open an incident: the status page shows it, and subscribers are told by mail
    #[command(after_help = "Everybody reads it, so name no customer.

Exit codes: 0 it is open, 4 something of it is refused.

Examples:
  spinoff incidents open --title 'Some workspaces do not answer' --impact major --component instances \\
      --text 'We are looking into it.'")]
    Open {
        /// What customers notice, in one line
        #[arg(long, value_name = "LINE")]
        title: String,
        /// How many notice it: minor, major or critical
        #[arg(long, value_parser = impact)]
        impact: Impact,
        /// What it is about; may be given several times
        #[arg(long = "component", value_parser = component, required = true)]
        components: Vec<Component>,
        /// What is known so far
        #[arg(long, value_name = "SENTENCE")]
        text: String,
    },
    /// Say how an incident is now
    #[command(after_help = "Exit codes: 0 it was said, 3 no such incident, 4 it is resolved.

Examples:
  spinoff incidents update inc_01k9x0a4q7e8r9t0v1w2x3y4z5 --state identified --text 'Our provider has an outage.'")]
    Update {
        /// Id of the incident
        id: String,
        /// How far it has come: investigating, identified, monitoring or resolved
        #[arg(long, value_parser = state)]
        state: IncidentState,
        /// What is known
        #[arg(long, value_name = "SENTENCE")]
        text: String,
    },
    /// Say that an incident is over
    #[command(after_help = "Exit codes: 0 it is resolved, 3 no such incident, 4 it was already.

Examples:
  spinoff incidents resolve inc_01k9x0a4q7e8r9t0v1w2x3y4z5 --text 'All workspaces answer again.'")]
    Resolve {
        /// Id of the incident
        id: String,
        /// How it ended
        #[arg(long, value_name = "SENTENCE")]
        text: String,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::List { state } => list(context, &client, &IncidentFilter { state }).await,
        Command::Show { id } => {
            let incident = client.incident(&id).await.doing(|| format!("can't show {id}"))?;
            context.output.show(&incident, || in_words(&incident))
        }
        Command::Open { title, impact, components, text } => {
            let components = components.iter().map(|component| component.as_str().to_owned()).collect();
            let new = NewIncident { title, impact: impact.as_str().to_owned(), components, text };
            let incident = client.open_incident(&new).await.doing(|| "can't open the incident".to_owned())?;
            context.output.report(&incident, format!("The status page shows it: {}", incident.id))
        }
        Command::Update { id, state, text } => update(context, &client, &id, state, text).await,
        Command::Resolve { id, text } => update(context, &client, &id, IncidentState::Resolved, text).await,
    }
}

async fn update(
    context: &Context,
    client: &Client,
    id: &str,
    state: IncidentState,
    text: String,
) -> Result<(), Failure> {
    let update = NewIncidentUpdate { state: state.as_str().to_owned(), text };
    let incident = client.update_incident(id, &update).await.doing(|| format!("can't update {id}"))?;
    context.output.report(&incident, format!("{} is {}: {}", incident.id, incident.state, incident.title))
}

async fn list(context: &Context, client: &Client, filter: &IncidentFilter) -> Result<(), Failure> {
    let page = Client::every(async |paging| client.incidents(filter, &paging).await)
        .await
        .doing(|| "can't list the incidents".to_owned())?;
    let row = |incident: &Incident| {
        [
            incident.id.to_string(),
            incident.state.clone(),
            incident.impact.clone(),
            incident.components.join(", "),
            moment(incident.opened_at),
            incident.title.clone(),
        ]
    };
    let headings = ["INCIDENT", "STATE", "IMPACT", "ABOUT", "SINCE", "TITLE"];
    context.output.show(&page, || table(&headings, page.data.iter().map(row)))
}

fn in_words(incident: &Incident) -> String {
    let updates = incident
        .updates
        .iter()
        .map(|update| [moment(update.at), update.state.clone(), update.author.clone(), update.text.clone()]);
    let updates = table(&["AT", "STATE", "BY", "TEXT"], updates);
    format!("{} ({}, {})\n\n{updates}", incident.title, incident.state, incident.components.join(", "))
}

fn impact(word: &str) -> Result<Impact, String> {
    Impact::parse(word).map_err(|error| error.to_string())
}

fn component(word: &str) -> Result<Component, String> {
    Component::parse(word).map_err(|error| error.to_string())
}

fn state(word: &str) -> Result<IncidentState, String> {
    IncidentState::parse(word).map_err(|error| error.to_string())
}
