//! Where an instance's guard is.

use std::fmt;
use std::net::SocketAddr;

use crate::hostname::Hostname;

/// What a name begins with where it is stored.
const OVER_TLS: &str = "https://";

/// Where requests for a hostname are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// On this machine.
    Address(SocketAddr),
    /// At another company, which finds the instance by this name. It has to prove the name by a certificate.
    Name(Hostname),
}

impl Origin {
    /// Reads what is stored; `None` for what is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix(OVER_TLS) {
            Some(name) => Hostname::parse(name).ok().map(Self::Name),
            None => text.parse().ok().map(Self::Address),
        }
    }

    /// Its name, if it has one.
    pub(crate) fn name(&self) -> Option<&Hostname> {
        match self {
            Self::Address(_) => None,
            Self::Name(name) => Some(name),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => write!(f, "{OVER_TLS}{name}"),
        }
    }
}

impl From<SocketAddr> for Origin {
    fn from(address: SocketAddr) -> Self {
        Self::Address(address)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_stored_is_read_as_it_was_meant_or_not_at_all() {
        let name = Origin::Name(Hostname::parse("app-1.up.railway.app").unwrap());
        for origin in [Origin::from(SocketAddr::from(([127, 0, 0, 1], 21000))), name] {
            assert_eq!(Origin::parse(&origin.to_string()), Some(origin));
        }
        for text in ["", "https://", "https://127.0.0.1", "https://a.example:1", "http://a.example", "a.example"] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }
}
