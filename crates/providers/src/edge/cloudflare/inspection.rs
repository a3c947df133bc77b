use serde::Deserialize;
use serde_json::Value;

use super::admissions::MOST;
use super::api::{ANY, APPS, DNS, ZONE_SETTINGS};
use super::hostname::{HOSTNAME, Kept};
use super::records::Record;
use super::setup::App;
use super::{Cloudflare, SEATS};
use crate::ProviderError;
use crate::http::Call;
use crate::inventory::{Ceiling, Check, Item, Verdict};

/// So many Access applications fit into an account.
pub(super) const APPLICATIONS: u64 = 500;

#[derive(Deserialize)]
struct Usage {
    /// Unknown where the account has a quota of its own.
    record_quota: Option<u64>,
    record_usage: u64,
}

#[derive(Deserialize)]
struct Token {
    status: String,
}

impl Cloudflare {
    pub(super) async fn items(&self) -> Result<Vec<Item>, ProviderError> {
        let known = self.resources.of_kind(HOSTNAME).await?;
        let target = |record: &Record| {
            let mut known = known.iter().filter(|thing| Some(thing.instance) == record.instance());
            known.find(|thing| thing.name == record.name).map(|thing| Kept::of(thing.made.clone()).target)
        };
        let drift = |record: &Record| match target(record) {
            _ if !record.is_hostname() => None,
            _ if !record.proxied => Some("it is not proxied, so that nobody is asked who they are".to_owned()),
            Some(target) if !target.is_empty() && target != record.content => {
                Some(format!("it leads to {} instead of {target}", record.content))
            }
            _ => None,
        };
        let item = |record: Record| Item {
            kind: if record.is_hostname() { "hostname" } else { "record" },
            instance: record.instance(),
            drift: drift(&record),
            created_at: record.created_on,
            monthly_cost: None,
            id: record.id,
            name: record.name,
        };
        Ok(self.zone.ours().await?.into_iter().map(item).collect())
    }

    pub(super) async fn limits(&self) -> Result<Vec<Ceiling>, ProviderError> {
        let usage = self.usage().await?;
        let apps = Call::get("GET …/access/apps", format!("/accounts/{}/access/apps", self.settings.account_id));
        let apps = self.rest.count(apps, APPS).await?;
        let people = u64::try_from(self.everybody().await?.len()).unwrap_or(u64::MAX);
        let ceiling = |name, used, limit, per_instance, advice| Ceiling {
            name,
            used,
            limit,
            per_instance,
            renews_at: None,
            advice,
        };
        let mut all = Vec::new();
        // Where the wildcard serves everybody, an instance takes none.
        if let Some(quota) = usage.record_quota.filter(|_| self.settings.router.is_none()) {
            let advice = "take a larger plan for the zone, or sell from a second installation that leads everybody by \
                one wildcard record (option B in the operator's guide)";
            all.push(ceiling("records in the zone", usage.record_usage, quota, 2, advice));
        }
        // An instance takes two when it gets its own, which is refused when they do not fit.
        let advice =
            "delete applications of no use, or give instances the shared one back: `spinoff instances access shared`";
        all.push(ceiling("Access applications", apps, APPLICATIONS, 0, advice));
        let advice = "buy seats, or set when seats of people who stay away expire";
        all.push(ceiling(SEATS, people, self.settings.seats, 1, advice));
        let advice = "use an identity provider of your own, with a rule by group";
        all.push(ceiling("addresses in the Access policy", people, MOST as u64, 1, advice));
        Ok(all)
    }

    pub(super) async fn checks(&self) -> Vec<Check> {
        let mut all = vec![check("Cloudflare token", self.token().await)];
        if all[0].verdict == Verdict::Fail {
            // All else would only say the same again.
            return all;
        }
        all.push(check("Cloudflare zone", self.zone_is_readable().await));
        let room = |usage: Usage| Ok(format!("the zone holds {} records", usage.record_usage));
        all.push(check("DNS records", self.usage().await.and_then(room)));
        all.push(check("SSL mode", self.ssl_is_full().await));
        all.push(check("Access application", self.app_is_ours().await));
        all.push(check("Access policy", self.policy_is_there().await));
        if let Some(router) = &self.settings.router {
            all.push(check("wildcard record", self.wildcard_works(router).await));
        }
        all
    }

    /// Whether token and zone are those that the setup needs. Changes nothing.
    ///
    /// # Errors
    /// Refused otherwise.
    pub async fn can_begin(&self) -> Result<(), ProviderError> {
        self.token().await?;
        self.zone_is_readable().await.map(drop)
    }

    async fn token(&self) -> Result<String, ProviderError> {
        let token: Token = self.rest.ask(Call::get("GET /user/tokens/verify", "/user/tokens/verify"), ANY).await?;
        if token.status == "active" {
            return Ok("the token is active".into());
        }
        let why = format!("it is {}", token.status);
        Err(ProviderError::refused(
            "use Cloudflare's token",
            why,
            "make a new one in Cloudflare's dashboard and set it",
        ))
    }

    async fn zone_is_readable(&self) -> Result<String, ProviderError> {
        let zone: Value = self.rest.ask(Call::get("GET /zones/{zone_id}", self.zone.path.clone()), ANY).await?;
        let (name, base) = (zone["name"].as_str().unwrap_or_default(), self.settings.base_domain.as_str());
        if base == name || base.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')) {
            return Ok(format!("the zone is {name}"));
        }
        let why = format!("the zone is {name}");
        Err(ProviderError::refused(format!("publish below {base}"), why, "set the id of the zone that holds it"))
    }

    async fn usage(&self) -> Result<Usage, ProviderError> {
        let path = format!("{}/dns_records/usage", self.zone.path);
        self.rest.ask(Call::get("GET …/dns_records/usage", path), DNS).await
    }

    async fn ssl_is_full(&self) -> Result<String, ProviderError> {
        match self.ssl().await?.as_str() {
            "full" => Ok("the way to instances is encrypted (full)".into()),
            other => {
                let why = format!("it is {other}");
                Err(ProviderError::refused(
                    "use the zone's SSL mode",
                    why,
                    "set it to full: `spinoff setup cloudflare`",
                ))
            }
        }
    }

    pub(super) async fn ssl(&self) -> Result<String, ProviderError> {
        let path = format!("{}/settings/ssl", self.zone.path);
        let setting: Value = self.rest.ask(Call::get("GET …/settings/ssl", path), ZONE_SETTINGS).await?;
        Ok(setting["value"].as_str().unwrap_or_default().to_owned())
    }

    async fn app_is_ours(&self) -> Result<String, ProviderError> {
        let domain = format!("*.{}", self.settings.base_domain);
        let what = || format!("find the Access application for {domain}");
        let Some(app) = self.app(&domain).await? else {
            return Err(ProviderError::refused(what(), "there is none", "run `spinoff setup cloudflare`"));
        };
        self.audience_is(&app).map_err(|why| {
            ProviderError::refused(what(), why, "run `spinoff setup cloudflare`, which takes that one over")
        })?;
        Ok(format!("{domain} is protected"))
    }

    fn audience_is(&self, app: &App) -> Result<(), String> {
        if app.aud == self.settings.audience { Ok(()) } else { Err(format!("its audience is {}", app.aud)) }
    }

    async fn policy_is_there(&self) -> Result<String, ProviderError> {
        let found = self.policies().await?.into_iter().find(|policy| policy.id == self.settings.policy_id);
        let missing = || {
            let why = format!("there is none with the id {:?}", self.settings.policy_id);
            ProviderError::refused("find the Access policy", why, "run `spinoff setup cloudflare`")
        };
        Ok(format!("the policy is {}", found.ok_or_else(missing)?.name))
    }
}

fn check(name: &str, seen: Result<String, ProviderError>) -> Check {
    let (verdict, found, advice) = match seen {
        Ok(found) => (Verdict::Ok, found, String::new()),
        Err(ProviderError::Refused { what, why, next }) => (Verdict::Fail, format!("{what}: {why}"), next),
        Err(error) if error.is_temporary() => (Verdict::Warn, error.to_string(), "try again in a while".into()),
        Err(error) => (Verdict::Fail, error.to_string(), "check the ids of zone and account".into()),
    };
    Check { name: name.to_owned(), verdict, found, advice }
}
