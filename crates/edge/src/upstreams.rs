//! The connections kept to the guard behind each published hostname.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use proxy::{Address, Timeouts, Upstream};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;

use crate::EdgeError;
use crate::hostname::Hostname;
use crate::hostnames::Route;
use crate::origin::Origin;

/// Where names answer over TLS.
const PORT: u16 = 443;
/// Elsewhere takes longer than on this machine, and to begin anew takes longest. Railway keeps an idle
/// connection for a minute.
const ELSEWHERE: Timeouts = Timeouts { connect: Duration::from_secs(10), answer: None, idle: Duration::from_secs(30) };

#[derive(Debug, Default)]
pub(crate) struct Upstreams {
    kept: Mutex<HashMap<Hostname, (Origin, Arc<Upstream>)>>,
    /// Where names are reached without TLS, in rehearsals.
    rehearsed: Option<SocketAddr>,
    /// What certificates are judged by. Only who has origins with names needs any.
    tls: OnceLock<ClientConfig>,
}

impl Upstreams {
    /// With names that are all at this address and need no certificate, if one is given.
    pub(crate) fn new(rehearsed: Option<SocketAddr>) -> Self {
        Self { rehearsed, ..Self::default() }
    }

    /// The way to a hostname's guard.
    ///
    /// # Errors
    /// [`EdgeError::Certificates`] when the origin has to prove its name, and nothing here could judge that.
    pub(crate) fn of(&self, route: &Route) -> Result<Arc<Upstream>, EdgeError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((origin, upstream)) = kept.get(&route.hostname)
            && *origin == route.upstream
        {
            return Ok(Arc::clone(upstream));
        }
        let upstream = Arc::new(self.to(&route.upstream)?);
        kept.insert(route.hostname.clone(), (route.upstream.clone(), Arc::clone(&upstream)));
        Ok(upstream)
    }

    /// Lets the connections to a hostname's guard go once they are idle.
    pub(crate) fn forget(&self, hostname: &Hostname) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(hostname);
    }

    fn to(&self, origin: &Origin) -> Result<Upstream, EdgeError> {
        let at = |address: String, timeouts| Upstream::new(Address::Tcp(address), timeouts);
        match (origin, self.rehearsed) {
            (Origin::Address(address), _) => Ok(at(address.to_string(), Timeouts::default())),
            (Origin::Name(_), Some(address)) => Ok(at(address.to_string(), ELSEWHERE)),
            (Origin::Name(name), None) => {
                let server = ServerName::try_from(name.as_str().to_owned()).map_err(unusable)?;
                Ok(at(format!("{name}:{PORT}"), ELSEWHERE).over_tls(server, self.tls()?))
            }
        }
    }

    fn tls(&self) -> Result<ClientConfig, EdgeError> {
        if let Some(config) = self.tls.get() {
            return Ok(config.clone());
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
        let config = builder.with_platform_verifier().map_err(unusable)?.with_no_client_auth();
        Ok(self.tls.get_or_init(|| config).clone())
    }
}

fn unusable(error: impl std::fmt::Display) -> EdgeError {
    EdgeError::Certificates(error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn an_origin_with_a_name_is_called_at_the_port_of_tls_or_not_at_all() {
        let name = Hostname::parse("app-1.up.railway.app").unwrap();
        let hostname = Hostname::parse("acme.example.com").unwrap();
        let route = Route { hostname, instance: None, upstream: Origin::Name(name), audience: String::new() };
        let upstreams = Upstreams::new(None);
        match upstreams.of(&route) {
            Ok(upstream) => {
                assert_eq!(*upstream.address(), Address::Tcp("app-1.up.railway.app:443".into()));
                assert!(Arc::ptr_eq(&upstream, &upstreams.of(&route).unwrap()), "its connections are kept");
            }
            // A machine that believes no authority calls nobody.
            Err(EdgeError::Certificates(_)) => {}
            Err(other) => panic!("{other}"),
        }
        let rehearsed = Upstreams::new(Some(([127, 0, 0, 1], 9).into())).of(&route).unwrap();
        assert_eq!(*rehearsed.address(), Address::Tcp("127.0.0.1:9".into()));
    }
}
