//! What is done once for an account and a zone: looked for, and made or put right where it differs.

use access::protocol::HEALTH;
use jiff::SignedDuration;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::admissions::{POLICY, SESSION, policy};
use super::api::{APPS, Needs, ORGANIZATIONS, ZONE_SETTINGS};
use super::hostname::LAG;
use super::wildcard::Wildcard;
use super::{Cloudflare, store};
use crate::ProviderError;
use crate::http::{Call, Repeat};
use crate::setup::{State, Step};

/// How the policy is called that lets anybody ask whether an instance is well.
pub(super) const HEALTH_POLICY: &str = "spinoff health";

/// How often to look for what is not listed yet.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// What the setup gives, for the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The tag (`aud`) of the wildcard application.
    pub audience: String,
    /// The policy that lets members through.
    pub policy_id: String,
    /// The whole domain of the team.
    pub team_domain: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct App {
    id: String,
    pub(super) aud: String,
    #[serde(default)]
    allowed_idps: Vec<String>,
    #[serde(default)]
    policies: Vec<Named>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) decision: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Provider {
    id: String,
    #[serde(rename = "type")]
    kind: String,
}

/// What is there.
struct Seen {
    team_domain: String,
    provider: Option<String>,
    members: Option<Named>,
    health: Option<Named>,
    /// Where one record is to lead all hostnames to the router.
    record: Option<Wildcard>,
    wildcard: Option<App>,
    bypass: Option<App>,
    ssl: String,
}

impl Cloudflare {
    /// What the setup would find and do. Changes nothing.
    ///
    /// # Errors
    /// Refused when the token may not look, or the account has no Access organisation.
    pub async fn plan(&self) -> Result<Vec<Step>, ProviderError> {
        Ok(self.steps(&self.seen().await?))
    }

    /// What the setup gave, where nothing is left of it to do. Changes nothing.
    ///
    /// # Errors
    /// As [`Cloudflare::plan`].
    pub async fn found(&self) -> Result<Option<Ready>, ProviderError> {
        let seen = self.seen().await?;
        if self.steps(&seen).iter().any(|step| step.state != State::Present) {
            return Ok(None);
        }
        let ready = |(app, policy): (App, Named)| Ready {
            audience: app.aud,
            policy_id: policy.id,
            team_domain: seen.team_domain,
        };
        Ok(seen.wildcard.zip(seen.members).map(ready))
    }

    fn steps(&self, seen: &Seen) -> Vec<Step> {
        let base = &self.settings.base_domain;
        let there = |is_there: bool| if is_there { State::Present } else { State::Missing };
        let app = |app: &Option<App>, policy: &Option<Named>, provider: Option<&String>| match app {
            None => State::Missing,
            Some(app) if policy.as_ref().is_some_and(|policy| app.is_as(&policy.id, provider)) => State::Present,
            Some(_) => State::Differs,
        };
        let step = |what: String, state| Step { what, state };
        let record = seen.record.as_ref().map(|record| {
            let router = self.settings.router.as_deref().unwrap_or_default();
            step(format!("the proxied record *.{base}, which leads to {router}"), record.state())
        });
        let all = vec![
            step("the identity provider for mailed codes".into(), there(seen.provider.is_some())),
            step(format!("the reusable policy “{POLICY}”"), there(seen.members.is_some())),
            step(
                format!("the Access application for *.{base}"),
                app(&seen.wildcard, &seen.members, seen.provider.as_ref()),
            ),
            step(format!("the reusable policy “{HEALTH_POLICY}”"), there(seen.health.is_some())),
            step(format!("the exception for *.{base}{HEALTH}"), app(&seen.bypass, &seen.health, None)),
            step("SSL mode full".into(), if seen.ssl == "full" { State::Present } else { State::Differs }),
        ];
        // Last, so that nothing is reached that Access does not cover yet.
        all.into_iter().chain(record).collect()
    }

    /// Makes or adopts what the plan names, and leaves alone what is as it should be. What an answer
    /// that never came left is adopted the next time.
    ///
    /// # Errors
    /// As [`Cloudflare::plan`], and when Cloudflare refuses a part; what is done by then stays.
    pub async fn apply(&self) -> Result<Ready, ProviderError> {
        let seen = self.seen().await?;
        let base = &self.settings.base_domain;
        let provider = match seen.provider {
            Some(id) => id,
            None => {
                let body = json!({ "name": "Email code", "type": "onetimepin", "config": {} });
                self.make::<Provider>("identity_providers", body, ORGANIZATIONS).await?.id
            }
        };
        let members = match seen.members {
            Some(found) => found.id,
            None => self.make::<Named>("policies", policy(POLICY, &self.everybody().await?), APPS).await?.id,
        };
        let body = application("Spinoff instances", &[format!("*.{base}")], &provider, &members);
        let audience = self.app_as(seen.wildcard, &members, Some(&provider), body).await?.aud;
        let health = match seen.health {
            Some(found) => found.id,
            None => {
                let body = json!({ "name": HEALTH_POLICY, "decision": "bypass", "include": [{ "everyone": {} }] });
                self.make::<Named>("policies", body, APPS).await?.id
            }
        };
        let body = bypass("Spinoff health", &[format!("*.{base}{HEALTH}")], &health);
        self.app_as(seen.bypass, &health, None, body).await?;
        if seen.ssl != "full" {
            let path = format!("{}/settings/ssl", self.zone.path);
            let call = Call::new("PATCH …/settings/ssl", Method::PATCH, path, Repeat::Safe);
            let _: Value = self.rest.ask(call.json(json!({ "value": "full" })), ZONE_SETTINGS).await?;
        }
        if let Some(router) = &self.settings.router {
            self.lead_to(router).await?;
        }
        Ok(Ready { audience, policy_id: members, team_domain: seen.team_domain })
    }

    /// The application that protects exactly this.
    pub(super) async fn app(&self, domain: &str) -> Result<Option<App>, ProviderError> {
        let call = Call::get("GET …/access/apps", self.access("apps")).query("domain", domain).query("exact", "true");
        Ok(self.rest.list(&call, APPS).await?.into_iter().next())
    }

    pub(super) async fn policies(&self) -> Result<Vec<Named>, ProviderError> {
        self.rest.list(&Call::get("GET …/access/policies", self.access("policies")), APPS).await
    }

    async fn seen(&self) -> Result<Seen, ProviderError> {
        let call = Call::get("GET …/access/organizations", self.access("organizations"));
        let organization: Value = self.rest.ask(call, ORGANIZATIONS).await?;
        let call = Call::get("GET …/access/identity_providers", self.access("identity_providers"));
        let providers: Vec<Provider> = self.rest.list(&call, ORGANIZATIONS).await?;
        let policies = self.policies().await?;
        let named = |name: &str, decision: &str| {
            policies.iter().find(|policy| policy.name == name && policy.decision == decision).cloned()
        };
        let base = &self.settings.base_domain;
        let record = match &self.settings.router {
            Some(router) => Some(self.wildcard(router).await?.unless_foreign(router)?),
            None => None,
        };
        Ok(Seen {
            record,
            team_domain: organization["auth_domain"].as_str().unwrap_or_default().to_owned(),
            provider: providers.into_iter().find(|provider| provider.kind == "onetimepin").map(|found| found.id),
            members: named(POLICY, "allow"),
            health: named(HEALTH_POLICY, "bypass"),
            wildcard: self.app(&format!("*.{base}")).await?,
            bypass: self.app(&format!("*.{base}{HEALTH}")).await?,
            ssl: self.ssl().await?,
        })
    }

    async fn app_as(
        &self,
        found: Option<App>,
        policy: &str,
        provider: Option<&String>,
        body: Value,
    ) -> Result<App, ProviderError> {
        match found {
            None => self.make("apps", body, APPS).await,
            Some(app) if app.is_as(policy, provider) => Ok(app),
            Some(app) => {
                let path = self.access(&format!("apps/{}", app.id));
                let call = Call::new("PUT …/access/apps/{id}", Method::PUT, path, Repeat::Safe);
                self.rest.ask(call.json(body), APPS).await
            }
        }
    }

    /// Makes what was looked for and not found. Lists lag, so what was asked for a moment ago is looked
    /// for once more instead of being made twice.
    async fn make<T: serde::de::DeserializeOwned>(
        &self,
        kind: &str,
        body: Value,
        needs: Needs,
    ) -> Result<T, ProviderError> {
        let account = &self.settings.account_id;
        let name = body["domain"].as_str().or(body["name"].as_str()).unwrap_or_default();
        let (what, now) = (format!("{kind} {name}"), self.clock.now());
        let asked = store::asked(&self.db, account, &what).await.map_err(unavailable)?;
        if let Some(until) = asked.map(|asked| asked + LAG).filter(|until| *until > now) {
            let why = format!("Cloudflare may have made “{name}” a moment ago and does not list it yet");
            return Err(ProviderError::not_yet(why, until.duration_since(now).min(LOOK_AGAIN)));
        }
        store::asking(&self.db, account, &what, now).await.map_err(unavailable)?;
        let call = Call::new("POST …/access", Method::POST, self.access(kind), Repeat::Never).json(body);
        let made = self.rest.ask(call, needs).await;
        if matches!(made, Err(ProviderError::Refused { .. })) {
            store::refused(&self.db, account, &what).await.map_err(unavailable)?;
        }
        made
    }

    pub(super) fn access(&self, rest: &str) -> String {
        format!("/accounts/{}/access/{rest}", self.settings.account_id)
    }
}

impl App {
    fn is_as(&self, policy: &str, provider: Option<&String>) -> bool {
        let is_policy = self.policies.len() == 1 && self.policies.iter().all(|named| named.id == policy);
        is_policy && provider.is_none_or(|provider| self.allowed_idps.contains(provider))
    }
}

fn unavailable(error: ::store::sqlx::Error) -> ProviderError {
    ProviderError::unavailable("keeping record of the setup at Cloudflare", error)
}

/// An application before these, for whom an identity provider knows and a policy means.
pub(super) fn application(name: &str, domains: &[String], provider: &str, policy: &str) -> Value {
    json!({
        "name": name, "type": "self_hosted", "domain": domains.first(), "destinations": destinations(domains),
        "policies": [policy], "allowed_idps": [provider], "auto_redirect_to_identity": true,
        "session_duration": SESSION, "app_launcher_visible": false, "http_only_cookie_attribute": true,
        "same_site_cookie_attribute": "lax",
    })
}

/// An exception from what else covers these.
pub(super) fn bypass(name: &str, domains: &[String], policy: &str) -> Value {
    json!({
        "name": name, "type": "self_hosted", "domain": domains.first(), "destinations": destinations(domains),
        "policies": [policy], "app_launcher_visible": false,
    })
}

fn destinations(domains: &[String]) -> Vec<Value> {
    domains.iter().map(|domain| json!({ "type": "public", "uri": domain })).collect()
}
