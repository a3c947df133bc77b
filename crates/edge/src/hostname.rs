use std::fmt;

use http::header::HOST;
use http::{HeaderMap, Uri};

/// A DNS name in lower case, without a trailing dot, a port, or anything that could be an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hostname(String);

/// The text is no hostname.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a hostname: it should look like acme.example.com")]
pub struct HostnameError(pub String);

/// The request does not say clearly which hostname it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnclearHost {
    #[error("the request names no host")]
    Missing,
    #[error("the request names more than one host")]
    Several,
    #[error("the request names an address or something malformed as its host")]
    NotAName,
}

impl Hostname {
    /// Reads a hostname; upper-case ASCII letters and one trailing dot are forgiven.
    ///
    /// # Errors
    /// [`HostnameError`] for addresses (`127.0.0.1`, `[::1]`), ports, and characters that no
    /// hostname has.
    pub fn parse(raw: &str) -> Result<Self, HostnameError> {
        let name = raw.strip_suffix('.').unwrap_or(raw).to_ascii_lowercase();
        let labels_fit = !name.is_empty() && name.len() <= 253 && name.split('.').all(is_label);
        // A last label of digits is how addresses end; no top-level domain is like that.
        let is_address = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        if labels_fit && !is_address { Ok(Self(name)) } else { Err(HostnameError(raw.chars().take(80).collect())) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a name below `domain`.
    pub(crate) fn is_below(&self, domain: &str) -> bool {
        self.0.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    }

    /// The hostname a request is for, be it in its target (HTTP/2, absolute form) or in `Host`;
    /// where it stands in both, both must say the same.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Result<Self, UnclearHost> {
        let mut hosts = headers.get_all(HOST).iter();
        let header = hosts.next().map(|host| host.to_str().map_err(|_| UnclearHost::NotAName)).transpose()?;
        if hosts.next().is_some() {
            return Err(UnclearHost::Several);
        }
        let target = uri.authority().map(http::uri::Authority::as_str);
        match (target, header) {
            (Some(target), Some(header)) if !target.eq_ignore_ascii_case(header) => Err(UnclearHost::Several),
            (Some(host), _) | (None, Some(host)) => Self::of_authority(host).ok_or(UnclearHost::NotAName),
            (None, None) => Err(UnclearHost::Missing),
        }
    }

    fn of_authority(authority: &str) -> Option<Self> {
        let host = match authority.split_once(':') {
            Some((host, port)) => {
                let is_port = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
                is_port.then_some(host)?
            }
            None => authority,
        };
        Self::parse(host).ok()
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Hostname {
    type Err = HostnameError;
    fn from_str(raw: &str) -> Result<Self, HostnameError> {
        Self::parse(raw)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::HeaderValue;

    fn of(target: &str, hosts: &[&str]) -> Result<String, UnclearHost> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
        }
        Hostname::of(&target.parse().unwrap(), &headers).map(|name| name.to_string())
    }

    #[test]
    fn a_request_names_one_host_whatever_its_case_port_or_last_dot() {
        for host in ["acme.localhost", "ACME.localhost:8080", "acme.localhost.", "acme.localhost.:80"] {
            assert_eq!(of("/", &[host]).unwrap(), "acme.localhost", "{host}");
        }
        assert_eq!(of("http://acme.localhost:8080/x", &["ACME.localhost:8080"]).unwrap(), "acme.localhost");
        assert_eq!(of("http://acme.localhost/x", &[]).unwrap(), "acme.localhost");
    }

    #[test]
    fn an_unclear_host_is_refused() {
        assert_eq!(of("/", &[]), Err(UnclearHost::Missing));
        assert_eq!(of("/", &["a.localhost", "a.localhost"]), Err(UnclearHost::Several));
        assert_eq!(of("http://a.localhost/", &["b.localhost"]), Err(UnclearHost::Several));
        for host in [
            "",
            ".",
            "127.0.0.1",
            "127.0.0.1:8080",
            "[::1]:8080",
            "::1",
            "2130706433",
            "a..localhost",
            "-a.localhost",
            "a.localhost:",
            "a.localhost:http",
            "a.localhost:123456",
            "a.localhost:80:80",
            "a_b.localhost",
            "me@a.localhost",
            "a.localhost/x",
            "a localhost",
            "\u{e4}.localhost",
        ] {
            assert_eq!(of("/", &[host]), Err(UnclearHost::NotAName), "{host:?}");
        }
    }

    #[test]
    fn only_names_with_a_dot_before_the_domain_are_below_it() {
        let is_below = |name: &str| Hostname::parse(name).unwrap().is_below("example.com");
        assert!(is_below("acme.example.com"));
        assert!(!is_below("example.com"));
        assert!(!is_below("badexample.com"));
        assert!(!is_below("example.com.evil.org"));
    }
}
