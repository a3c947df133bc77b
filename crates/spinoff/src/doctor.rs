//! Looks for what would keep an installation from working, before a customer finds it.

use std::net::SocketAddr;

use clap::ValueHint;
use secrecy::SecretString;
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::table;
use crate::up::UpArgs;
use crate::up::config::{ComputeDriver, Config, homes, secret};

mod data;
mod host;
mod providers;
mod wildcard;

/// What to check.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Works with and without a running server, and changes nothing. Of Railway, Cloudflare, Stripe and \
the SMTP server, those are
asked that the settings choose: whether credentials and permissions do, what the setup left to do, how near limits are.
Exit codes: 0 nothing is wrong (there may be warnings), 1 something is.

Examples:
  spinoff doctor
  spinoff doctor --json | jq '.checks[] | select(.verdict != \"ok\")'
  spinoff doctor --store postgres://spinoff@localhost/spinoff"
)]
pub struct Args {
    /// Address that the server listens on or is going to [default: as set, or 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// Where the record is kept [default: as set, or a SQLite file in the data folder]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    store: Option<String>,
}

/// The outcome of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was seen.
    pub found: String,
    /// What to do about it; absent where nothing needs to be done.
    pub advice: Option<String>,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Works, but somebody should know.
    Warn,
    /// Does not work.
    Fail,
}

#[derive(Debug, Serialize)]
struct Diagnosis {
    ok: bool,
    checks: Vec<Check>,
}

/// Checks everything and tells.
pub async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let mut checks = vec![data::folder(&context.data), data::key(&context.data), host::disk_space(&context.data)];
    let wanted = UpArgs { listen: args.listen, store: args.store, ..UpArgs::usual() };
    let config = settings(context, &wanted);
    match &config {
        Ok((config, store)) => {
            checks.push(Check::ok("settings", "make sense"));
            checks.push(data::store(&context.data, store.as_ref()).await);
            checks.push(host::server(context, config.site.listen).await);
            checks.extend(providers::all(&context.data, config).await);
        }
        // Without settings nobody knows which store and which address to look at.
        Err(cause) => checks.push(Check::fail("settings", format!("{cause:#}"), "correct what is named there")),
    }
    // Where instances run elsewhere, this machine need not keep them apart.
    if !config.is_ok_and(|(config, _)| !homes::any(&config, ComputeDriver::Local)) {
        checks.extend(host::isolation());
    }
    let failed = checks.iter().filter(|check| check.verdict == Verdict::Fail).count();
    let diagnosis = Diagnosis { ok: failed == 0, checks };
    context.output.show(&diagnosis, || in_words(&diagnosis.checks))?;
    match failed {
        0 => Ok(()),
        1 => Err(Failure::new(Exit::Failed, "1 check failed", "")),
        many => Err(Failure::new(Exit::Failed, format!("{many} checks failed"), "")),
    }
}

/// The settings, which fit `up` or `serve`, and where the record is kept unless in the data folder.
fn settings(context: &Context, wanted: &UpArgs) -> anyhow::Result<(Config, Option<SecretString>)> {
    let config = Config::read(context, wanted)?;
    let is_for_everybody = config.site.public_url().is_some() || !config.site.listen.ip().is_loopback();
    config.fits_one_machine().or_else(|error| {
        // Whoever names a public address means `serve`, and wants to hear of that.
        if is_for_everybody { config.fits_everybody() } else { Err(error) }
    })?;
    let store = secret(config.store.url.as_ref(), config.store.url_file.as_ref())?;
    Ok((config, store))
}

impl Check {
    /// All is well.
    pub fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: Verdict::Ok, found: found.into(), advice: None }
    }

    /// Works, but.
    pub fn warn(name: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: Verdict::Warn, found: found.into(), advice: Some(advice.into()) }
    }

    /// Does not work.
    pub fn fail(name: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: Verdict::Fail, found: found.into(), advice: Some(advice.into()) }
    }
}

fn in_words(checks: &[Check]) -> String {
    let row = |check: &Check| {
        let verdict = match check.verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        };
        let told = match &check.advice {
            Some(advice) => format!("{}: {advice}", check.found),
            None => check.found.clone(),
        };
        [verdict.to_owned(), check.name.clone(), told]
    };
    table(&["", "CHECK", "FOUND"], checks.iter().map(row))
}
