//! Where the app is seen.

use axum::http::{HeaderMap, HeaderName, header};

use super::PORT;

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Where the app is seen, if anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Whereabouts {
    /// On this machine, by whoever sits at it.
    #[default]
    Here,
    /// At a hostname of its own, which the guard in front leads to it.
    Hostname(String),
    /// Nowhere: the guard in front has no hostname for it.
    Nowhere,
}

impl Whereabouts {
    /// What the environment says: behind a guard, the app has the hostname that is named, or none.
    #[must_use]
    pub fn of(is_guarded: bool, app_hostname: Option<&str>) -> Self {
        match app_hostname.map(str::trim).filter(|name| is_hostname(name)) {
            Some(name) => Self::Hostname(name.to_ascii_lowercase()),
            None if is_guarded => Self::Nowhere,
            None => Self::Here,
        }
    }

    /// The app's address, with scheme and port as this visitor came; `None` where there is none.
    #[must_use]
    pub fn address(&self, headers: &HeaderMap) -> Option<String> {
        match self {
            Self::Here => Some(format!("http://127.0.0.1:{PORT}")),
            Self::Hostname(name) => Some(format!("{}://{name}{}", scheme(headers), port(headers))),
            Self::Nowhere => None,
        }
    }
}

fn is_hostname(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    !name.is_empty() && name.len() <= 253 && name.bytes().all(is_plain)
}

fn scheme(headers: &HeaderMap) -> &'static str {
    let said = headers.get(FORWARDED_PROTO).and_then(|value| value.to_str().ok());
    if said == Some("https") { "https" } else { "http" }
}

/// The port behind the name that the visitor asked for, with its colon.
fn port(headers: &HeaderMap) -> String {
    let host = headers.get(FORWARDED_HOST).or_else(|| headers.get(header::HOST));
    let said = host.and_then(|host| host.to_str().ok()).and_then(|host| host.rsplit_once(':'));
    said.and_then(|(_, port)| port.parse::<u16>().ok()).map(|port| format!(":{port}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn behind_a_guard_it_is_at_its_hostname_as_the_visitor_came_or_nowhere() {
        let address = |guarded, name, headers: &[(&'static str, &str)]| {
            let pairs = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
            Whereabouts::of(guarded, name).address(&pairs.collect())
        };
        let name = Some("Acme-App.example.com");
        for (headers, expected) in [
            (vec![], "http://acme-app.example.com"),
            (vec![("host", "acme.localhost:8080")], "http://acme-app.example.com:8080"),
            (
                vec![
                    ("host", "127.0.0.1:8000"),
                    ("x-forwarded-host", "acme.example.com"),
                    ("x-forwarded-proto", "https"),
                ],
                "https://acme-app.example.com",
            ),
            (
                vec![("x-forwarded-proto", "javascript"), ("host", "acme.example.com:80\"><script>")],
                "http://acme-app.example.com",
            ),
        ] {
            assert_eq!(address(true, name, &headers).as_deref(), Some(expected), "{headers:?}");
        }
        for none in [None, Some(""), Some("a b"), Some("x/<y>")] {
            assert_eq!(address(true, none, &[]), None, "{none:?}");
        }
        assert_eq!(address(false, None, &[("host", "localhost:8000")]).as_deref(), Some("http://127.0.0.1:3000"));
    }
}
