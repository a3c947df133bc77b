use std::path::PathBuf;

use api::{Client, NewProof, NewRelease, Release, WithdrawRelease};
use clap::{ArgGroup, Subcommand};
use fleet::{Stage, Version};
use jiff::Timestamp;

use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};
use crate::output::{or_dash, pairs, table, visible};
use crate::when::{ago, moment};

mod promote;

/// What can be done about releases.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the releases, newest first
    #[command(after_help = "Examples:
  spinoff releases list
  spinoff releases list --json | jq -r '.data[] | select(.current_for[]? == \"customers\") | .version'")]
    List,
    /// Show one release: where it runs, what proved it, how it was promoted
    #[command(after_help = "Exit codes: 0 shown, 1 failed, 3 no such release.

Examples:
  spinoff releases show 1.4.0
  spinoff releases show 1.4.0 --json | jq .proofs")]
    Show {
        /// Its version
        version: String,
    },
    /// Add a release, for the instances of the stage development at first
    Add(Add),
    /// Take a release to the next stage: from development to main, from main to customers
    Promote(promote::Args),
    /// Take a release out of use; instances that run it go on
    #[command(after_help = "It is neither promoted nor rolled out any more. To bring instances back to what they ran
before, roll its rollout back: `spinoff rollouts roll-back`.

Exit codes: 0 it is withdrawn, 1 failed, 3 no such release, 4 there is no reason.

Examples:
  spinoff releases withdraw 1.4.0 --because 'It loses drafts.'")]
    Withdraw {
        /// Its version
        version: String,
        /// Why, in one sentence
        #[arg(long, value_name = "SENTENCE")]
        because: String,
    },
    /// Say that a release was proven in another installation
    #[command(after_help = "`spinoff releases promote --to` brings proofs along by itself.

Exit codes: 0 it is noted, 1 failed, 3 no such release, 4 refused.

Examples:
  spinoff releases prove 1.4.0 --stage development --environment staging --detail '12 instances, none failed'")]
    Prove {
        /// Its version
        version: String,
        /// At which stage it was proven
        #[arg(long)]
        stage: Stage,
        /// In which installation
        #[arg(long, value_name = "NAME")]
        environment: String,
        /// When, such as 2026-11-29T10:00:00Z [default: now]
        #[arg(long, value_name = "MOMENT")]
        at: Option<Timestamp>,
        /// What was done, in a sentence
        #[arg(long, value_name = "SENTENCE", default_value = "")]
        detail: String,
    },
}

/// What a release is made of.
#[derive(Debug, clap::Args)]
#[command(
    group(ArgGroup::new("artifact").required(true).args(["image", "command"])),
    after_help = "What is left out is as the server's settings say. A release never changes: adding the same one again
changes nothing, another one of the same version is refused.

Exit codes: 0 it is there, 1 failed, 4 refused.

Examples:
  spinoff releases add 1.4.0 --image registry.example.com/app@sha256:4f5e… --notes 'Drafts are kept.'
  spinoff releases add 1.4.0 --command '/opt/app-1.4.0/serve --port $PORT' --read-only /opt/app-1.4.0
  spinoff releases add 2.0.0 --image registry.example.com/app@sha256:90ab… --upgrades-from 1.4.0,1.4.1"
)]
pub struct Add {
    /// How it is called, such as 1.4.0
    version: Version,
    /// The image to run, named by its digest
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// The command to run; $PORT, $DATA and $HOSTNAME_PUBLIC are in its environment
    #[arg(long, value_name = "COMMAND")]
    command: Option<String>,
    /// The path that answers below 500 once the application is well
    #[arg(long, value_name = "PATH")]
    health_path: Option<String>,
    /// A folder that it may read beside the system's own; may be given several times
    #[arg(long, value_name = "DIR")]
    read_only: Vec<String>,
    /// File with rules of what counts as use
    #[arg(long, value_name = "FILE")]
    activity_rules: Option<PathBuf>,
    /// What changed, for customers to read
    #[arg(long, value_name = "TEXT", conflicts_with = "notes_file")]
    notes: Option<String>,
    /// The same, from a file
    #[arg(long, value_name = "FILE")]
    notes_file: Option<PathBuf>,
    /// The only versions that it can follow [default: all]
    #[arg(long, value_name = "VERSIONS", value_delimiter = ',')]
    upgrades_from: Vec<Version>,
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::List => list(context, &client).await,
        Command::Show { version } => {
            let release = client.release(&version).await.doing(|| format!("can't show the release {version}"))?;
            context.output.show(&release, || in_words(context, &release))
        }
        Command::Add(args) => add(context, &client, args).await,
        Command::Promote(args) => promote::run(context, &client, args).await,
        Command::Withdraw { version, because } => {
            let why = WithdrawRelease { because };
            let done = client.withdraw_release(&version, &why).await;
            let release = done.doing(|| format!("can't withdraw the release {version}"))?;
            let words = match release.instances {
                0 => format!("{version} is withdrawn"),
                1 => format!("{version} is withdrawn; one instance still runs it"),
                many => format!("{version} is withdrawn; {many} instances still run it"),
            };
            context.output.report(&release, words)
        }
        Command::Prove { version, stage, environment, at, detail } => {
            let proof = NewProof { stage, environment, proven_at: at.unwrap_or_else(|| context.clock.now()), detail };
            let done = client.prove_release(&version, &proof).await;
            let release = done.doing(|| format!("can't note a proof of {version}"))?;
            context.output.report(&release, format!("{version} counts as proven in {stage}"))
        }
    }
}

async fn list(context: &Context, client: &Client) -> Result<(), Failure> {
    let page = Client::every(async |paging| client.releases(&paging).await)
        .await
        .doing(|| "can't list the releases".to_owned())?;
    let now = context.clock.now();
    let row = |release: &Release| {
        [
            release.version.to_string(),
            if release.withdrawn.is_some() { "withdrawn".to_owned() } else { release.stage.to_string() },
            stages(&release.current_for),
            release.instances.to_string(),
            ago(now, release.made_at),
            first_line(&release.notes),
        ]
    };
    let headings = ["VERSION", "STAGE", "CURRENT FOR", "INSTANCES", "ADDED", "NOTES"];
    context.output.show(&page, || table(&headings, page.data.iter().map(row)))
}

async fn add(context: &Context, client: &Client, args: Add) -> Result<(), Failure> {
    let notes = match &args.notes_file {
        Some(path) => read(path)?,
        None => args.notes.unwrap_or_default(),
    };
    let new = NewRelease {
        version: args.version,
        image: args.image,
        command: args.command,
        health_path: args.health_path,
        read_only: (!args.read_only.is_empty()).then_some(args.read_only),
        activity_rules: args.activity_rules.as_ref().map(read).transpose()?,
        notes,
        upgrades_from: (!args.upgrades_from.is_empty()).then_some(args.upgrades_from),
    };
    let release = client.add_release(&new).await.doing(|| format!("can't add the release {}", new.version))?;
    let words = format!("{} is there, at the stage {}", release.version, release.stage);
    context.output.report(&release, words)
}

fn read(path: &PathBuf) -> Result<String, Failure> {
    let failed = |cause| Failure::new(Exit::Failed, format!("can't read {}", path.display()), cause);
    std::fs::read_to_string(path).map_err(failed)
}

fn stages(stages: &[Stage]) -> String {
    let words: Vec<&str> = stages.iter().map(|stage| stage.as_str()).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}

fn first_line(notes: &str) -> String {
    or_dash(notes.lines().next())
}

fn in_words(context: &Context, release: &Release) -> String {
    let now = context.clock.now();
    let follows = release.upgrades_from.as_ref().map_or_else(
        || "every version".to_owned(),
        |versions| versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    );
    let mut rows = vec![
        ("version", release.version.to_string()),
        ("stage", release.stage.to_string()),
        ("current for", stages(&release.current_for)),
        ("instances", release.instances.to_string()),
        ("runs", or_dash(release.image.as_ref().or(release.command.as_ref()))),
        ("health path", release.health_path.clone()),
        ("follows", follows),
        ("added", format!("{} ({}) by {}", moment(release.made_at), ago(now, release.made_at), release.made_by)),
    ];
    let withdrawn = release.withdrawn.as_ref();
    rows.extend(withdrawn.map(|it| ("withdrawn", format!("{}: {}", moment(it.at), it.because))));
    let mut text = pairs(&rows);
    for proof in &release.proofs {
        let what = format!(
            "proven in {} of {} at {} by {}: {}",
            proof.stage,
            proof.environment,
            moment(proof.proven_at),
            proof.proven_by,
            proof.detail
        );
        text.push_str(&format!("\n{}", visible(what)));
    }
    for promotion in &release.promotions {
        let why = promotion.without_proof_because.as_ref();
        let why = why.map_or_else(String::new, |why| format!(", without a proof: {why}"));
        let what = format!("came to {} at {} by {}{why}", promotion.to, moment(promotion.at), promotion.by);
        text.push_str(&format!("\n{}", visible(what)));
    }
    if !release.proofs.is_empty() || !release.promotions.is_empty() {
        text.push('\n');
    }
    if !release.notes.is_empty() {
        let notes: Vec<String> = release.notes.lines().map(|line| visible(line.to_owned())).collect();
        text.push_str(&format!("\n{}\n", notes.join("\n")));
    }
    text
}
