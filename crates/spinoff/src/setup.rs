//! `spinoff setup`: what is done once at Cloudflare and Stripe, and told once to Railway.

mod cloudflare;
mod plan;
mod railway;
mod stripe;

use std::time::Duration;

use ::providers::ProviderError;
use clap::ValueEnum;
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::server_file::ServerFile;
use crate::up::UpArgs;
use crate::up::config::{ComputeDriver, Config, EdgeDriver, PaymentsDriver, homes};
use crate::up::home::Home;
use plan::Part;

/// How long what a provider does not show yet is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// What to set up.
#[derive(Debug, clap::Args)]
#[command(after_help = "Shows first what is there, what it would make and what it would change, and asks before it \
does anything.
What is as it should be is left alone, so a second run changes nothing, and one that broke off is finished by the
next. What it found out is kept in the record, secrets sealed; what the settings file says goes before that.

Exit codes: 0 done or nothing to do, 1 failed, 4 refused or not confirmed.

Examples:
  spinoff setup --dry-run
  spinoff setup cloudflare
  spinoff setup stripe --yes
  spinoff setup --json --dry-run | jq '.providers[].steps[] | select(.state != \"present\")'")]
pub struct Args {
    /// Only this one [default: all that the settings choose]
    provider: Option<Provider>,

    /// Do it without asking
    #[arg(long)]
    yes: bool,

    /// Show what would be done, and do nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,

    /// Where the record is kept [default: as set, or a SQLite file in the data folder]
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    store: Option<String>,
}

/// Who needs a setup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// The edge: Access before all hostnames.
    Cloudflare,
    /// Payments: the price and the webhook.
    Stripe,
    /// Compute: token and workspace are checked.
    Railway,
}

#[derive(Debug, Serialize)]
struct Report {
    /// Whether anything was made or changed now.
    changed: bool,
    providers: Vec<Part>,
}

/// Plans, asks and does it.
pub async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let wanted = UpArgs { store: args.store.clone(), ..UpArgs::usual() };
    let config = Config::read(context, &wanted)?;
    let chosen = chosen(&config, args.provider)?;
    let home = if args.dry_run {
        Home::look(&context.data, &config).await?
    } else {
        Home::open(&context.data, &config).await?
    };
    let mut parts = Vec::new();
    for provider in chosen {
        parts.push(provider.plan(&config, &home).await?);
    }
    let is_done = parts.iter().all(Part::is_done);
    if args.dry_run || is_done {
        let words = if is_done { "nothing to do\n" } else { "nothing was done (--dry-run)\n" };
        let report = Report { changed: false, providers: parts };
        return context.output.show(&report, || format!("{}{words}", plan::in_words(&report.providers)));
    }
    context.output.note(plan::in_words(&parts).trim_end());
    if !args.yes {
        plan::confirm()?;
    }
    for part in parts.iter_mut().filter(|part| !part.is_done()) {
        part.notes = part.provider.apply(&config, &home).await?;
        context.output.note(format!("{} is set up", part.provider.name()));
    }
    let report = Report { changed: true, providers: parts };
    context.output.show(&report, || next(context, &report.providers))
}

/// Does all that the settings choose, without asking.
pub async fn apply_all(config: &Config, home: &Home) -> Result<(), Failure> {
    for provider in chosen(config, None)? {
        provider.apply(config, home).await?;
    }
    Ok(())
}

/// The providers that the settings choose, or the one that was asked for.
fn chosen(config: &Config, asked: Option<Provider>) -> Result<Vec<Provider>, Failure> {
    let all = [
        (Provider::Railway, homes::any(config, ComputeDriver::Railway), "[compute] driver = \"railway\""),
        (Provider::Cloudflare, config.edge.driver == EdgeDriver::Cloudflare, "[edge] driver = \"cloudflare\""),
        (Provider::Stripe, config.payments.driver == PaymentsDriver::Stripe, "[payments] driver = \"stripe\""),
    ];
    if let Some((provider, _, setting)) = all.iter().find(|(it, is_chosen, _)| Some(*it) == asked && !is_chosen) {
        let what = format!("{} was not set up", provider.name());
        let failure = Failure::new(Exit::Refused, what, "the settings choose another driver");
        return Err(failure.next(format!("set {setting}, then try again")));
    }
    let chosen: Vec<Provider> = all
        .into_iter()
        .filter(|(provider, is_chosen, _)| *is_chosen && asked.is_none_or(|asked| asked == *provider))
        .map(|(provider, ..)| provider)
        .collect();
    if chosen.is_empty() {
        let why = "the settings choose drivers that need no setup";
        let next = "choose others in spinoff.toml, such as [edge] driver = \"cloudflare\"";
        return Err(Failure::new(Exit::Refused, "nothing was set up", why).next(next));
    }
    Ok(chosen)
}

fn next(context: &Context, parts: &[Part]) -> String {
    let mut lines: Vec<String> = parts.iter().flat_map(|part| part.notes.clone()).collect();
    lines.push(match ServerFile::find(&context.data) {
        Ok(_) => "restart the server, which reads what was found out when it starts".to_owned(),
        Err(_) => "check everything with `spinoff doctor`, then start with `spinoff serve`".to_owned(),
    });
    lines.iter().map(|line| format!("next: {line}\n")).collect()
}

impl Provider {
    fn name(self) -> &'static str {
        match self {
            Self::Cloudflare => "Cloudflare",
            Self::Stripe => "Stripe",
            Self::Railway => "Railway",
        }
    }

    async fn plan(self, config: &Config, home: &Home) -> Result<Part, Failure> {
        let planned = match self {
            Self::Cloudflare => cloudflare::plan(config, home).await?,
            Self::Stripe => stripe::plan(config, home).await?,
            Self::Railway => railway::plan(config, home).await?,
        };
        planned.map_err(|error| self.failed(error))
    }

    /// Does it, and says what is left to a person.
    async fn apply(self, config: &Config, home: &Home) -> Result<Vec<String>, Failure> {
        let mut waited = Duration::ZERO;
        loop {
            let done = match self {
                Self::Cloudflare => cloudflare::apply(config, home).await?,
                Self::Stripe => stripe::apply(config, home).await?,
                Self::Railway => Ok(railway::notes(config, home)),
            };
            // What a provider made may take a moment to be seen. Waiting is safer than making it again.
            let Err(ProviderError::NotYet { after, .. }) = &done else {
                return done.map_err(|error| self.failed(error));
            };
            let pause = after.unsigned_abs();
            waited += pause;
            if waited > PATIENCE {
                return done.map_err(|error| self.failed(error));
            }
            tokio::time::sleep(pause).await;
        }
    }

    fn failed(self, error: ProviderError) -> Failure {
        let what = format!("{} was not set up", self.name());
        match error {
            ProviderError::Refused { what: asked, why, next } => {
                Failure::new(Exit::Refused, what, format!("{asked}: {why}")).next(next)
            }
            ProviderError::NotFound { .. } => {
                Failure::new(Exit::Refused, what, error).next("compare the ids in the settings with the provider's")
            }
            error => {
                let next = "run it again: what is done stays, and what is missing is made";
                Failure::new(Exit::Failed, what, error).next(next)
            }
        }
    }
}

/// A refusal of the settings, or what the provider says.
type Planned<T> = anyhow::Result<Result<T, ProviderError>>;
