//! Every use of the emergency door, and every attempt at it, kept on disk until the main instance
//! has it. However many come, this stays small: past a few hundred sources the rest are one.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::{EmergencyAccess, EmergencyOutcome};
use domain::UsageHour;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::disk;

/// Sources told apart, those that were let in and all others each.
const MOST_SOURCES: usize = 256;
/// Entries for the rest, one an hour and outcome while the main instance is away.
const MOST_RESTS: usize = 72;

/// What came to the emergency door.
pub(crate) struct Journal {
    path: PathBuf,
    user: Arc<str>,
    entries: Mutex<BTreeMap<Key, Entry>>,
    /// Held from reading the entries to having them on disk, so that no older state follows a newer one.
    writing: Mutex<()>,
    urgent: Notify,
    calm: Notify,
}

/// Of one hour, one kind, one source; no source stands for all the rest.
type Key = (UsageHour, EmergencyOutcome, Option<IpAddr>);

#[derive(Serialize, Deserialize)]
struct Entry {
    seen: EmergencyAccess,
    /// How much of the count the main instance has.
    sent: u32,
}

impl Journal {
    /// Reads what an earlier run left.
    pub(crate) fn open(path: PathBuf, user: Arc<str>) -> Self {
        let kept = disk::read(&path).and_then(|json| {
            json.map_or_else(|| Ok(Vec::new()), |json| serde_json::from_slice(&json).map_err(io::Error::other))
        });
        let kept: Vec<Entry> = kept.unwrap_or_else(|error| {
            tracing::error!(%error, path = %path.display(), "The journal of emergency access cannot be read; what was not reported is lost");
            Vec::new()
        });
        let key = |entry: &Entry| (UsageHour::of(entry.seen.first), entry.seen.outcome, entry.seen.source);
        let entries = kept.into_iter().map(|entry| (key(&entry), entry)).collect();
        Self {
            path,
            user,
            entries: Mutex::new(entries),
            writing: Mutex::default(),
            urgent: Notify::new(),
            calm: Notify::new(),
        }
    }

    /// Notes a visit. The first one that is let in from a source in an hour is on disk before this
    /// returns.
    pub(crate) fn record(&self, outcome: EmergencyOutcome, source: IpAddr, at: Timestamp) {
        let source = source.to_canonical();
        let key = {
            let mut entries = self.entries();
            let key = place(&entries, (UsageHour::of(at), outcome, Some(source)));
            if let Some(entry) = entries.get_mut(&key) {
                entry.seen.count = entry.seen.count.saturating_add(1);
                entry.seen.last = entry.seen.last.max(at);
                return;
            }
            let user = self.user.to_string();
            let seen = EmergencyAccess { source: key.2, user, outcome, first: at, last: at, count: 1 };
            entries.insert(key, Entry { seen, sent: 0 });
            key
        };
        let from = key.2.map_or_else(|| "other sources".to_owned(), |source| source.to_string());
        match outcome {
            EmergencyOutcome::Accepted => {
                tracing::warn!(%from, "Emergency access by {} from {from}", self.user);
                self.save();
                self.urgent.notify_one();
            }
            // A flood of these must not keep the disk busy.
            EmergencyOutcome::Refused => {
                tracing::warn!(%from, "Wrong credentials for emergency access from {from}");
                self.calm.notify_one();
            }
            EmergencyOutcome::Throttled => {
                tracing::warn!(%from, "Too many attempts at emergency access from {from}: they are not looked at");
                self.calm.notify_one();
            }
        }
    }

    /// Waits until there is something to tell at once.
    pub(crate) async fn urgent(&self) {
        self.urgent.notified().await;
    }

    /// Waits until there is something to tell in good time.
    pub(crate) async fn calm(&self) {
        self.calm.notified().await;
    }

    /// What is to be told now: what the main instance has heard nothing of, and what it has not heard
    /// the end of. An hour that goes on is told of again when it is over.
    pub(crate) fn due(&self, now: Timestamp) -> Vec<EmergencyAccess> {
        let hour = UsageHour::of(now);
        let entries = self.entries();
        let due = entries.iter().filter(|(key, entry)| entry.is_unsent() && (entry.sent == 0 || key.0 < hour));
        due.map(|(_, entry)| entry.seen.clone()).collect()
    }

    /// All that the main instance does not have.
    pub(crate) fn unsent(&self) -> Vec<EmergencyAccess> {
        self.entries().values().filter(|entry| entry.is_unsent()).map(|entry| entry.seen.clone()).collect()
    }

    /// Takes the main instance's word that it has these. What is over is forgotten.
    pub(crate) fn acknowledge(&self, sent: &[EmergencyAccess], now: Timestamp) {
        let mut entries = self.entries();
        for sent in sent {
            if let Some(entry) = entries.get_mut(&(UsageHour::of(sent.first), sent.outcome, sent.source)) {
                entry.sent = sent.count;
            }
        }
        let hour = UsageHour::of(now);
        entries.retain(|key, entry| entry.is_unsent() || key.0 >= hour);
    }

    /// Writes it all to disk.
    pub(crate) fn save(&self) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let json = serde_json::to_vec(&self.entries().values().collect::<Vec<_>>());
        let written = json.map_err(io::Error::other).and_then(|json| disk::replace(&self.path, &json));
        if let Err(error) = written {
            tracing::error!(%error, path = %self.path.display(), "The journal of emergency access could not be kept on disk; it is kept in memory");
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<Key, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn is_unsent(&self) -> bool {
        self.seen.count != self.sent
    }
}

/// Where a visit is noted: in an entry of its own, or, when there are too many, with others.
fn place(entries: &BTreeMap<Key, Entry>, own: Key) -> Key {
    let (hour, outcome, _) = own;
    let let_in = |outcome| outcome == EmergencyOutcome::Accepted;
    let alike = |key: &&Key| key.2.is_some() && let_in(key.1) == let_in(outcome);
    if entries.contains_key(&own) || entries.keys().filter(alike).count() < MOST_SOURCES {
        return own;
    }
    let rest = (hour, outcome, None);
    if entries.contains_key(&rest) || entries.keys().filter(|key| key.2.is_none()).count() < MOST_RESTS {
        return rest;
    }
    // The main instance has been away for a day: better with a wrong hour than not at all.
    let latest = entries.keys().rev().find(|key| key.1 == outcome && key.2.is_none());
    latest.copied().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use jiff::SignedDuration;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn source(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    fn open(folder: &tempfile::TempDir) -> Journal {
        Journal::open(folder.path().join("emergency.json"), "root".into())
    }

    #[test]
    fn a_use_is_on_disk_at_once_and_forgotten_when_its_hour_is_over_and_known() {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(&folder);
        journal.record(EmergencyOutcome::Accepted, source(1), NOW);
        let again = open(&folder);
        let unsent = again.unsent();
        assert_eq!(again.due(NOW), unsent);
        assert_eq!((unsent.len(), unsent[0].count, unsent[0].user.as_str()), (1, 1, "root"));
        again.record(EmergencyOutcome::Accepted, source(1), NOW + SignedDuration::from_secs(9));
        again.acknowledge(&unsent, NOW);
        assert_eq!(again.unsent()[0].count, 2, "the acknowledgement does not cover what came later");
        assert!(again.due(NOW).is_empty(), "there is time until the hour is over");
        assert_eq!(again.due(NOW + HOUR), again.unsent());
        again.acknowledge(&again.unsent(), NOW);
        assert!(again.unsent().is_empty());
        again.save();
        let later = open(&folder);
        assert!(later.unsent().is_empty());
        later.record(EmergencyOutcome::Accepted, source(1), NOW + SignedDuration::from_secs(10));
        assert_eq!(later.unsent()[0].count, 3, "a report says all of the hour");
        later.acknowledge(&later.unsent(), NOW + HOUR);
        assert!(later.entries().is_empty());
    }

    #[test]
    fn a_flood_from_everywhere_for_weeks_stays_small_and_every_attempt_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(&folder);
        let mut number = 0;
        for hour in 0..400 {
            for outcome in [EmergencyOutcome::Refused, EmergencyOutcome::Throttled, EmergencyOutcome::Throttled] {
                number += 1;
                journal.record(outcome, source(number), NOW + HOUR * hour);
            }
        }
        journal.record(EmergencyOutcome::Accepted, source(1), NOW + HOUR * 400);
        let unsent = journal.unsent();
        assert!(unsent.len() <= MOST_SOURCES + MOST_RESTS + 1, "{}", unsent.len());
        assert_eq!(unsent.iter().map(|seen| seen.count).sum::<u32>(), 1_201);
        assert!(unsent.iter().any(|seen| seen.outcome == EmergencyOutcome::Accepted && seen.source == Some(source(1))));
    }

    #[test]
    fn what_cannot_be_read_does_not_keep_the_door_shut() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("emergency.json"), "[{").unwrap();
        let journal = open(&folder);
        journal.record(EmergencyOutcome::Accepted, source(1), NOW);
        assert_eq!(open(&folder).unsent().len(), 1);
    }
}
