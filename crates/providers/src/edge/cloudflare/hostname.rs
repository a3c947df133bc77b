use std::collections::BTreeSet;

use domain::InstanceId;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::Cloudflare;
use super::records::{Change, Record, wanted};
use crate::compute::Origin;
use crate::resources::{Key, Made};
use crate::{ProviderError, Removed};

/// Within this time lists show what was made.
pub(super) const LAG: SignedDuration = SignedDuration::from_secs(30);
pub(super) const SOON: SignedDuration = SignedDuration::from_secs(5);

/// The kind of what is recorded.
pub(super) const HOSTNAME: &str = "hostname";

/// What is kept of a hostname's records.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The ids of all of them.
    pub(super) records: Vec<String>,
    /// Where the hostname leads.
    pub(super) target: String,
}

impl Kept {
    pub(super) fn of(made: Option<Made>) -> Self {
        made.and_then(|made| serde_json::from_str(&made.detail?).ok()).unwrap_or_default()
    }

    fn made(records: &[&Record]) -> Made {
        let hostname = records.iter().find(|record| record.is_hostname());
        let kept = Self {
            records: records.iter().map(|record| record.id.clone()).collect(),
            target: hostname.map(|record| record.content.clone()).unwrap_or_default(),
        };
        let id = hostname.map(|record| record.id.clone()).unwrap_or_default();
        Made { id, detail: serde_json::to_string(&kept).ok() }
    }
}

impl Cloudflare {
    pub(super) fn key(hostname: &str, instance: InstanceId) -> Key {
        Key { kind: HOSTNAME, name: hostname.to_owned(), instance }
    }

    pub(super) async fn point(
        &self,
        hostname: &str,
        instance: InstanceId,
        origin: &Origin,
    ) -> Result<(), ProviderError> {
        let wanted = wanted(hostname, &self.settings.base_domain, origin)?;
        let key = Self::key(hostname, instance);
        let there = self.zone.of(hostname).await?;
        let change = Change::to(&wanted, &there, instance)?;
        let ours: Vec<&Record> = there.iter().filter(|record| record.instance() == Some(instance)).collect();
        if change.is_nothing() {
            return self.resources.keep(&key, &Kept::made(&ours)).await;
        }
        if self.resources.find(&key).await?.is_some_and(|known| known.made.is_some()) {
            // It is not as it was made, or not there any more: what is known of it is outdated.
            self.resources.forget(&key).await?;
        }
        // No lag: a second record of a name and kind is refused, so asking twice can't make two.
        let make = async || match self.zone.change(&change).await? {
            Ok(made) => {
                let changed: Vec<&str> = made.iter().map(|record| record.id.as_str()).collect();
                let stays = ours.iter().copied().filter(|record| !changed.contains(&record.id.as_str()));
                let gone = |record: &&Record| !change.deletes(&record.id);
                Ok(Kept::made(&made.iter().chain(stays.filter(gone)).collect::<Vec<_>>()))
            }
            Err(denied) if denied.is_there_already() || denied.is_gone() => {
                self.look_again(hostname, instance, origin).await
            }
            Err(denied) => Err(denied.in_words()),
        };
        self.resources.ensure(&key, SignedDuration::ZERO, async || Ok(None), make).await.map(drop)
    }

    /// Somebody was faster: an earlier request of ours, or whoever has the name now.
    async fn look_again(&self, hostname: &str, own: InstanceId, origin: &Origin) -> Result<Made, ProviderError> {
        let there = self.zone.of(hostname).await?;
        let change = Change::to(&wanted(hostname, &self.settings.base_domain, origin)?, &there, own)?;
        if change.is_nothing() {
            let ours: Vec<&Record> = there.iter().filter(|record| record.instance() == Some(own)).collect();
            return Ok(Kept::made(&ours));
        }
        Err(ProviderError::not_yet(format!("Cloudflare does not show all records of {hostname} yet"), SOON))
    }

    pub(super) async fn take_away(&self, hostname: &str, own: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        let key = Self::key(hostname, own);
        let known = self.resources.find(&key).await?;
        let asked_at = known.as_ref().and_then(|known| known.asked_at);
        let ours = self.ours(hostname, own, Kept::of(known.and_then(|known| known.made))).await?;
        if ours.is_empty() && asked_at.is_some_and(|asked| asked + LAG > self.clock.now()) {
            let why = format!("Cloudflare may have made {hostname} without an answer; looking for it");
            return Err(ProviderError::not_yet(why, SOON));
        }
        let ids: Vec<String> = ours.iter().map(|record| record.id.clone()).collect();
        if !ids.is_empty() {
            match self.zone.delete(&ids).await? {
                Ok(_) => {}
                Err(denied) if denied.is_gone() => {
                    let why = format!("some records of {hostname} vanished while they were removed");
                    return Err(ProviderError::not_yet(why, SOON));
                }
                Err(denied) => return Err(denied.in_words()),
            }
        }
        // After the way there is gone: whoever is let in by mistake then gets nowhere.
        let uncovered = self.uncover(hostname, own).await?;
        self.let_nobody_in(hostname, own).await?;
        self.resources.forget(&key).await?;
        let kind = |record: &Record| if record.is_hostname() { "hostname" } else { "DNS record" };
        let records = ours.iter().map(|record| Removed::new(kind(record), &record.name));
        Ok(records.chain(uncovered).collect())
    }

    /// The instance's records of a hostname, by name and by what is known of them, as they are now.
    async fn ours(&self, hostname: &str, own: InstanceId, kept: Kept) -> Result<Vec<Record>, ProviderError> {
        let listed = self.zone.of(hostname).await?;
        let listed = listed.into_iter().filter(|record| record.instance() == Some(own)).map(|record| record.id);
        let ids: BTreeSet<String> = listed.chain(kept.records).collect();
        let mut all = Vec::new();
        for id in ids {
            all.extend(self.zone.record(&id).await?.filter(|record| record.instance() == Some(own)));
        }
        all.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| a.name.cmp(&b.name)));
        Ok(all)
    }
}
