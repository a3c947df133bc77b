//! `spinoff-guard check`: says what a configuration means, and judges one token.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use access::{KeySet, ListState, MAX_TOKEN_BYTES};
use http::Method;
use world::{Clock, Entropy};

use crate::Args;
use crate::activity::application_report::PATH;
use crate::app_site::{Place, Sharing, Way};
use crate::emergency::DOOR;
use crate::gate::{Denied, Gate};
use crate::identities::{Identities, Keys};
use crate::ledger::Ledger;
use crate::link::{Ask, Link};
use crate::remembered::Remembered;
use crate::reporter::Reporter;
use crate::roster::{Leave, Roster};
use crate::settings::{ActivitySettings, AppSite, Emergency, Environment, Listen, MembersFrom, Settings};
use crate::visitor::Visitor;

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
    let judged = match token_on_stdin() {
        Given::Nothing => {
            println!("token: none on standard input");
            return ExitCode::SUCCESS;
        }
        Given::NotText => Err(refused(&Denied::Ambiguous)),
        Given::Token(token) => judge(&settings, &token),
    };
    match judged {
        Ok(verdict) => {
            println!("token: allowed: {verdict}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            println!("token: refused: {why}");
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
        format!("audiences: {}", audiences(settings)),
        format!("members: {members}"),
        format!("service tokens: {}", or_none(&settings.service_tokens)),
        format!("public paths: {}", or_none(&settings.public_paths)),
        format!("believed about where requests come from: {}", settings.trusted_proxies),
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

fn audiences(settings: &Settings) -> String {
    let of_app = &settings.app_audiences;
    let all = settings.verifier.audiences();
    let others: Vec<&str> = all.filter(|audience| !of_app.iter().any(|apps| apps == audience)).collect();
    let others = others.join(", ");
    if of_app.is_empty() { others } else { format!("{others}; for the app's hostname only: {}", of_app.join(", ")) }
}

fn app_site(app: &AppSite) -> String {
    let host = app.host.as_ref().map(|host| format!("at the hostname {}", host.as_str()));
    let prefix = app.prefix.as_ref().map(|prefix| format!("below {}", prefix.as_str()));
    let ways: Vec<String> = host.into_iter().chain(prefix).collect();
    if ways.is_empty() {
        return "not shown: no --app-host and no --app-prefix".to_owned();
    }
    let shared = if app.may_be_shared { "; the application may share it with everybody" } else { "" };
    format!("http://127.0.0.1:{}, {}{shared}", app.port, ways.join(" and "))
}

fn emergency(door: Option<&Emergency>) -> String {
    door.map_or("off".to_owned(), |door| format!("{} with a password, {DOOR}, {}", door.user, door.hash.cost()))
}

fn use_of(activity: &ActivitySettings) -> String {
    match &activity.rules {
        None => "what the built-in rules say".to_owned(),
        Some((from, count)) => format!("what the rules in {from} say ({count}), then the built-in ones"),
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

/// What came on standard input.
enum Given {
    Nothing,
    /// Bytes that no header could hold.
    NotText,
    Token(String),
}

fn token_on_stdin() -> Given {
    let input = std::io::stdin();
    if input.is_terminal() {
        return Given::Nothing;
    }
    let mut bytes = Vec::new();
    if input.take(MAX_TOKEN_BYTES as u64 + 2).read_to_end(&mut bytes).is_err() {
        return Given::Nothing;
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => Given::Nothing,
        Ok(text) => Given::Token(text.trim().to_owned()),
        Err(_) => Given::NotText,
    }
}

fn judge(settings: &Settings, token: &str) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    // Nothing of this is a visit, so nothing of it is left behind where a guard keeps what it knows.
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let gate = gate(settings, folder.path()).await?;
        decide(&gate, settings, token).await.map_err(|denied| refused(&denied))
    })
}

/// The gate of a guard that is started now with these settings.
async fn gate(settings: &Settings, folder: &Path) -> Result<Gate, String> {
    let (socket, ca_file) = (settings.main_socket.as_deref(), settings.ca_file.as_deref());
    let link = Link::to(&settings.certs_url, socket, ca_file);
    let ask = Ask { method: Method::GET, url: settings.certs_url.clone(), token: None, json: None };
    let json = link.ask(ask).await.map_err(|error| format!("no keys from {}: {error}", settings.certs_url))?;
    let keys = KeySet::parse(&json).map_err(|error| format!("the keys from {}: {error}", settings.certs_url))?;

    let list = folder.join("members.json");
    if let Some(state) = &settings.state {
        // There may be none yet.
        let _ = std::fs::copy(state.join("members.json"), &list);
    }
    let roster = Roster::open(settings.members.clone(), list, Clock::System).map_err(|error| error.to_string())?;
    let roster = Arc::new(roster);
    if let Some(main) = settings.main.clone().filter(|_| roster.takes_signed_lists()) {
        let link = Link::to(&main.url, socket, ca_file);
        let ledger = Arc::new(Ledger::open(folder.join("activity")));
        let reporter = Reporter { main, link, ledger, roster: Arc::clone(&roster), entropy: Entropy::System };
        reporter.pull_members().await;
    }
    Ok(Gate {
        identities: Identities {
            verifier: settings.verifier.clone(),
            keys: Keys::Known(Arc::new(keys)),
            remembered: Remembered::default(),
            clock: Clock::System,
        },
        roster,
        service_tokens: settings.service_tokens.clone(),
        app_audiences: settings.app_audiences.clone(),
        public_paths: Vec::new(),
        sharing: Arc::new(Sharing::never()),
        emergency: None,
    })
}

async fn decide(gate: &Gate, settings: &Settings, token: &str) -> Result<String, Denied> {
    let verified = gate.identities.verify(token).await?;
    let visitor = gate.standing(Arc::clone(&verified)).await?;
    gate.is_open_to(&visitor).await?;
    let leave = visitor.member().and_then(|email| gate.roster.leave_of(email));
    let what = match (&visitor, visitor.name().unwrap_or_default(), leave) {
        (Visitor::Service(_), name, _) => format!("service {name} is listed (rule=service-listed)"),
        (_, name, None) => format!("{name} is a member (rule=member)"),
        (_, name, Some(Leave { until, may_change: true })) => format!("{name} is a guest until {until} (rule=guest)"),
        (_, name, Some(Leave { until, .. })) => format!("{name} may look until {until} (rule=guest)"),
    };
    let places = [(Place::Workspace, "the workspace"), (Place::App(Way::Host), "the app's hostname")];
    let opens: Vec<&str> = places
        .into_iter()
        .filter(|(place, _)| *place == Place::Workspace || settings.app_site.host.is_some())
        .filter(|(place, _)| gate.is_good_for(&verified, *place))
        .map(|(_, name)| name)
        .collect();
    Ok(format!("{what}, opens {}, until {}", opens.join(" and "), verified.expires()))
}

fn refused(denied: &Denied) -> String {
    let words = match denied {
        Denied::Assertion(refusal) => refusal.to_string(),
        Denied::Ambiguous => "what came is no text, so it is no token".to_owned(),
        Denied::Stranger(email) => format!("{email} is not a member"),
        Denied::UnlistedService => "this service is not listed by --service-token".to_owned(),
        Denied::OnlyLooks => "a guest who may look, and change nothing".to_owned(),
        Denied::NoMembers => "it verifies, but there is no member list to judge by".to_owned(),
        Denied::Closed(ListState::Deleting) => "a member, but the instance is being deleted".to_owned(),
        Denied::Closed(_) => "a member, but the instance is suspended".to_owned(),
        Denied::NoKeys => "the issuer has no keys".to_owned(),
        Denied::Unidentified | Denied::EmergencyUnreadable | Denied::EmergencyWrong | Denied::EmergencyThrottled(_) => {
            "there is no token".to_owned()
        }
    };
    format!("{words} (rule={})", denied.rule())
}
