use std::net::SocketAddr;
use std::time::Duration;

use super::answers::Status;
use super::{Home, Railway};
use crate::ProviderError;
use crate::compute::{Door, Origin};

impl Railway {
    /// Straight to Railway's edge, which knows the hostname by TLS name and `Host`. Where Railway has
    /// no certificate for it, since a proxy stands before it, knocking fails in the handshake rather
    /// than talking to whoever answers.
    pub(super) async fn way_to(&self, home: &Home, hostname: &str) -> Result<Option<Door>, ProviderError> {
        let latest = match self.instance(home).await {
            Ok(instance) => instance.latest_deployment,
            Err(ProviderError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let asleep = latest.is_some_and(|latest| latest.status == Status::Sleeping);
        let (url, addresses) = match self.settings.edge_address {
            Some(address) => (format!("http://{address}"), Vec::new()),
            None => (format!("https://{hostname}"), self.edge(home, hostname).await?),
        };
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // An instance that sleeps takes its time.
            .timeout(Duration::from_secs(30))
            .resolve_to_addrs(hostname, &addresses)
            .build()
            .map_err(|error| ProviderError::unavailable("making the client that knocks at guards", error))?;
        Ok(Some(Door { http, url, host: hostname.to_owned(), asleep }))
    }

    async fn edge(&self, home: &Home, hostname: &str) -> Result<Vec<SocketAddr>, ProviderError> {
        let Origin::Name { target, .. } = self.add_hostname(home, hostname).await? else { return Ok(Vec::new()) };
        let found = tokio::net::lookup_host((target.as_str(), 443)).await;
        let what = format!("look up {target}");
        Ok(found.map_err(|error| ProviderError::unavailable(what, error))?.collect())
    }
}
