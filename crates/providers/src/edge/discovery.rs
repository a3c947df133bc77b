//! What an identity provider says of itself, as OpenID Connect Discovery has it.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Client, Url};
use secrecy::SecretString;
use serde::Deserialize;

use super::Oidc;
use crate::ProviderError;

const DOCUMENT: &str = "/.well-known/openid-configuration";
const PATIENCE: Duration = Duration::from_secs(10);
/// Real ones have a few thousand bytes.
const LARGEST: usize = 256 * 1024;

/// What it tells of itself, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Told {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

/// An issuer as a client of it uses it: asks the issuer where it is to be asked. Whatever it answers is
/// checked, since people are sent there. Changes nothing.
///
/// # Errors
/// Refused when it can't be asked, or what it says can't be used.
pub async fn discover(
    http: &Client,
    issuer: &str,
    client_id: String,
    client_secret: SecretString,
) -> Result<Oidc, ProviderError> {
    let issuer = issuer.trim().trim_end_matches('/');
    if !is_safe(issuer) {
        return Err(wrong(issuer, "it is no https address", "give it as https://login.example.com"));
    }
    let body = read(http, issuer).await.map_err(|why| {
        let next = format!("look whether {issuer}{DOCUMENT} can be opened from here");
        wrong(issuer, &why, &next)
    })?;
    let told = understood(issuer, &body)?;
    Ok(Oidc {
        issuer: told.issuer,
        auth_url: told.authorization_endpoint,
        token_url: told.token_endpoint,
        certs_url: told.jwks_uri,
        client_id,
        client_secret,
    })
}

fn understood(issuer: &str, body: &[u8]) -> Result<Told, ProviderError> {
    const ASK: &str = "ask whoever runs it for its issuer, exactly as it writes it";
    let told: Told = serde_json::from_slice(body)
        .map_err(|error| wrong(issuer, &format!("what it says of itself can't be read: {error}"), ASK))?;
    if told.issuer.trim_end_matches('/') != issuer {
        return Err(wrong(issuer, "it calls itself otherwise", ASK));
    }
    for address in [&told.authorization_endpoint, &told.token_endpoint, &told.jwks_uri] {
        if !is_safe(address) {
            return Err(wrong(issuer, "one of its addresses is not an https address", ASK));
        }
    }
    Ok(told)
}

fn wrong(issuer: &str, why: &str, next: &str) -> ProviderError {
    ProviderError::refused(format!("use the identity provider {issuer}"), why, next)
}

/// `https`, or `http` on this machine, where everything is rehearsed.
fn is_safe(address: &str) -> bool {
    let Ok(url) = address.parse::<Url>() else { return false };
    let is_here = || {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    };
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    is_plain && (url.scheme() == "https" || url.scheme() == "http" && is_here())
}

async fn read(http: &Client, issuer: &str) -> Result<Vec<u8>, String> {
    let asked = http.get(format!("{issuer}{DOCUMENT}")).timeout(PATIENCE).send();
    let mut answer = asked.await.map_err(|error| error.without_url().to_string())?;
    if !answer.status().is_success() {
        return Err(format!("it answers {}", answer.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| error.without_url().to_string())? {
        if body.len() + chunk.len() > LARGEST {
            return Err("it says more of itself than anybody reads".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const ISSUER: &str = "https://login.acme.example";

    fn document(issuer: &str, token: &str) -> Vec<u8> {
        let document = serde_json::json!({
            "issuer": issuer, "authorization_endpoint": format!("{ISSUER}/authorize"), "token_endpoint": token,
            "jwks_uri": format!("{ISSUER}/keys"), "scopes_supported": ["openid"],
        });
        serde_json::to_vec(&document).unwrap()
    }

    #[test]
    fn an_issuer_is_believed_only_about_itself_and_only_by_encrypted_ways() {
        let token = format!("{ISSUER}/token");
        let told = understood(ISSUER, &document(&format!("{ISSUER}/"), &token)).unwrap();
        assert_eq!(told.token_endpoint, token);
        for (issuer, token) in [("https://else.example", token.as_str()), (ISSUER, "http://login.acme.example/token")] {
            assert!(understood(ISSUER, &document(issuer, token)).is_err(), "{issuer} {token}");
        }
        assert!(understood(ISSUER, b"<html>").is_err());
    }

    #[test]
    fn only_this_machine_may_be_asked_in_the_clear() {
        for good in ["https://login.acme.example/tenant", "http://127.0.0.1:9", "http://[::1]:9/x"] {
            assert!(is_safe(good), "{good}");
        }
        for bad in ["http://login.acme.example", "login.acme.example", "https://a:b@login.example", "file:///etc/x"] {
            assert!(!is_safe(bad), "{bad}");
        }
    }
}
