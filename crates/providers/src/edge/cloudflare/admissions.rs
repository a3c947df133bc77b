//! Who gets as far as a guard. One policy for all hostnames: which of them somebody may enter is the
//! guard's decision, since the edge's assertion names no hostname.

use domain::{Email, InstanceId};
use reqwest::Method;
use serde_json::{Value, json};

use super::api::APPS;
use super::hostname::HOSTNAME;
use super::{Cloudflare, store};
use crate::ProviderError;
use crate::http::{Call, Repeat};

/// How the reusable policy is called.
pub(super) const POLICY: &str = "spinoff members";
/// So many addresses fit into one policy.
pub(super) const MOST: usize = 1000;
/// How long somebody stays signed in.
pub(super) const SESSION: &str = "12h";
/// Stands in the policy while nobody is let in, since an empty one is refused. Nobody can have it:
/// names below `invalid` are set apart by RFC 2606.
const NOBODY: &str = "nobody@spinoff.invalid";
/// How often a list that was overtaken is told anew before others are left to it.
const MOST_TURNS: usize = 5;

impl Cloudflare {
    pub(super) async fn let_in(
        &self,
        hostname: &str,
        instance: InstanceId,
        members: &[Email],
    ) -> Result<(), ProviderError> {
        if self.is_of_another(hostname, instance).await? {
            return Ok(());
        }
        self.let_through(hostname, instance, members).await
    }

    /// Forgets whom a hostname let in, and tells the policy.
    pub(in crate::edge) async fn let_nobody_in(
        &self,
        hostname: &str,
        instance: InstanceId,
    ) -> Result<(), ProviderError> {
        self.keep_admissions(hostname, instance, &[]).await?;
        if self.settings.policy_id.is_empty() {
            return Ok(());
        }
        self.tell_policy().await?;
        self.tell_own_policy(instance).await
    }

    /// Lets these as far as the guard of a hostname, whose it is having been looked at.
    pub(in crate::edge) async fn let_through(
        &self,
        hostname: &str,
        instance: InstanceId,
        members: &[Email],
    ) -> Result<(), ProviderError> {
        let emails: Vec<&str> = members.iter().map(Email::as_str).collect();
        self.keep_admissions(hostname, instance, &emails).await?;
        self.tell_policy().await?;
        self.tell_own_policy(instance).await
    }

    async fn keep_admissions(
        &self,
        hostname: &str,
        instance: InstanceId,
        emails: &[&str],
    ) -> Result<(), ProviderError> {
        store::replace(&self.db, hostname, instance, emails).await.map_err(unavailable)
    }

    pub(super) async fn tell_policy(&self) -> Result<(), ProviderError> {
        self.tell(&self.settings.policy_id, POLICY, None).await
    }

    /// Makes a policy say what the store says, of one instance or of all. Whoever tells an older list after
    /// somebody else told a newer one sees it when looking again, and tells the newer one.
    pub(super) async fn tell(
        &self,
        policy_id: &str,
        name: &str,
        only: Option<InstanceId>,
    ) -> Result<(), ProviderError> {
        let mut people = self.let_in_by(only).await?;
        for _ in 0..MOST_TURNS {
            if people.len() > MOST {
                let what = format!("let {} people through Cloudflare Access", people.len());
                let why = format!("a policy holds {MOST} addresses");
                return Err(ProviderError::refused(
                    what,
                    why,
                    "remove members, or use an identity provider of your own",
                ));
            }
            let path = format!("/accounts/{}/access/policies/{policy_id}", self.settings.account_id);
            // The whole list each time, so twice is as good as once.
            let call = Call::new("PUT …/access/policies/{id}", Method::PUT, path, Repeat::Safe);
            let _: Value = self.rest.ask(call.json(policy(name, &people)), APPS).await?;
            let now = self.let_in_by(only).await?;
            if now == people {
                return Ok(());
            }
            people = now;
        }
        Err(ProviderError::unavailable("tell Cloudflare who is let in", "the list changes all the time"))
    }

    async fn let_in_by(&self, only: Option<InstanceId>) -> Result<Vec<String>, ProviderError> {
        match only {
            Some(instance) => store::of_instance(&self.db, instance).await.map_err(unavailable),
            None => self.everybody().await,
        }
    }

    pub(super) async fn everybody(&self) -> Result<Vec<String>, ProviderError> {
        store::everybody(&self.db).await.map_err(unavailable)
    }

    async fn is_of_another(&self, hostname: &str, instance: InstanceId) -> Result<bool, ProviderError> {
        let owners = self.resources.named(HOSTNAME, hostname).await?;
        Ok(!owners.is_empty() && owners.iter().all(|thing| thing.instance != instance))
    }
}

/// The whole policy of this name, letting these through.
pub(super) fn policy(name: &str, emails: &[String]) -> Value {
    let nobody = [NOBODY.to_owned()];
    let emails = if emails.is_empty() { &nobody[..] } else { emails };
    let include: Vec<Value> = emails.iter().map(|email| json!({ "email": { "email": email } })).collect();
    json!({ "name": name, "decision": "allow", "include": include, "session_duration": SESSION })
}

fn unavailable(error: ::store::sqlx::Error) -> ProviderError {
    ProviderError::unavailable("keeping record of who is let in", error)
}
