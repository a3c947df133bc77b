//! An Access application of its own before an instance, with the identity provider of its customer.
//!
//! It takes up to four things, each recorded before it is made and called `spinoff:<instance id>`: the
//! application, an exception from it for `/-/health`, the policy that names the members, and the identity
//! provider where none was there. It is made on a path that nobody visits and then moved before the whole
//! hostname, where it beats the wildcard application, which goes on covering everybody else.

mod inspection;
mod parts;

use access::protocol::HEALTH;
use async_trait::async_trait;
use domain::InstanceId;
use serde::{Deserialize, Serialize};

use super::super::{IdentityProvider, Oidc, OwnAccess, Stage, Standing};
use super::Cloudflare;
use super::admissions::policy;
use super::api::{APPS, ORGANIZATIONS};
use super::inspection::APPLICATIONS;
use super::records::MARK;
use super::setup::{HEALTH_POLICY, application, bypass};
use crate::http::Call;
use crate::resources::Made;
use crate::{ProviderError, Removed};
use parts::{APP, POLICY, Part, Provider};

/// So many reusable policies and identity providers fit into an account.
const POLICIES: u64 = 500;
const PROVIDERS: u64 = 50;

/// Where the application is while the shared one stands before the hostname. The guard knows no such page.
const ASIDE: &str = "/-/own-access";

/// What is kept of an application.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    audience: String,
    /// Before which it is, or is to be: two while the instance moves.
    hostnames: Vec<String>,
    stage: Stage,
    /// The provider's id, and what people call it.
    provider: String,
    provider_name: String,
    policy: String,
    /// The policy that lets anybody ask whether the instance is well.
    health_policy: String,
}

impl Kept {
    fn of(made: &Made) -> Option<Self> {
        serde_json::from_str(made.detail.as_deref()?).ok()
    }

    fn made(&self, id: &str) -> Made {
        Made { id: id.to_owned(), detail: serde_json::to_string(self).ok() }
    }

    /// What the application covers.
    fn domains(&self) -> Vec<String> {
        match self.stage {
            Stage::Aside => self.hostnames.iter().map(|hostname| format!("{hostname}{ASIDE}")).collect(),
            Stage::Before | Stage::Alone => self.hostnames.clone(),
        }
    }

    /// What the exception from it covers.
    fn exceptions(&self) -> Vec<String> {
        self.hostnames.iter().map(|hostname| format!("{hostname}{HEALTH}")).collect()
    }

    fn app(&self, instance: InstanceId) -> serde_json::Value {
        application(&name(instance), &self.domains(), &self.provider, &self.policy)
    }

    fn exception(&self, instance: InstanceId) -> serde_json::Value {
        bypass(&name_of_exception(instance), &self.exceptions(), &self.health_policy)
    }
}

fn name(instance: InstanceId) -> String {
    format!("{MARK}{instance}")
}

fn name_of_exception(instance: InstanceId) -> String {
    format!("{MARK}{instance} health")
}

#[async_trait]
impl OwnAccess for Cloudflare {
    async fn known_provider(&self, reference: &str) -> Result<IdentityProvider, ProviderError> {
        let mut all = self.providers().await?;
        // One that was made for an instance goes with it, and speaks for its customer alone.
        all.retain(|provider| !provider.name.starts_with(MARK));
        let mut found = all.iter().filter(|provider| provider.id == reference || provider.name == reference);
        let refused = |why: &str, next: &str| {
            Err(ProviderError::refused(format!("use the identity provider {reference}"), why, next))
        };
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(IdentityProvider::Known { id: one.id.clone(), name: one.name.clone() }),
            (Some(_), Some(_)) => refused("several have that name", "name it by its id"),
            (None, _) => {
                let names: Vec<&str> = all.iter().map(|provider| provider.name.as_str()).collect();
                let next = format!("name one that Cloudflare has ({}), or give issuer and client", names.join(", "));
                refused("Cloudflare knows none of that name or id", &next)
            }
        }
    }

    async fn has_room(&self, provider: &IdentityProvider) -> Result<(), ProviderError> {
        let mut needed = vec![
            ("apps", "Access applications", 2, APPLICATIONS, APPS),
            ("policies", "reusable Access policies", 1, POLICIES, APPS),
        ];
        if matches!(provider, IdentityProvider::Oidc(_)) {
            needed.push(("identity_providers", "identity providers", 1, PROVIDERS, ORGANIZATIONS));
        }
        for (list, what, more, limit, needs) in needed {
            let used = self.rest.count(Call::get("GET …/access", self.access(list)), needs).await?;
            if used + more > limit {
                let why = format!("Cloudflare holds {used} of {limit} {what}, and it takes {more} more");
                let next = "give other instances the shared application back, or delete what is of no use";
                return Err(ProviderError::refused("make an Access application", why, next));
            }
        }
        Ok(())
    }

    async fn standing(&self, instance: InstanceId) -> Result<Option<Standing>, ProviderError> {
        let standing = |(_, kept): (String, Kept)| Standing {
            audience: kept.audience,
            identity_provider: kept.provider_name,
            stage: kept.stage,
        };
        Ok(self.own(instance).await?.map(standing))
    }

    async fn make(
        &self,
        hostname: &str,
        instance: InstanceId,
        provider: &IdentityProvider,
    ) -> Result<Standing, ProviderError> {
        if let Some(standing) = self.standing(instance).await? {
            return Ok(standing);
        }
        let health_policy = self.health_policy().await?;
        let provider_id = match provider {
            IdentityProvider::Known { id, .. } => id.clone(),
            IdentityProvider::Oidc(oidc) => self.ensure_provider(instance, oidc).await?,
        };
        let policy = self.ensure(&Part::POLICY, instance, &policy(&name(instance), &[])).await?;
        self.tell_own_policy(instance).await?;
        let kept = Kept {
            audience: String::new(),
            hostnames: vec![hostname.to_owned()],
            stage: Stage::Aside,
            provider: provider_id,
            provider_name: provider.name().to_owned(),
            policy,
            health_policy,
        };
        self.ensure_app(instance, kept).await
    }

    async fn put_before(&self, hostname: &str, instance: InstanceId) -> Result<(), ProviderError> {
        let (id, mut kept) = self.needed(instance).await?;
        kept.hostnames = vec![hostname.to_owned()];
        kept.stage = kept.stage.max(Stage::Before);
        self.put(&id, instance, &kept).await
    }

    async fn rely_on_it(&self, instance: InstanceId, alone: bool) -> Result<(), ProviderError> {
        let (id, mut kept) = self.needed(instance).await?;
        kept.stage = match (kept.stage, alone) {
            (Stage::Aside, true) => {
                let why = "the shared application is before its hostname";
                let next = "ask for its own application again";
                return Err(ProviderError::refused("rely on an instance's own Access application", why, next));
            }
            (Stage::Aside, false) => Stage::Aside,
            (_, true) => Stage::Alone,
            (_, false) => Stage::Before,
        };
        self.keep_own(&id, instance, &kept).await
    }

    async fn take_away_own(&self, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        self.remove_parts(instance).await
    }
}

impl Cloudflare {
    pub(super) async fn audiences_of(&self, instance: InstanceId) -> Result<Vec<String>, ProviderError> {
        let shared = self.settings.audience.clone();
        Ok(match self.own(instance).await? {
            Some((_, Kept { audience, stage: Stage::Alone, .. })) => vec![audience],
            Some((_, kept)) => vec![kept.audience, shared],
            None => vec![shared],
        })
    }

    /// Puts an instance's own application before one more of its hostnames, or finds it there and puts right
    /// what was changed of it.
    pub(in crate::edge) async fn cover(&self, hostname: &str, instance: InstanceId) -> Result<(), ProviderError> {
        let Some((id, mut kept)) = self.own(instance).await? else { return Ok(()) };
        if kept.stage == Stage::Aside {
            return Ok(());
        }
        if !kept.hostnames.iter().any(|known| known == hostname) {
            kept.hostnames.push(hostname.to_owned());
        }
        match self.put(&id, instance, &kept).await {
            Err(ProviderError::NotFound { .. }) => {
                let next = "give the shared application back (`spinoff instances access shared`), then its own again";
                let why = "somebody deleted it at Cloudflare";
                Err(ProviderError::refused(format!("put its own application before {hostname}"), why, next))
            }
            done => done,
        }
    }

    /// Takes an instance's own application from a hostname that is gone; with the last one goes all of it.
    pub(in crate::edge) async fn uncover(
        &self,
        hostname: &str,
        instance: InstanceId,
    ) -> Result<Vec<Removed>, ProviderError> {
        let Some((id, mut kept)) = self.own(instance).await? else { return self.remove_parts(instance).await };
        if kept.hostnames.iter().all(|known| known == hostname) {
            return self.remove_parts(instance).await;
        }
        let before = kept.hostnames.len();
        kept.hostnames.retain(|known| known != hostname);
        if kept.hostnames.len() < before {
            self.put(&id, instance, &kept).await?;
        }
        Ok(Vec::new())
    }

    /// Makes an instance's own policy name its members, where it has one.
    pub(super) async fn tell_own_policy(&self, instance: InstanceId) -> Result<(), ProviderError> {
        let Some(policy) = self.part(POLICY, instance).await?.and_then(|known| known.made) else { return Ok(()) };
        self.tell(&policy.id, &name(instance), Some(instance)).await
    }

    /// Makes both applications what they should be, the exception first: whoever asks whether the instance is
    /// well is never sent to sign in.
    async fn put(&self, id: &str, instance: InstanceId, kept: &Kept) -> Result<(), ProviderError> {
        if kept.stage > Stage::Aside {
            let body = kept.exception(instance);
            let exception = self.ensure(&Part::EXCEPTION, instance, &body).await?;
            self.overwrite(&exception, body).await?;
        }
        self.overwrite(id, kept.app(instance)).await?;
        self.keep_own(id, instance, kept).await
    }

    async fn ensure_app(&self, instance: InstanceId, kept: Kept) -> Result<Standing, ProviderError> {
        let body = kept.app(instance);
        let id = self.ensure(&Part::APP, instance, &body).await?;
        // What an answer that never came left may be from another time.
        let audience = self.overwrite(&id, body).await?.aud;
        let kept = Kept { audience, ..kept };
        self.keep_own(&id, instance, &kept).await?;
        let Kept { audience, provider_name, stage, .. } = kept;
        Ok(Standing { audience, identity_provider: provider_name, stage })
    }

    async fn keep_own(&self, id: &str, instance: InstanceId, kept: &Kept) -> Result<(), ProviderError> {
        self.resources.keep(&Self::key_of(APP, instance), &kept.made(id)).await
    }

    /// An instance's own application, once it is known for whom its assertions are made out.
    async fn own(&self, instance: InstanceId) -> Result<Option<(String, Kept)>, ProviderError> {
        let made = self.part(APP, instance).await?.and_then(|known| known.made);
        Ok(made.and_then(|made| Some((made.id.clone(), Kept::of(&made)?))))
    }

    async fn needed(&self, instance: InstanceId) -> Result<(String, Kept), ProviderError> {
        let found = self.own(instance).await?;
        found.ok_or_else(|| ProviderError::not_found(format!("an Access application of its own for {instance}")))
    }

    async fn health_policy(&self) -> Result<String, ProviderError> {
        let all = self.policies().await?;
        let found = all.into_iter().find(|policy| policy.name == HEALTH_POLICY && policy.decision == "bypass");
        found.map(|policy| policy.id).ok_or_else(|| {
            let what = format!("find the reusable policy “{HEALTH_POLICY}”");
            ProviderError::refused(what, "there is none", "run `spinoff setup cloudflare`")
        })
    }

    async fn providers(&self) -> Result<Vec<Provider>, ProviderError> {
        let call = Call::get("GET …/access/identity_providers", self.access("identity_providers"));
        self.rest.list(&call, ORGANIZATIONS).await
    }
}
