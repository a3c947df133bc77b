//! What exists of instances' own applications, for whoever compares it with the store.

use std::collections::BTreeSet;

use domain::InstanceId;
use jiff::Timestamp;
use serde::Deserialize;

use super::super::api::APPS;
use super::super::hostname::LAG;
use super::super::records::MARK;
use super::super::setup::Named;
use super::parts::{APP, EXCEPTION, POLICY, PROVIDER};
use super::{Cloudflare, Kept, Stage};
use crate::ProviderError;
use crate::http::Call;
use crate::inventory::Item;

/// An application as it is listed.
#[derive(Debug, Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    domain: String,
    #[serde(default)]
    destinations: Vec<Destination>,
    #[serde(default)]
    allowed_idps: Vec<String>,
    #[serde(default)]
    policies: Vec<Named>,
    created_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct Destination {
    uri: Option<String>,
}

/// An application that the store knows.
struct Known {
    id: String,
    instance: InstanceId,
    since: Timestamp,
    kept: Kept,
}

/// What a name of ours says: of which instance, and whether it is the exception's.
fn marked(name: &str) -> Option<(InstanceId, bool)> {
    let rest = name.strip_prefix(MARK)?;
    let of_exception = rest.strip_suffix(" health");
    Some((InstanceId::parse(of_exception.unwrap_or(rest)).ok()?, of_exception.is_some()))
}

impl Listed {
    fn covers(&self, wanted: &[String]) -> bool {
        let named: BTreeSet<&str> = self.destinations.iter().filter_map(|place| place.uri.as_deref()).collect();
        named == wanted.iter().map(String::as_str).collect()
    }

    fn has_only(&self, policy: &str) -> bool {
        self.policies.len() == 1 && self.policies.iter().all(|named| named.id == policy)
    }

    fn drift(&self, is_exception: bool, known: Option<&Known>) -> Option<String> {
        let kept = &known?.kept;
        let (domains, policy) = match is_exception {
            true => (kept.exceptions(), &kept.health_policy),
            false => (kept.domains(), &kept.policy),
        };
        if !self.covers(&domains) {
            return Some(format!("it does not cover exactly {}", domains.join(" and ")));
        }
        if !self.has_only(policy) {
            return Some("it has other policies than the one made for it".to_owned());
        }
        if !is_exception && self.allowed_idps != [kept.provider.as_str()] {
            return Some(format!("it asks others than the identity provider {}", kept.provider_name));
        }
        None
    }
}

impl Cloudflare {
    /// All that bears the name of an instance, and what should and is not there.
    pub(in crate::edge) async fn own_items(&self) -> Result<Vec<Item>, ProviderError> {
        let known = self.all_own().await?;
        let of = |instance: InstanceId| known.iter().find(|known| known.instance == instance);
        let listed: Vec<Listed> = self.rest.list(&Call::get("GET …/access/apps", self.access("apps")), APPS).await?;
        let mut all = Vec::new();
        for app in &listed {
            let Some((instance, is_exception)) = marked(&app.name) else { continue };
            let host = app.domain.split('/').next().unwrap_or_default();
            all.push(Item {
                kind: if is_exception { EXCEPTION } else { APP },
                id: app.id.clone(),
                name: of(instance).and_then(Known::hostname).unwrap_or(host).to_owned(),
                instance: Some(instance),
                created_at: app.created_at,
                monthly_cost: None,
                drift: app.drift(is_exception, of(instance)),
            });
        }
        let is_listed = |known: &&Known| listed.iter().any(|app| app.id == known.id);
        let is_old = |known: &&Known| known.since + LAG < self.clock.now();
        all.extend(known.iter().filter(|known| !is_listed(known) && is_old(known)).map(Known::gone));
        let policies = self.policies().await?.into_iter().map(|policy| (POLICY, policy));
        // Whose instances all use providers that were there before needs no right to list them.
        let providers = match self.resources.of_kind(PROVIDER).await?.is_empty() {
            true => Vec::new(),
            false => self.providers().await?,
        };
        let mut extend = |kind, id: String, name: String| {
            let Some((instance, false)) = marked(&name) else { return };
            let name = of(instance).and_then(Known::hostname).map_or(name, str::to_owned);
            let item =
                Item { kind, id, name, instance: Some(instance), created_at: None, monthly_cost: None, drift: None };
            all.push(item);
        };
        policies.for_each(|(kind, policy)| extend(kind, policy.id, policy.name));
        providers.into_iter().for_each(|provider| extend(PROVIDER, provider.id, provider.name));
        Ok(all)
    }

    async fn all_own(&self) -> Result<Vec<Known>, ProviderError> {
        let known = self.resources.of_kind(APP).await?.into_iter().filter_map(|thing| {
            let made = thing.made?;
            let kept = Kept::of(&made)?;
            Some(Known { id: made.id, instance: thing.instance, since: thing.intended_at, kept })
        });
        Ok(known.collect())
    }
}

impl Known {
    fn hostname(&self) -> Option<&str> {
        self.kept.hostnames.last().map(String::as_str)
    }

    /// Stands for an application that is not there.
    fn gone(&self) -> Item {
        let words = match self.kept.stage {
            Stage::Alone => "it is gone, so that the shared one is before the hostname and the guard lets nobody in",
            Stage::Aside | Stage::Before => "it is gone",
        };
        Item {
            kind: APP,
            id: self.id.clone(),
            name: self.hostname().unwrap_or_default().to_owned(),
            instance: Some(self.instance),
            created_at: None,
            monthly_cost: None,
            drift: Some(words.to_owned()),
        }
    }
}
