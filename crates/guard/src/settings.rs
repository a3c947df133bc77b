//! The options, checked. Whatever is missing or contradicts itself ends here, before anything
//! listens: a guard that guesses is an open door.

mod activity;
mod app_site;
mod emergency;

use std::net::SocketAddr;
use std::path::PathBuf;

use access::protocol::CERTS;
use access::{MembersPublicKey, Verifier};
use domain::InstanceId;
use http::Uri;
use secrecy::{ExposeSecret as _, SecretString};

use app_site::Beside;

use crate::Args;

pub(crate) use activity::ActivitySettings;
pub(crate) use app_site::{AppPrefix, AppSite};
pub(crate) use emergency::Emergency;

/// A configuration that can be run.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) listen: Listen,
    /// `host:port` of the application.
    pub(crate) upstream: String,
    pub(crate) upstream_port: u16,
    pub(crate) verifier: Verifier,
    pub(crate) certs_url: Uri,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) members: MembersFrom,
    pub(crate) service_tokens: Vec<String>,
    pub(crate) public_paths: Vec<String>,
    pub(crate) app_site: AppSite,
    pub(crate) activity: ActivitySettings,
    pub(crate) emergency: Option<Emergency>,
    pub(crate) main: Option<Main>,
    pub(crate) main_socket: Option<PathBuf>,
    pub(crate) egress: Option<Egress>,
    pub(crate) state: Option<PathBuf>,
    pub(crate) app_health: String,
    /// Where figures are published, which is not for visitors.
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) command: Vec<String>,
}

/// Where the listening socket comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    Address(SocketAddr),
    /// On standard input, put there by whoever started the guard.
    Inherited,
}

/// Where it is written who belongs.
#[derive(Clone, Debug)]
pub(crate) enum MembersFrom {
    /// Nowhere: no person enters.
    Nowhere,
    File(PathBuf),
    Signed {
        key: MembersPublicKey,
        instance: InstanceId,
    },
}

/// The main instance.
#[derive(Clone, Debug)]
pub(crate) struct Main {
    pub(crate) url: Uri,
    pub(crate) token: SecretString,
}

/// The application's way out.
#[derive(Clone, Debug)]
pub(crate) struct Egress {
    /// On this machine's loopback.
    pub(crate) listen: SocketAddr,
    pub(crate) socket: PathBuf,
}

/// Settings that only the environment can bring.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    pub(crate) port: Option<String>,
    pub(crate) cloudflare_audience: Option<String>,
}

/// Why the guard does not start.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "the guard's configuration is read here and nowhere else")]
    pub(crate) fn read() -> Self {
        Self { port: std::env::var("PORT").ok(), cloudflare_audience: std::env::var("CLOUDFLARE_AUDIENCE").ok() }
    }
}

impl Settings {
    pub(crate) fn check(args: Args, environment: &Environment) -> Result<Self, SettingsError> {
        let issuer = issuer(args.issuer.as_deref(), args.main_socket.is_some())?;
        let certs_url = match &args.certs_url {
            Some(url) => reachable("--certs-url", url, args.main_socket.is_some())?,
            None => reachable("--issuer", &format!("{issuer}{CERTS}"), args.main_socket.is_some())?,
        };
        let audiences = audiences(args.audience.clone(), environment);
        let verifier = Verifier::new(issuer, audiences).ok_or_else(|| {
            problem("no audience: give --audience (GUARD_AUDIENCE), the audience tag of this hostname's application")
        })?;
        let (upstream, upstream_port) = upstream(&args.upstream)?;
        let (listen, egress) = (listen(args.listen.as_deref(), environment)?, egress(&args)?);
        let public_paths = public_paths(args.public_path.clone())?;
        let beside = Beside {
            upstream: (&upstream, upstream_port),
            listen: &listen,
            metrics: args.metrics,
            egress: egress.as_ref(),
            activity: args.activity_listen,
            public_paths: &public_paths,
        };
        let app_site = AppSite::check(&args, &beside)?;
        let activity = ActivitySettings::check(&args, app_site.port)?;
        Ok(Self {
            listen,
            upstream,
            upstream_port,
            verifier,
            certs_url,
            members: members(&args)?,
            service_tokens: without_blanks("--service-token", args.service_token.clone())?,
            public_paths,
            app_site,
            activity,
            emergency: emergency::emergency(&args)?,
            main: main(&args)?,
            egress,
            app_health: path("--app-health", args.app_health)?,
            ca_file: args.ca_file,
            main_socket: args.main_socket,
            state: args.state,
            metrics: args.metrics,
            command: args.command,
        })
    }
}

fn problem(text: impl Into<String>) -> SettingsError {
    SettingsError(text.into())
}

fn issuer(raw: Option<&str>, through_socket: bool) -> Result<String, SettingsError> {
    let issuer = raw.unwrap_or_default();
    if issuer.is_empty() {
        return Err(problem("no issuer: give --issuer (GUARD_ISSUER), such as https://<team>.cloudflareaccess.com"));
    }
    if issuer.ends_with('/') {
        return Err(problem(format!("--issuer {issuer} ends with a slash, and assertions name it without one")));
    }
    reachable("--issuer", issuer, through_socket)?;
    Ok(issuer.to_owned())
}

/// An https address, or a plain one that does not leave this machine.
fn reachable(option: &str, raw: &str, through_socket: bool) -> Result<Uri, SettingsError> {
    let uri: Uri = raw.parse().map_err(|_| problem(format!("{option} {raw} is no address")))?;
    let host = uri.host().unwrap_or_default();
    let local = host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1" || host == "[::1]";
    let plain = raw.contains('@') || raw.contains('#') || host.is_empty();
    match uri.scheme_str() {
        _ if plain => Err(problem(format!("{option} {raw} must be scheme, host, port and path"))),
        Some("https") => Ok(uri),
        Some("http") if local || through_socket => Ok(uri),
        Some("http") => Err(problem(format!("{option} {raw} is not encrypted: http is for loopback only, use https"))),
        _ => Err(problem(format!("{option} {raw} must begin with https://"))),
    }
}

fn audiences(mut given: Vec<String>, environment: &Environment) -> Vec<String> {
    if given.is_empty() {
        given.extend(environment.cloudflare_audience.iter().flat_map(|list| list.split(',')).map(str::to_owned));
    }
    given.into_iter().map(|audience| audience.trim().to_owned()).collect()
}

fn upstream(raw: &str) -> Result<(String, u16), SettingsError> {
    let fail = || problem(format!("--upstream {raw} must look like http://127.0.0.1:8000"));
    let uri: Uri = raw.parse().map_err(|_| fail())?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(fail)?;
    if uri.scheme_str() != Some("http") || uri.path_and_query().is_some_and(|path| path != "/") || raw.contains('@') {
        return Err(fail());
    }
    let port = uri.port_u16().unwrap_or(80);
    Ok((format!("{host}:{port}"), port))
}

fn listen(raw: Option<&str>, environment: &Environment) -> Result<Listen, SettingsError> {
    let text = match (raw, &environment.port) {
        (Some("inherited"), _) => return Ok(Listen::Inherited),
        (Some(address), _) => address.to_owned(),
        (None, Some(port)) => format!("0.0.0.0:{port}"),
        (None, None) => "127.0.0.1:8080".to_owned(),
    };
    text.parse()
        .map(Listen::Address)
        .map_err(|_| problem(format!("--listen {text} must be an address and a port, or `inherited`")))
}

fn members(args: &Args) -> Result<MembersFrom, SettingsError> {
    match (&args.members, &args.main_key, &args.instance) {
        (Some(_), Some(_), _) => {
            Err(problem("both --members and --main-key say who belongs: choose the file or the signed list"))
        }
        (Some(file), None, _) => Ok(MembersFrom::File(file.clone())),
        (None, Some(key), Some(instance)) => {
            let key = MembersPublicKey::parse(key).map_err(|error| problem(format!("--main-key: {error}")))?;
            let instance =
                InstanceId::parse(instance).map_err(|error| problem(format!("--instance {instance}: {error}")))?;
            Ok(MembersFrom::Signed { key, instance })
        }
        (None, Some(_), None) => {
            Err(problem("--main-key without --instance: a signed member list is for one instance, say which"))
        }
        (None, None, _) => Ok(MembersFrom::Nowhere),
    }
}

fn without_blanks(option: &str, values: Vec<String>) -> Result<Vec<String>, SettingsError> {
    if values.iter().any(|value| value.trim().is_empty()) {
        return Err(problem(format!("{option} is empty: leave it out, or name something")));
    }
    Ok(values)
}

fn public_paths(paths: Vec<String>) -> Result<Vec<String>, SettingsError> {
    paths.into_iter().map(|raw| path("--public-path", raw)).collect()
}

fn path(option: &str, raw: String) -> Result<String, SettingsError> {
    if !raw.starts_with('/') || raw.contains(['?', '#', '*']) || !raw.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(problem(format!("{option} {raw} must be an exact path such as /robots.txt")));
    }
    Ok(raw)
}

fn main(args: &Args) -> Result<Option<Main>, SettingsError> {
    let token = instance_token(args)?;
    match (&args.main_url, token) {
        (None, None) => Ok(None),
        (Some(url), Some(token)) => {
            let url = reachable("--main-url", url.trim_end_matches('/'), args.main_socket.is_some())?;
            Ok(Some(Main { url, token }))
        }
        (Some(_), None) => Err(problem("--main-url without --instance-token: reports would be refused")),
        (None, Some(_)) => Err(problem("--instance-token without --main-url: say whose token it is")),
    }
}

fn egress(args: &Args) -> Result<Option<Egress>, SettingsError> {
    match (args.egress_listen, &args.egress_socket) {
        (None, None) => Ok(None),
        (Some(listen), Some(_)) if !listen.ip().is_loopback() => Err(problem(format!(
            "--egress-listen {listen} is not on loopback: others could use the application's way out"
        ))),
        (Some(listen), Some(socket)) => Ok(Some(Egress { listen, socket: socket.clone() })),
        (Some(_), None) => Err(problem("--egress-listen without --egress-socket: say where the proxy is")),
        (None, Some(_)) => Err(problem("--egress-socket without --egress-listen: say where the application finds it")),
    }
}

fn instance_token(args: &Args) -> Result<Option<SecretString>, SettingsError> {
    let token = match (&args.instance_token, &args.instance_token_file) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(problem("both --instance-token and --instance-token-file: choose one")),
        (Some(token), None) => token.clone(),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| problem(format!("--instance-token-file {}: {error}", file.display())))?;
            SecretString::from(text.trim())
        }
    };
    let text = token.expose_secret();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(problem("the instance token is empty or has characters that no token has"));
    }
    Ok(Some(token))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const ENOUGH: [&str; 4] = ["--issuer", "https://team.cloudflareaccess.com", "--audience", "abc"];

    const HASH: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$RFlfG3mK+vSNLWJoDWbXRdC7/vu3xDCbYmRCmDUWQfA";

    fn check(options: &[&str]) -> Result<Settings, SettingsError> {
        let args = clap::Parser::try_parse_from(["guard"].iter().chain(options)).unwrap();
        Settings::check(args, &Environment::default())
    }

    fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
        [&ENOUGH, more].concat()
    }

    #[test]
    fn issuer_and_audience_are_enough() {
        let settings = check(&ENOUGH).unwrap();
        assert_eq!(settings.certs_url, "https://team.cloudflareaccess.com/cdn-cgi/access/certs");
        assert_eq!(settings.listen, Listen::Address("127.0.0.1:8080".parse().unwrap()));
        assert!(matches!(settings.members, MembersFrom::Nowhere));
    }

    #[test]
    fn the_platform_says_port_and_audience() {
        let environment = Environment { port: Some("1234".into()), cloudflare_audience: Some("x,y".into()) };
        let args = clap::Parser::try_parse_from(["guard", ENOUGH[0], ENOUGH[1]]).unwrap();
        let settings = Settings::check(args, &environment).unwrap();
        assert_eq!(settings.listen, Listen::Address("0.0.0.0:1234".parse().unwrap()));
        assert_eq!(settings.verifier.audiences(), ["x", "y"]);
    }

    #[test]
    fn what_is_incomplete_or_contradictory_does_not_start() {
        for (options, says) in [
            (vec![], "no issuer"),
            (vec!["--issuer", ""], "no issuer"),
            (vec!["--issuer", "https://a.b"], "no audience"),
            (vec!["--issuer", "https://a.b", "--audience", ""], "no audience"),
            (vec!["--issuer", "https://a.b", "--audience", "x,"], "no audience"),
            (vec!["--issuer", "https://a.b/", "--audience", "x"], "slash"),
            (vec!["--issuer", "http://a.b", "--audience", "x"], "not encrypted"),
            (vec!["--issuer", "http://localhost.evil.com", "--audience", "x"], "not encrypted"),
            (vec!["--issuer", "a.b", "--audience", "x"], "must"),
            (with(&["--certs-url", "http://keys.example"]), "not encrypted"),
            (with(&["--upstream", "https://app"]), "--upstream"),
            (with(&["--upstream", "http://app/path"]), "--upstream"),
            (with(&["--listen", "nonsense"]), "--listen"),
            (with(&["--public-path", "*"]), "exact path"),
            (with(&["--public-path", ""]), "exact path"),
            (with(&["--service-token", ""]), "--service-token"),
            (with(&["--main-url", "https://main"]), "--instance-token"),
            (with(&["--instance-token", "x"]), "--main-url"),
            (with(&["--main-url", "https://main", "--instance-token", ""]), "token is empty"),
            (with(&["--main-url", "http://main", "--instance-token", "x"]), "not encrypted"),
            (with(&["--main-key", "AAAA", "--instance", "ins_x"]), "--main-key"),
            (with(&["--main-key", "AAAA"]), "--instance"),
            (with(&["--members", "/m", "--main-key", "AAAA"]), "choose"),
            (with(&["--instance-token-file", "/does/not/exist"]), "/does/not/exist"),
            (with(&["--emergency-user", "root"]), "--emergency-password-hash"),
            (with(&["--emergency-password-hash", HASH]), "--emergency-user"),
            (with(&["--emergency-user", "", "--emergency-password-hash", HASH]), "visible ASCII"),
            (with(&["--emergency-user", "a:b", "--emergency-password-hash", HASH]), "visible ASCII"),
            (with(&["--emergency-user", "a\u{7}", "--emergency-password-hash", HASH]), "visible ASCII"),
            (with(&["--emergency-user", "root", "--emergency-password-hash", "secret"]), "hash-password"),
            (with(&["--emergency-user", "root", "--emergency-password-hash", &HASH[..60]]), "PHC"),
            (
                with(&["--emergency-user", "root", "--emergency-password-hash-file", "/does/not/exist"]),
                "/does/not/exist",
            ),
            (with(&["--emergency-password-hash", HASH, "--emergency-password-hash-file", "/x"]), "choose"),
            (with(&["--egress-listen", "127.0.0.1:3128"]), "--egress-socket"),
            (with(&["--egress-socket", "/run/egress.sock"]), "--egress-listen"),
            (with(&["--egress-listen", "0.0.0.0:3128", "--egress-socket", "/run/egress.sock"]), "not on loopback"),
        ] {
            let error = check(&options).expect_err(&options.join(" "));
            assert!(error.to_string().contains(says), "{options:?}: {error}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for issuer in ["http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:80", "http://x.localhost"] {
            check(&["--issuer", issuer, "--audience", "x"]).unwrap();
        }
        check(&["--issuer", "http://main.internal", "--audience", "x", "--main-socket", "/run/main.sock"]).unwrap();
    }
}
