//! `spinoff-guard check`: says what a configuration means, and judges one token.

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;

use access::{Identity, KeySet, MAX_TOKEN_BYTES};
use http::Method;
use world::Clock;

use crate::Args;
use crate::application_report::PATH;
use crate::emergency::DOOR;
use crate::link::{Ask, Link};
use crate::roster::{Belonging, Roster};
use crate::settings::{ActivitySettings, AppSite, Emergency, Environment, Listen, MembersFrom, Settings};

/// Explains the configuration; with a token on standard input, says which rule allows or refuses
/// it. Exits with 0 when all is well, 2 for a bad configuration, 4 for a refused token.
#[must_use]
#[expect(clippy::print_stdout, reason = "this command's result is what it prints")]
pub fn check(args: Args) -> ExitCode {
    let settings = match Settings::check(args, &Environment::read()) {
        Ok(settings) => settings,
        Err(error) => {
            println!("configuration: refused: {error}");
            return ExitCode::from(2);
        }
    };
    for line in explain(&settings) {
        println!("{line}");
    }
    let Some(token) = token_on_stdin() else { return ExitCode::SUCCESS };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(judge(&settings, &token))) {
        Ok(verdict) => {
            println!("token: allowed: {verdict}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("token: refused: {error:#}");
            ExitCode::from(4)
        }
    }
}

fn explain(settings: &Settings) -> Vec<String> {
    let listen = match &settings.listen {
        Listen::Address(address) => address.to_string(),
        Listen::Inherited => "the socket on standard input".to_owned(),
    };
    let members = match &settings.members {
        MembersFrom::Nowhere => "nobody: no --members and no --main-key".to_owned(),
        MembersFrom::File(path) => format!("those in {}", path.display()),
        MembersFrom::Signed { instance, .. } => format!("those on the signed list of {instance}"),
    };
    let main = settings.main.as_ref().map_or("nobody".to_owned(), |main| main.url.to_string());
    let egress = settings.egress.as_ref().map_or("as the machine allows".to_owned(), |egress| {
        format!("{} leads to the proxy behind {}", egress.listen, egress.socket.display())
    });
    vec![
        format!("listens on: {listen}"),
        format!("application: http://{}, probed at {}", settings.upstream, settings.app_health),
        format!("app that it makes: {}", app_site(&settings.app_site)),
        format!("believes: {} with keys from {}", settings.verifier.issuer(), settings.certs_url),
        format!("audiences: {}", settings.verifier.audiences().join(", ")),
        format!("members: {members}"),
        format!("service tokens: {}", or_none(&settings.service_tokens)),
        format!("public paths: {}", or_none(&settings.public_paths)),
        format!("emergency access: {}", emergency(settings.emergency.as_ref())),
        format!("counts as use: {}", use_of(&settings.activity)),
        format!("use is also: {}", more_use_of(&settings.activity)),
        format!("reports use to: {main}"),
        format!("way out: {egress}"),
        format!(
            "figures: {}",
            settings.metrics.map_or("off".to_owned(), |address| format!("http://{address}/metrics"))
        ),
    ]
}

fn app_site(app: &AppSite) -> String {
    let host = app.host.as_ref().map(|host| format!("at the hostname {}", host.as_str()));
    let prefix = app.prefix.as_ref().map(|prefix| format!("below {}", prefix.as_str()));
    let ways: Vec<String> = host.into_iter().chain(prefix).collect();
    if ways.is_empty() {
        return "not shown: no --app-host and no --app-prefix".to_owned();
    }
    format!("http://127.0.0.1:{}, {}", app.port, ways.join(" and "))
}

fn emergency(door: Option<&Emergency>) -> String {
    door.map_or("off".to_owned(), |door| format!("{} with a password, {DOOR}, {}", door.user, door.hash.cost()))
}

fn use_of(activity: &ActivitySettings) -> String {
    match &activity.rules {
        None => "what the built-in rules say".to_owned(),
        Some((file, count)) => format!("what the rules in {} say ({count}), then the built-in ones", file.display()),
    }
}

fn more_use_of(activity: &ActivitySettings) -> String {
    let at = activity.listen.map_or("from this machine".to_owned(), |listen| format!("to http://{listen}"));
    let told = format!("what the application reports {at} at {PATH}");
    activity.app.map_or(told.clone(), |app| format!("{told}; any hour in which http://{app} takes connections"))
}

fn or_none(values: &[String]) -> String {
    if values.is_empty() { "none".to_owned() } else { values.join(", ") }
}

fn token_on_stdin() -> Option<String> {
    let input = std::io::stdin();
    if input.is_terminal() {
        return None;
    }
    let mut token = String::new();
    input.take(MAX_TOKEN_BYTES as u64 + 2).read_to_string(&mut token).ok()?;
    let token = token.trim();
    (!token.is_empty()).then(|| token.to_owned())
}

async fn judge(settings: &Settings, token: &str) -> anyhow::Result<String> {
    let link = Link::to(&settings.certs_url, settings.main_socket.as_deref(), settings.ca_file.as_deref());
    let ask = Ask { method: Method::GET, url: settings.certs_url.clone(), token: None, json: None };
    let json = link.ask(ask).await.map_err(|error| anyhow::anyhow!("no keys from {}: {error}", settings.certs_url))?;
    let keys = KeySet::parse(&json)?;
    let verified = settings.verifier.verify(token, &keys, Clock::System.now())?;
    let until = verified.expires();
    let email = match verified.identity() {
        Identity::Service(name) if settings.service_tokens.contains(name) => {
            return Ok(format!("service {name}, listed, until {until}"));
        }
        Identity::Service(name) => anyhow::bail!("service {name} is not listed by --service-token"),
        Identity::Person(email) => email,
    };
    let kept = settings.state.clone().unwrap_or_default().join("members.json");
    let roster = Roster::open(settings.members.clone(), kept, Clock::System)?;
    match roster.belongs(email).await {
        Belonging::Member => Ok(format!("{email} is a member, until {until}")),
        Belonging::Stranger => anyhow::bail!("{email} is not a member"),
        Belonging::Unknown => anyhow::bail!("{email} is verified, but there is no member list to judge by"),
    }
}
