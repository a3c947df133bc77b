//! Whose assertions are believed, and for whom they must be meant.

use access::Verifier;
use http::Uri;

use super::{Environment, SettingsError, problem};

pub(super) fn issuer(raw: Option<&str>, through_socket: bool) -> Result<String, SettingsError> {
    let issuer = raw.unwrap_or_default();
    if issuer.is_empty() {
        return Err(problem("no issuer: give --issuer (GUARD_ISSUER), such as https://<team>.cloudflareaccess.com"));
    }
    if issuer.ends_with('/') {
        return Err(problem(format!("--issuer {issuer} ends with a slash, and assertions name it without one")));
    }
    let uri = reachable("--issuer", issuer, through_socket)?;
    // Assertions name it byte by byte, and an edge writes it as browsers write an origin.
    let is_origin = uri.path_and_query().is_none_or(|path| path == "/");
    if !is_origin || issuer.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(problem(format!(
            "--issuer {issuer} must be scheme, host and port alone, in lower case, such as \
             https://<team>.cloudflareaccess.com; where its keys are is for --certs-url"
        )));
    }
    Ok(issuer.to_owned())
}

/// An https address, or a plain one that does not leave this machine.
pub(crate) fn reachable(option: &str, raw: &str, through_socket: bool) -> Result<Uri, SettingsError> {
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

pub(super) fn audiences(mut given: Vec<String>, environment: &Environment) -> Vec<String> {
    if given.is_empty() {
        given.extend(environment.cloudflare_audience.iter().flat_map(|list| list.split(',')).map(str::to_owned));
    }
    given.into_iter().map(|audience| audience.trim().to_owned()).collect()
}

/// Knows both kinds of audience. Assertions must not be good for everything by accident.
pub(super) fn verifier(issuer: String, audiences: Vec<String>, of_app: &[String]) -> Result<Verifier, SettingsError> {
    let none =
        || problem("no audience: give --audience (GUARD_AUDIENCE), the audience tag of this hostname's application");
    if audiences.is_empty() {
        return Err(none());
    }
    if let Some(both) = audiences.iter().find(|audience| of_app.contains(audience)) {
        return Err(problem(format!("--audience and --app-audience both name {both}: it can't open the one alone")));
    }
    Verifier::new(issuer, audiences.into_iter().chain(of_app.iter().cloned()).collect()).ok_or_else(none)
}
