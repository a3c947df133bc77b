use api::{Client, Instance, InstanceFilter, Page};
use clap::Subcommand;
use domain::{InstanceState, ProjectName};
use fleet::Stage;

use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};
use crate::output::{self, or_dash, pairs, table, visible};
use crate::when::{ago, moment};
use crate::{delete, provision};

mod access;
mod copy;
mod download;
mod export;
mod health;
mod import;
mod moves;
mod rename;
mod support;
mod updates;

/// What can be done about instances.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the instances, newest first, as they were when last looked at
    #[command(after_help = "Examples:
  spinoff instances list
  spinoff instances list --state active --json | jq -r '.data[].url'")]
    List {
        /// Only those in this state
        #[arg(long, value_parser = state)]
        state: Option<InstanceState>,
    },
    /// Show one instance
    #[command(after_help = "Examples:
  spinoff instances show acme
  spinoff instances show ai-diy-acme --json | jq -r .state")]
    Show {
        /// Id, project name or subdomain
        instance: String,
    },
    /// Show how an instance is, who saw what of it and when, and how much of the time it answered
    #[command(after_help = "Asleep is not down, unreachable is not deleted, and unknown is an answer too.

Examples:
  spinoff instances health acme
  spinoff instances health acme --json | jq -r .verdict")]
    Health {
        /// Id, project name or subdomain
        instance: String,
    },
    /// Make an instance for a customer, like `spinoff provision`
    Add(provision::Args),
    /// Take an instance down with all its data, like `spinoff delete`
    Remove(delete::Args),
    /// Make another instance of the same customer that begins with what an instance keeps
    Copy(copy::Args),
    /// Move an instance to another subdomain and wait until it answers there
    Rename(rename::Args),
    /// Move an instance to another home: a region, or another compute driver
    Move(moves::Args),
    /// Say that a move was right: the place that the instance left is removed
    ConfirmMove(moves::Confirm),
    /// Take a move back that nobody confirmed, with everything that was written since
    MoveBack(moves::Back),
    /// Show or change which Access application at Cloudflare stands before an instance
    #[command(subcommand)]
    Access(access::Command),
    /// Show what an instance runs, the update that waits, and what was agreed
    #[command(after_help = "Exit codes: 0 shown, 1 failed, 3 no such instance.

Examples:
  spinoff instances updates acme
  spinoff instances updates acme --json | jq -r .release.version")]
    Updates {
        /// Id, project name or subdomain
        instance: String,
    },
    /// Keep an instance at what it runs, for a while
    Pin(updates::Pin),
    /// Let rollouts reach an instance again
    #[command(after_help = "Examples:
  spinoff instances unpin acme")]
    Unpin {
        /// Id, project name or subdomain
        instance: String,
    },
    /// Say when updates of an instance may begin
    Window(updates::WindowArgs),
    /// Put updates of an instance off for some days
    Defer(updates::Defer),
    /// Make an instance one of a stage: releases reach development first, then main, then customers
    #[command(after_help = "Exit codes: 0 it is one of it, 3 no such instance, 4 refused.

Examples:
  spinoff instances stage try-out development
  spinoff instances stage acme customers")]
    Stage {
        /// Id, project name or subdomain
        instance: String,
        /// development, main or customers
        stage: Stage,
    },
    /// Ask a customer to let support into an instance, and see when it was inside
    #[command(subcommand)]
    Support(support::Command),
    /// Save everything that an instance keeps, with checksums
    Download(download::Args),
    /// Write the project names of all instances, one a line
    Export(export::Args),
    /// Compare a list of project names with the server
    Import(import::Args),
    /// Print the last lines that an instance wrote
    #[command(after_help = "Examples:
  spinoff instances logs acme
  spinoff instances logs acme --lines 1000 | grep -i error")]
    Logs {
        /// Id, project name or subdomain
        instance: String,
        /// How many lines
        #[arg(long, value_name = "N", default_value_t = 100)]
        lines: u32,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::List { state } => list(context, state).await,
        Command::Show { instance } => {
            let shown =
                context.client()?.instance(&instance).await.doing(|| format!("can't show the instance {instance}"))?;
            context.output.show(&shown, || in_words(context, &shown))
        }
        Command::Add(args) => provision::run(context, args).await,
        Command::Remove(args) => delete::run(context, args).await,
        Command::Copy(args) => copy::run(context, args).await,
        Command::Rename(args) => rename::run(context, args).await,
        Command::Move(args) => moves::there(context, args).await,
        Command::ConfirmMove(args) => moves::confirm(context, args).await,
        Command::MoveBack(args) => moves::back(context, args).await,
        Command::Access(command) => access::run(context, command).await,
        Command::Updates { instance } => updates::show(context, &instance).await,
        Command::Pin(args) => updates::pin(context, args).await,
        Command::Unpin { instance } => updates::unpin(context, &instance).await,
        Command::Window(args) => updates::window(context, args).await,
        Command::Defer(args) => updates::defer(context, args).await,
        Command::Stage { instance, stage } => updates::stage(context, &instance, stage).await,
        Command::Support(command) => support::run(context, command).await,
        Command::Download(args) => download::run(context, args).await,
        Command::Export(args) => export::run(context, &args).await,
        Command::Import(args) => import::run(context, args).await,
        Command::Health { instance } => health::show(context, &instance).await,
        Command::Logs { instance, lines } => {
            let logs = context.client()?.instance_logs(&instance, lines).await;
            let logs = logs.doing(|| format!("can't read the logs of {instance}"))?;
            // Line ends stay; whatever else could command a terminal does not.
            let lines: String = logs.lines().map(|line| format!("{}\n", visible(line.to_owned()))).collect();
            output::print(&lines)
        }
    }
}

async fn list(context: &Context, state: Option<InstanceState>) -> Result<(), Failure> {
    let page = all(&context.client()?, &InstanceFilter { state }).await?;
    let now = context.clock.now();
    let row = |instance: &Instance| {
        let Instance { project, state, health, observed_at, url, customer_email, .. } = instance;
        [
            project.to_string(),
            state.to_string(),
            or_dash(health.map(api::Health::as_str)),
            or_dash(observed_at.map(|then| ago(now, then))),
            url.clone(),
            customer_email.to_string(),
        ]
    };
    let headings = ["PROJECT", "STATE", "HEALTH", "OBSERVED", "URL", "CUSTOMER"];
    context.output.show(&page, || table(&headings, page.data.iter().map(row)))
}

fn in_words(context: &Context, instance: &Instance) -> String {
    let now = context.clock.now();
    let observed = instance.observed_at.map(|then| {
        let by = instance.observed_by.as_ref().map(|by| format!(" by {by}"));
        format!("{} ({}){}", moment(then), ago(now, then), by.unwrap_or_default())
    });
    let removed = instance.removal.as_ref().map(|record| {
        let things: Vec<String> = record.removed.iter().map(|thing| format!("{} {}", thing.kind, thing.name)).collect();
        format!("{} at the request of {}: {}", moment(record.finished_at), record.requested_by, things.join(", "))
    });
    let mut rows = vec![
        ("id", instance.id.to_string()),
        ("project", instance.project.to_string()),
        ("url", instance.url.clone()),
        ("customer", instance.customer_email.to_string()),
        ("state", instance.state.to_string()),
        ("health", or_dash(instance.health.map(api::Health::as_str))),
        ("observed", or_dash(observed)),
        ("release", or_dash(instance.release.as_ref())),
        ("created", moment(instance.created_at)),
        ("workflow", or_dash(instance.workflow_id)),
    ];
    rows.extend(instance.access.as_ref().map(|access| ("access", access::in_words(access))));
    rows.extend(instance.next_subdomain.as_ref().map(|name| ("moves to", name.to_string())));
    rows.extend(moves::rows(instance));
    rows.extend(instance.copied_from.map(|source| ("copied from", source.to_string())));
    rows.extend(instance.suspended_because.clone().map(|reason| ("suspended because", reason)));
    rows.extend(instance.deletion.as_ref().map(|asked| {
        ("deletion", format!("on {}, as {} asked; `spinoff delete --undo`", moment(asked.deleted_at), asked.asked_by))
    }));
    rows.extend(removed.map(|removed| ("removed", removed)));
    pairs(&rows)
}

async fn all(client: &Client, filter: &InstanceFilter) -> Result<Page<Instance>, Failure> {
    Client::every(async |paging| client.instances(filter, &paging).await)
        .await
        .doing(|| "can't list the instances".to_owned())
}

/// The projects that exist or are being made, in the order of their names.
async fn projects(client: &Client) -> Result<Vec<ProjectName>, Failure> {
    let page = all(client, &InstanceFilter::default()).await?;
    let mut names: Vec<ProjectName> =
        page.data.into_iter().filter(|instance| !instance.state.is_over()).map(|instance| instance.project).collect();
    names.sort();
    Ok(names)
}

fn file_failure(what: &str, path: &std::path::Path, cause: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, what, format!("{}: {cause}", path.display()))
}

fn state(word: &str) -> Result<InstanceState, String> {
    InstanceState::parse(word)
        .map_err(|_| format!("choose one of {}", InstanceState::ALL.map(InstanceState::as_str).join(", ")))
}
