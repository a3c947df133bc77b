//! The things that an instance's own application consists of at Cloudflare: each made once and removed once.

use domain::InstanceId;
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::api::{APPS, Needs, ORGANIZATIONS};
use super::super::hostname::{LAG, SOON};
use super::super::setup::{App, Named};
use super::super::{Cloudflare, NAME};
use super::{Oidc, name, name_of_exception};
use crate::http::{Call, Repeat};
use crate::resources::{Key, Made, Resource};
use crate::{ProviderError, Removed};

pub(super) const APP: &str = "access application";
pub(super) const EXCEPTION: &str = "access exception";
pub(super) const POLICY: &str = "access policy";
pub(super) const PROVIDER: &str = "identity provider";

/// A thing of which an instance has one at most.
pub(super) struct Part {
    /// As it is recorded and shown.
    kind: &'static str,
    /// How Cloudflare calls the list of them.
    list: &'static str,
    needs: Needs,
}

impl Part {
    pub(super) const APP: Self = Self { kind: APP, list: "apps", needs: APPS };
    pub(super) const EXCEPTION: Self = Self { kind: EXCEPTION, list: "apps", needs: APPS };
    pub(super) const POLICY: Self = Self { kind: POLICY, list: "policies", needs: APPS };
    pub(super) const PROVIDER: Self = Self { kind: PROVIDER, list: "identity_providers", needs: ORGANIZATIONS };

    /// In the order in which they can be removed: what is in use stays.
    const ALL: [Self; 4] = [Self::APP, Self::EXCEPTION, Self::POLICY, Self::PROVIDER];

    fn name(&self, instance: InstanceId) -> String {
        if self.kind == EXCEPTION { name_of_exception(instance) } else { name(instance) }
    }
}

/// An identity provider as it is listed.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Provider {
    pub(super) id: String,
    pub(super) name: String,
}

impl Cloudflare {
    pub(super) fn key_of(kind: &'static str, instance: InstanceId) -> Key {
        Key { kind, name: instance.to_string(), instance }
    }

    pub(super) async fn part(
        &self,
        kind: &'static str,
        instance: InstanceId,
    ) -> Result<Option<Resource>, ProviderError> {
        self.resources.find(&Self::key_of(kind, instance)).await
    }

    /// The id of a part, made exactly once.
    pub(super) async fn ensure(
        &self,
        part: &Part,
        instance: InstanceId,
        body: &Value,
    ) -> Result<String, ProviderError> {
        let look = async || Ok(self.look_for(part, instance).await?.map(Made::plain));
        let make = async || {
            let call = Call::new("POST …/access", Method::POST, self.access(part.list), Repeat::Never);
            let made: Named = self.rest.ask(call.json(body.clone()), part.needs).await?;
            Ok(Made::plain(made.id))
        };
        Ok(self.resources.ensure(&Self::key_of(part.kind, instance), LAG, look, make).await?.id)
    }

    pub(super) async fn ensure_provider(&self, instance: InstanceId, oidc: &Oidc) -> Result<String, ProviderError> {
        let body = json!({
            "name": name(instance), "type": "oidc",
            "config": {
                "auth_url": oidc.auth_url, "token_url": oidc.token_url, "certs_url": oidc.certs_url,
                "client_id": oidc.client_id, "client_secret": oidc.client_secret.expose_secret(),
                "scopes": ["openid", "email", "profile"], "email_claim_name": "email",
            },
        });
        self.ensure(&Part::PROVIDER, instance, &body).await
    }

    /// Replaces an application by this.
    pub(super) async fn overwrite(&self, id: &str, body: Value) -> Result<App, ProviderError> {
        let path = self.access(&format!("apps/{id}"));
        let call = Call::new("PUT …/access/apps/{id}", Method::PUT, path, Repeat::Safe);
        self.rest.ask(call.json(body), APPS).await
    }

    /// Removes all that an instance's own application consists of.
    pub(super) async fn remove_parts(&self, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        let mut removed = Vec::new();
        for part in Part::ALL {
            if self.remove_part(&part, instance).await? {
                removed.push(Removed::new(part.kind, part.name(instance)));
            }
        }
        Ok(removed)
    }

    /// Whether there was anything to remove.
    async fn remove_part(&self, part: &Part, instance: InstanceId) -> Result<bool, ProviderError> {
        let Some(known) = self.part(part.kind, instance).await? else { return Ok(false) };
        let id = match known.made {
            Some(made) => Some(made.id),
            None => self.look_for(part, instance).await?,
        };
        if id.is_none() && known.asked_at.is_some_and(|asked| asked + LAG > self.clock.now()) {
            let why = format!("{NAME} may have made the {} without an answer; looking for it", part.kind);
            return Err(ProviderError::not_yet(why, SOON));
        }
        let was_there = match &id {
            Some(id) => self.erase(part, id).await?,
            None => false,
        };
        self.resources.forget(&Self::key_of(part.kind, instance)).await?;
        Ok(was_there)
    }

    async fn erase(&self, part: &Part, id: &str) -> Result<bool, ProviderError> {
        let path = self.access(&format!("{}/{id}", part.list));
        let call = Call::new("DELETE …/access/{id}", Method::DELETE, path, Repeat::Safe);
        match self.rest.attempt::<Value>(call, part.needs).await? {
            Ok(_) => Ok(true),
            Err(denied) if denied.is_gone() => Ok(false),
            Err(denied) => Err(denied.in_words()),
        }
    }

    async fn look_for(&self, part: &Part, instance: InstanceId) -> Result<Option<String>, ProviderError> {
        let wanted = part.name(instance);
        let mut call = Call::get("GET …/access", self.access(part.list));
        if part.list == "apps" {
            call = call.query("name", wanted.clone()).query("exact", "true");
        }
        let all: Vec<Named> = self.rest.list(&call, part.needs).await?;
        Ok(all.into_iter().find(|found| found.name == wanted).map(|found| found.id))
    }
}
