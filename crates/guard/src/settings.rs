//! The options, checked. Whatever is missing or contradicts itself ends here, before anything
//! listens: a guard that guesses is an open door.

mod activity;
mod app_site;
mod data;
mod emergency;
mod issuer;
mod listeners;

use std::net::SocketAddr;
use std::path::PathBuf;

use access::protocol::CERTS;
use access::{MembersPublicKey, Verifier};
use domain::InstanceId;
use http::Uri;
use secrecy::{ExposeSecret as _, SecretString};

use issuer::{audiences, issuer, verifier};
use listeners::Listener;

use crate::peers::TrustedProxies;
use crate::{Args, link, members_file};

pub(crate) use activity::ActivitySettings;
pub(crate) use app_site::{AppHost, AppPrefix, AppSite};
pub(crate) use emergency::Emergency;
pub(crate) use issuer::reachable;

/// A configuration that can be run.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) listen: Listen,
    /// `host:port` of the application.
    pub(crate) upstream: String,
    pub(crate) upstream_port: u16,
    /// Knows the audiences of workspace and app.
    pub(crate) verifier: Verifier,
    /// Those that open the app's hostname only; with none, each audience opens both.
    pub(crate) app_audiences: Vec<String>,
    pub(crate) certs_url: Uri,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) members: MembersFrom,
    pub(crate) service_tokens: Vec<String>,
    pub(crate) public_paths: Vec<String>,
    /// Believed about where requests come from.
    pub(crate) trusted_proxies: TrustedProxies,
    /// Whether a router says by which host visitors ask.
    pub(crate) behind_router: bool,
    pub(crate) app_site: AppSite,
    pub(crate) activity: ActivitySettings,
    pub(crate) emergency: Option<Emergency>,
    pub(crate) main: Option<Main>,
    pub(crate) main_socket: Option<PathBuf>,
    /// Whether the application may ask the model that the main instance offers.
    pub(crate) model: bool,
    pub(crate) egress: Option<Egress>,
    pub(crate) state: Option<PathBuf>,
    /// Where the application keeps its data, if the main instance may look after it.
    pub(crate) data: Option<PathBuf>,
    /// Whether this deployment begins with the application at rest.
    pub(crate) begins_at_rest: bool,
    /// What tells this deployment from others.
    pub(crate) deployment: String,
    pub(crate) app_health: String,
    /// What this deployment is called.
    pub(crate) release: Option<String>,
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
    pub(crate) railway_deployment: Option<String>,
}

/// Why the guard does not start.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "the guard's configuration is read here and nowhere else")]
    pub(crate) fn read() -> Self {
        let variable = |name| std::env::var(name).ok();
        Self {
            port: variable("PORT"),
            cloudflare_audience: variable("CLOUDFLARE_AUDIENCE"),
            railway_deployment: variable("RAILWAY_DEPLOYMENT_ID"),
        }
    }
}

impl Listen {
    /// `None` for a socket of which others know where it listens.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Inherited => None,
        }
    }
}

impl Settings {
    pub(crate) fn check(args: Args, environment: &Environment) -> Result<Self, SettingsError> {
        let issuer = issuer(args.issuer.as_deref(), args.main_socket.is_some())?;
        let certs_url = match &args.certs_url {
            Some(url) => reachable("--certs-url", url, args.main_socket.is_some())?,
            None => reachable("--issuer", &format!("{issuer}{CERTS}"), args.main_socket.is_some())?,
        };
        let app_audiences = without_blanks("--app-audience", &args.app_audience)?;
        let verifier = verifier(issuer, audiences(args.audience.clone(), environment), &app_audiences)?;
        let (upstream, upstream_port) = upstream(&args.upstream)?;
        let (listen, egress) = (listen(args.listen.as_deref(), environment)?, egress(&args)?);
        let emergency = emergency::emergency(&args)?;
        let public_paths = public_paths(args.public_path.clone())?;
        let app_site = AppSite::check(&args, &public_paths)?;
        if app_site.host.is_none() && !app_audiences.is_empty() {
            return Err(problem("--app-audience without --app-host: it opens the app's hostname and nothing else"));
        }
        let activity = ActivitySettings::check(&args, app_site.port)?;
        let service_tokens = without_blanks("--service-token", &args.service_token)?;
        let trusted_proxies = trusted_proxies(&args.trusted_proxy)?;
        let on_loopback = [
            listen.address().map(|address| Listener::at("--listen", address)),
            Some(Listener::named("--upstream", upstream_host(&upstream), upstream_port)),
            args.metrics.map(|address| Listener::at("--metrics", address)),
            activity.listen.map(|address| Listener::at("--activity-listen", address)),
            egress.as_ref().map(|egress| Listener::at("--egress-listen", egress.listen)),
            // An app that its tools start listens at whichever loopback they like.
            activity.app.map(|address| Listener::named("--app-port", "localhost", address.port())),
        ];
        listeners::all_apart(&on_loopback.into_iter().flatten().collect::<Vec<_>>())?;
        let (members, main) = (members(&args)?, main(&args)?);
        if args.model && main.is_none() {
            return Err(problem("--model without --main-url: say whose model it is that the application may ask"));
        }
        let data = data::data(&args, &members, main.is_some())?;
        let release = args.release.filter(|release| !release.is_empty());
        let deployment = args.deployment.or_else(|| environment.railway_deployment.clone());
        if let Some(file) = &args.ca_file {
            link::check_ca(file).map_err(|error| problem(format!("--ca-file {error}")))?;
        }
        Ok(Self {
            listen,
            upstream,
            upstream_port,
            verifier,
            app_audiences,
            certs_url,
            members,
            service_tokens,
            public_paths,
            trusted_proxies,
            behind_router: args.behind_router,
            app_site,
            activity,
            emergency,
            main,
            model: args.model,
            egress,
            app_health: path("--app-health", args.app_health)?,
            deployment: deployment.or_else(|| release.clone()).unwrap_or_default(),
            release,
            data,
            begins_at_rest: args.rests,
            ca_file: args.ca_file,
            main_socket: args.main_socket,
            state: args.state,
            metrics: args.metrics,
            command: args.command,
        })
    }
}

pub(crate) fn problem(text: impl Into<String>) -> SettingsError {
    SettingsError(text.into())
}

/// The host of a checked `host:port`.
fn upstream_host(upstream: &str) -> &str {
    upstream.rsplit_once(':').map_or(upstream, |(host, _)| host)
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
        (_, None, Some(_)) => {
            Err(problem("--instance without --main-key: it says whose signed member list is taken, and from whom"))
        }
        (Some(file), None, None) => match members_file::read(file) {
            Ok(_) => Ok(MembersFrom::File(file.clone())),
            Err(error) => Err(problem(format!("--{error}"))),
        },
        (None, Some(key), Some(instance)) => {
            let key = MembersPublicKey::parse(key).map_err(|error| problem(format!("--main-key: {error}")))?;
            let instance =
                InstanceId::parse(instance).map_err(|error| problem(format!("--instance {instance}: {error}")))?;
            Ok(MembersFrom::Signed { key, instance })
        }
        (None, Some(_), None) => {
            Err(problem("--main-key without --instance: a signed member list is for one instance, say which"))
        }
        (None, None, None) if args.main_url.is_some() => {
            Err(problem("--main-url without --main-key or --members: nobody belongs, and there is nothing to report"))
        }
        (None, None, None) => Ok(MembersFrom::Nowhere),
    }
}

fn without_blanks(option: &str, values: &[String]) -> Result<Vec<String>, SettingsError> {
    if values.iter().any(|value| value.trim().is_empty()) {
        return Err(problem(format!("{option} is empty: leave it out, or name something")));
    }
    Ok(values.iter().map(|value| value.trim().to_owned()).collect())
}

fn trusted_proxies(given: &[String]) -> Result<TrustedProxies, SettingsError> {
    if given.is_empty() {
        return Ok(TrustedProxies::default());
    }
    TrustedProxies::parse(given).map_err(|(text, error)| problem(format!("--trusted-proxy {text} {error}")))
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
        let environment = Environment {
            port: Some("1234".into()),
            cloudflare_audience: Some("x,y".into()),
            railway_deployment: Some("d1".into()),
        };
        let args = clap::Parser::try_parse_from(["guard", ENOUGH[0], ENOUGH[1]]).unwrap();
        let settings = Settings::check(args, &environment).unwrap();
        assert_eq!(settings.listen, Listen::Address("0.0.0.0:1234".parse().unwrap()));
        assert!(settings.verifier.audiences().eq(["x", "y"]));
        assert_eq!(settings.deployment, "d1");
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
            (vec!["--issuer", "https://a.b/x", "--audience", "x"], "alone"),
            (vec!["--issuer", "https://a.b?x", "--audience", "x"], "alone"),
            (vec!["--issuer", "https://a.b#x", "--audience", "x"], "--issuer"),
            (vec!["--issuer", "https://A.b", "--audience", "x"], "lower case"),
            (vec!["--issuer", "https://a.b", "--app-audience", "x", "--app-host", "a.example"], "no audience"),
            (with(&["--app-audience", "x"]), "--app-host"),
            (with(&["--app-audience", " ", "--app-host", "a.example"]), "--app-audience"),
            (with(&["--app-audience", "x, abc", "--app-host", "a.example"]), "both name abc"),
            (with(&["--certs-url", "http://keys.example"]), "not encrypted"),
            (with(&["--upstream", "https://app"]), "--upstream"),
            (with(&["--upstream", "http://app/path"]), "--upstream"),
            (with(&["--listen", "nonsense"]), "--listen"),
            (with(&["--public-path", "*"]), "exact path"),
            (with(&["--public-path", ""]), "exact path"),
            (with(&["--service-token", ""]), "--service-token"),
            (with(&["--trusted-proxy", ""]), "--trusted-proxy"),
            (with(&["--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "0.0.0.0/0"]), "0.0.0.0/0 is everybody"),
            (with(&["--trusted-proxy", "10.0.0.1/8"]), "10.0.0.0/8"),
            (with(&["--main-url", "https://main", "--members", "/dev/null"]), "--instance-token"),
            (with(&["--instance-token", "x"]), "--main-url"),
            (with(&["--main-url", "https://main", "--instance-token", "", "--members", "/dev/null"]), "token is empty"),
            (with(&["--main-url", "http://main", "--instance-token", "x", "--members", "/dev/null"]), "not encrypted"),
            (with(&["--main-url", "https://main", "--instance-token", "x"]), "--main-key"),
            (with(&["--instance", "ins_x"]), "--main-key"),
            (with(&["--instance", "ins_x", "--members", "/dev/null"]), "--main-key"),
            (with(&["--members", "/does/not/exist"]), "--members /does/not/exist"),
            (with(&["--ca-file", "/does/not/exist"]), "--ca-file /does/not/exist"),
            (with(&["--ca-file", "/dev/null"]), "no certificate"),
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
    fn names_in_a_list_may_have_spaces_around_them() {
        let settings = check(&with(&["--service-token", "a, b ", "--app-audience", "x, y", "--app-host", "a.example"]));
        let settings = settings.unwrap();
        assert_eq!(settings.service_tokens, ["a", "b"]);
        assert_eq!(settings.app_audiences, ["x", "y"]);
        assert!(settings.verifier.audiences().eq(["abc", "x", "y"]));
    }

    #[test]
    fn files_that_say_something_else_than_they_should_do_not_start() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let path = file.display().to_string();
        for (option, text, says) in [
            ("--members", "this is no address", "--members"),
            ("--ca-file", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "--ca-file"),
            ("--ca-file", "-----BEGIN CERTIFICATE-----\n", "--ca-file"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = check(&with(&[option, &path])).expect_err(text).to_string();
            assert!(error.contains(says) && error.contains(&path), "{error}");
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
