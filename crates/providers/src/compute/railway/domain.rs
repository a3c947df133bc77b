use jiff::SignedDuration;
use serde_json::json;

use super::answers::{CustomDomain, Domains};
use super::service::PORT;
use super::{Home, LAG, Railway, operations};
use crate::compute::{Origin, Txt};
use crate::resources::Made;
use crate::{ProviderError, Removed, Routing};

const PREFIX: &str = "railway-verify=";
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(10);

impl Railway {
    /// Registers the hostname and tells which records prove it, or tells the name by which the router finds
    /// the instance, whatever the hostname is.
    pub(super) async fn add_hostname(&self, home: &Home, hostname: &str) -> Result<Origin, ProviderError> {
        if self.settings.routing == Routing::Wildcard {
            return self.generate_name(home).await;
        }
        let look = async || {
            let held = self.domains(home).await?.custom_domains;
            Ok(held.into_iter().find(|held| held.domain == hostname).map(|held| made(&held)))
        };
        let make = async || {
            let input = json!({
                "domain": hostname, "projectId": home.project, "environmentId": home.environment,
                "serviceId": home.service, "targetPort": PORT,
            });
            let held: CustomDomain = self.graph.ask(&operations::CREATE_DOMAIN, json!({ "input": input })).await?;
            Ok(made(&held))
        };
        let key = home.key("domain", hostname);
        let made = match self.resources.ensure(&key, LAG, look, make).await {
            Ok(made) => made,
            Err(error) => return Err(self.explain(home, error).await),
        };
        if let Some(origin) = made.detail.as_deref().and_then(|text| serde_json::from_str(text).ok()) {
            return Ok(origin);
        }
        // Railway did not say at once where it leads.
        let held = self.custom_domain(home, hostname, &made.id).await?;
        let origin =
            origin(&held).ok_or_else(|| ProviderError::not_yet("your address is being prepared", LOOK_AGAIN))?;
        self.resources.keep(&key, &self::made(&held)).await?;
        Ok(origin)
    }

    /// Whether Railway saw the records and answers for the hostname. A certificate is not waited for:
    /// behind a proxy there may never be one.
    pub(super) async fn see_hostname(&self, home: &Home, hostname: &str) -> Result<(), ProviderError> {
        if self.settings.routing == Routing::Wildcard {
            return self.see_generated(home).await;
        }
        let known = self.resources.find(&home.key("domain", hostname)).await?;
        let made = known.and_then(|held| Some((held.made?.id, held.intended_at)));
        let missing = || ProviderError::not_found(format!("the hostname {hostname} at Railway"));
        let (id, since) = made.ok_or_else(missing)?;
        let held = self.custom_domain(home, hostname, &id).await?;
        if !held.status.verified {
            let why = "your address was set up and is being checked, which can take a quarter of an hour";
            return Err(ProviderError::not_yet(why, pause(self.clock.now().duration_since(since))));
        }
        if held.sync_status != "ACTIVE" {
            return Err(ProviderError::not_yet("your address was checked and is being connected", LOOK_AGAIN));
        }
        Ok(())
    }

    pub(super) async fn remove_hostname(&self, home: &Home, hostname: &str) -> Result<Vec<Removed>, ProviderError> {
        let mut removed = Vec::new();
        if self.settings.routing == Routing::Wildcard {
            // Nothing here goes by it: the name that Railway chose stays as long as its instance.
            return Ok(removed);
        }
        let held = match self.domains(home).await {
            Ok(domains) => domains.custom_domains,
            Err(ProviderError::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        for held in held.iter().filter(|held| held.domain == hostname) {
            removed.extend(self.delete_domain(held).await?);
        }
        self.resources.forget(&home.key("domain", hostname)).await?;
        Ok(removed)
    }

    pub(super) async fn delete_domain(&self, held: &CustomDomain) -> Result<Option<Removed>, ProviderError> {
        let gone = self.graph.find::<bool>(&operations::DELETE_DOMAIN, json!({ "id": held.id })).await?;
        Ok(gone.map(|_| Removed::new("hostname", &held.domain)))
    }

    pub(super) async fn domains(&self, home: &Home) -> Result<Domains<CustomDomain>, ProviderError> {
        self.domains_of(&home.project, &home.environment, &home.service).await
    }

    pub(super) async fn domains_of(
        &self,
        project: &str,
        environment: &str,
        service: &str,
    ) -> Result<Domains<CustomDomain>, ProviderError> {
        let variables = json!({ "project": project, "environment": environment, "service": service });
        self.graph.ask(&operations::DOMAINS, variables).await
    }

    /// One that was deleted at Railway is forgotten, so that it is made again when it is asked for.
    async fn custom_domain(&self, home: &Home, hostname: &str, id: &str) -> Result<CustomDomain, ProviderError> {
        let variables = json!({ "id": id, "project": home.project });
        match self.graph.find(&operations::DOMAIN, variables).await? {
            Some(held) => Ok(held),
            None => {
                self.resources.forget(&home.key("domain", hostname)).await?;
                Err(ProviderError::not_found(format!("the hostname {hostname} at Railway")))
            }
        }
    }
}

/// How soon to look again for the verification of a hostname that was registered so long ago. It takes 5 to 15
/// minutes, unless it takes moments. Each look is one of the calls that Railway allows in an hour, and those
/// who wait for it are many: looking more often would slow everybody down.
fn pause(age: SignedDuration) -> SignedDuration {
    SignedDuration::from_secs(match age.as_secs() {
        ..60 => 10,
        60..240 => 60,
        _ => 30,
    })
}

fn made(held: &CustomDomain) -> Made {
    let detail = origin(held).and_then(|origin| serde_json::to_string(&origin).ok());
    Made { id: held.id.clone(), detail }
}

/// Where the hostname has to lead; `None` while Railway does not say.
fn origin(held: &CustomDomain) -> Option<Origin> {
    let route = held.status.dns_records.iter().find(|record| record.purpose == "DNS_RECORD_PURPOSE_TRAFFIC_ROUTE")?;
    let host = held.status.verification_dns_host.as_deref().filter(|host| !host.is_empty());
    let token = held.status.verification_token.as_deref().filter(|token| !token.is_empty());
    let proof = match (host, token) {
        (Some(host), Some(token)) => Some(proof(host, token, &route.zone)),
        // Nothing to prove any more.
        _ if held.status.verified => None,
        _ => return None,
    };
    Some(Origin::Name { target: route.required_value.trim_end_matches('.').to_owned(), proof })
}

/// Railway writes the name with and without its zone, and the token with and without its prefix.
fn proof(host: &str, token: &str, zone: &str) -> Txt {
    let host = host.trim_end_matches('.');
    let has_zone = host == zone || host.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
    let name = if has_zone || zone.is_empty() { host.to_owned() } else { format!("{host}.{zone}") };
    Txt { name, text: format!("{PREFIX}{}", token.trim_start_matches(PREFIX)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_has_its_zone_and_its_prefix_once_however_it_is_told() {
        let wanted = Txt { name: "_railway-verify.acme.example.com".into(), text: "railway-verify=5b1f".into() };
        for host in ["_railway-verify.acme", "_railway-verify.acme.example.com", "_railway-verify.acme.example.com."] {
            for token in ["5b1f", "railway-verify=5b1f", "railway-verify=railway-verify=5b1f"] {
                assert_eq!(proof(host, token, "example.com"), wanted);
            }
        }
        // A label that ends as the zone does is not the zone.
        let odd = proof("_railway-verify.myexample.com", "1", "example.com");
        assert_eq!(odd.name, "_railway-verify.myexample.com.example.com");
    }
}
