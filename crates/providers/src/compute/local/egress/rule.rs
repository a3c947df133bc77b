//! Which destinations the operator lets instances reach.

use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::Deserialize;

const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// One line of `[compute] egress`: `api.example.com:443`, `*.example.com:443` (every name below,
/// at any depth, not the name itself), or an address such as `192.0.2.7:5432`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct EgressRule {
    hosts: Hosts,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    Exactly(Host),
    /// Without the star and its dot.
    Below(String),
}

/// Where an application wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) host: Host,
    pub(super) port: u16,
}

/// A name in lower case, or an address that is never an IPv4 address in IPv6 dress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    Name(String),
    Address(IpAddr),
}

/// Why a line is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no destination: {1}")]
pub struct EgressRuleError(String, &'static str);

impl EgressRule {
    pub(super) fn allows(&self, destination: &Destination) -> bool {
        self.port == destination.port
            && match (&self.hosts, &destination.host) {
                (Hosts::Exactly(host), wanted) => host == wanted,
                (Hosts::Below(domain), Host::Name(name)) => {
                    name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
                }
                (Hosts::Below(_), Host::Address(_)) => false,
            }
    }
}

impl FromStr for EgressRule {
    type Err = EgressRuleError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let fail = |why| EgressRuleError(raw.to_owned(), why);
        if raw.contains('/') {
            return Err(fail("write it without scheme and path, such as api.example.com:443"));
        }
        let (host, port) = raw.rsplit_once(':').ok_or_else(|| fail("the port is missing, such as :443"))?;
        let port = parse_port(port).ok_or_else(|| fail("the port must be a number from 1 to 65535"))?;
        let hosts = match host.strip_prefix("*.") {
            None if host == "*" => return Err(fail("a star needs a domain, such as *.example.com:443")),
            None => Hosts::Exactly(
                Host::parse(host).ok_or_else(|| fail("the host must be a name, an address, or [an IPv6 address]"))?,
            ),
            Some(domain) => match Host::parse(domain) {
                Some(Host::Name(domain)) if domain.contains('.') => Hosts::Below(domain),
                Some(Host::Name(_)) => return Err(fail("a star for a whole top-level domain is too wide")),
                _ => return Err(fail("after the star must come a domain")),
            },
        };
        Ok(Self { hosts, port })
    }
}

impl TryFrom<String> for EgressRule {
    type Error = EgressRuleError;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        raw.parse()
    }
}

impl Destination {
    pub(super) fn parse(raw: &str) -> Option<Self> {
        let (host, port) = raw.rsplit_once(':')?;
        Some(Self { host: Host::parse(host)?, port: parse_port(port)? })
    }
}

impl Host {
    fn parse(raw: &str) -> Option<Self> {
        if let Some(inside) = raw.strip_prefix('[') {
            let address: Ipv6Addr = inside.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(IpAddr::V6(address).to_canonical()));
        }
        if let Ok(address) = raw.parse() {
            return Some(Self::Address(IpAddr::V4(address)));
        }
        let name = raw.to_ascii_lowercase();
        is_name(&name).then_some(Self::Name(name))
    }
}

/// Digits alone: other spellings of a number are read differently by different programs.
fn parse_port(raw: &str) -> Option<u16> {
    let digits = raw.bytes().all(|byte| byte.is_ascii_digit());
    raw.parse().ok().filter(|port| digits && *port != 0)
}

fn is_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    // `127.1`, `2130706433` and `0x7f.1` are addresses to resolvers.
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    name.len() <= LONGEST_NAME && !is_number && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    !label.is_empty()
        && label.len() <= LONGEST_LABEL
        && label.bytes().all(allowed)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl Display for EgressRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hosts {
            Hosts::Exactly(host) => write!(out, "{host}:{}", self.port),
            Hosts::Below(domain) => write!(out, "*.{domain}:{}", self.port),
        }
    }
}

impl Display for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.host, self.port)
    }
}

impl Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => out.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(out, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(out, "[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_rule_reads_as_it_was_written_in_one_spelling() {
        for (raw, written) in [
            ("api.example.com:443", "api.example.com:443"),
            ("API.Example.COM:443", "api.example.com:443"),
            ("*.example.com:8443", "*.example.com:8443"),
            ("localhost:1", "localhost:1"),
            ("_srv.example.com:5432", "_srv.example.com:5432"),
            ("127.0.0.1:65535", "127.0.0.1:65535"),
            ("[2001:DB8:0::1]:443", "[2001:db8::1]:443"),
            ("[::ffff:10.0.0.1]:443", "10.0.0.1:443"),
        ] {
            let rule: EgressRule = raw.parse().unwrap();
            assert_eq!(rule.to_string(), written);
            assert_eq!(written.parse::<EgressRule>().unwrap(), rule);
        }
    }

    #[test]
    fn what_is_no_rule_says_what_is_wrong_with_it() {
        for (raw, says) in [
            ("", "port is missing"),
            ("example.com", "port is missing"),
            ("https://example.com:443", "without scheme"),
            ("example.com:443/v1", "without scheme"),
            ("example.com:", "port must be"),
            ("example.com:0", "port must be"),
            ("example.com:+443", "port must be"),
            ("example.com:65536", "port must be"),
            ("example.com:https", "port must be"),
            ("*:443", "needs a domain"),
            ("*.com:443", "too wide"),
            ("*.1.2.3.4:443", "must come a domain"),
            ("*.*.example.com:443", "must come a domain"),
            ("api.*.com:443", "host must be"),
            ("*example.com:443", "host must be"),
            (":443", "host must be"),
            ("example.com.:443", "host must be"),
            (".example.com:443", "host must be"),
            ("exa mple.com:443", "host must be"),
            ("-a.example.com:443", "host must be"),
            ("bücher.example:443", "host must be"),
            ("2001:db8::1:443", "host must be"),
            ("[127.0.0.1]:443", "host must be"),
            ("127.1:443", "host must be"),
            ("2130706433:443", "host must be"),
            ("0x7f000001:443", "host must be"),
        ] {
            let error = raw.parse::<EgressRule>().unwrap_err().to_string();
            assert!(error.contains(says), "{raw}: {error}");
        }
        assert!(format!("{}.example.com:1", "a".repeat(64)).parse::<EgressRule>().is_err());
        assert!(format!("{}com:1", "abcdefg.".repeat(32)).parse::<EgressRule>().is_err());
    }

    #[test]
    fn a_rule_allows_its_host_and_port_and_nothing_near_them() {
        for (rule, destination, allowed) in [
            ("api.example.com:443", "api.example.com:443", true),
            ("api.example.com:443", "API.EXAMPLE.COM:443", true),
            ("api.example.com:443", "api.example.com:80", false),
            ("api.example.com:443", "example.com:443", false),
            ("api.example.com:443", "x.api.example.com:443", false),
            ("*.example.com:443", "files.example.com:443", true),
            ("*.example.com:443", "a.b.example.com:443", true),
            ("*.example.com:443", "example.com:443", false),
            ("*.example.com:443", "badexample.com:443", false),
            ("*.example.com:443", "example.com.evil.net:443", false),
            ("*.example.com:443", "files.example.com:444", false),
            ("10.0.0.1:443", "10.0.0.1:443", true),
            ("10.0.0.1:443", "[::ffff:10.0.0.1]:443", true),
            ("10.0.0.1:443", "10.0.0.2:443", false),
            ("[::1]:443", "[0:0::1]:443", true),
            ("localhost:443", "127.0.0.1:443", false),
        ] {
            let rule: EgressRule = rule.parse().unwrap();
            assert_eq!(rule.allows(&Destination::parse(destination).unwrap()), allowed, "{rule} {destination}");
        }
    }
}
