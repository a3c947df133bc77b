//! How a guard is reached past the edge in front of it.

mod names;

use std::net::SocketAddr;
use std::time::Duration;

use jiff::SignedDuration;

use super::answers::Status;
use super::{Home, Railway};
use crate::compute::{Door, Origin};
use crate::{ProviderError, Routing};

/// An instance that sleeps takes its time.
const PATIENCE: Duration = Duration::from_secs(30);

impl Railway {
    /// Straight to Railway's edge, which knows the hostname by TLS name and `Host`.
    ///
    /// Behind a proxy a hostname may never get a certificate of its own, and waiting for one would be
    /// waiting for ever. Railway then answers with the certificate of its own names, as it does to
    /// Cloudflare, whose mode Full asks for none in particular. Here it has to be one or the other:
    /// of the hostname, or of the name that its record leads to. Both prove that Railway answers.
    pub(super) async fn way_to(&self, home: &Home, hostname: &str) -> Result<Option<Door>, ProviderError> {
        let latest = match self.instance(home).await {
            Ok(instance) => instance.latest_deployment,
            Err(ProviderError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let asleep = latest.is_some_and(|latest| latest.status == Status::Sleeping);
        let host = match self.settings.routing {
            Routing::Records => hostname.to_owned(),
            Routing::Wildcard => self.recorded_name(home).await?.ok_or_else(|| changing(home))?,
        };
        if let Some(address) = self.settings.edge_address {
            let http = self.straight.clone();
            return Ok(Some(Door { http, url: format!("http://{address}"), host, asleep }));
        }
        if self.settings.routing == Routing::Wildcard {
            // Railway has a certificate of its own for its own names.
            let http = self.straight.clone();
            return Ok(Some(Door { http, url: format!("https://{host}"), host, asleep }));
        }
        let (target, addresses) = self.edge(home, hostname).await?;
        let http = client()
            .tls_backend_preconfigured(names::either(&target)?)
            .resolve_to_addrs(hostname, &addresses)
            .build()
            .map_err(|error| ProviderError::unavailable("making the client that knocks at guards", error))?;
        Ok(Some(Door { http, url: format!("https://{hostname}"), host, asleep }))
    }

    async fn edge(&self, home: &Home, hostname: &str) -> Result<(String, Vec<SocketAddr>), ProviderError> {
        // Knocking makes nothing: the hostname may have been taken back since the caller looked.
        if self.resources.find(&home.key("domain", hostname)).await?.is_none() {
            return Err(changing(home));
        }
        let Origin::Name { target, .. } = self.add_hostname(home, hostname).await? else { return Err(changing(home)) };
        let found = tokio::net::lookup_host((target.as_str(), 443)).await;
        let what = format!("look up {target}");
        let addresses = found.map_err(|error| ProviderError::unavailable(what, error))?.collect();
        Ok((target, addresses))
    }
}

fn changing(home: &Home) -> ProviderError {
    let why = format!("the way to {} is changing", home.name);
    ProviderError::not_yet(why, SignedDuration::from_secs(5))
}

/// Knocks, and follows nobody elsewhere.
pub(super) fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().timeout(PATIENCE)
}
