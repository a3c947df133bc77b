//! Which hours were used, kept on disk until the main instance has them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use api::{ActivityReport, ReportSource};
use domain::{Evidence, Month, Signal, UsageHour, UsageHours};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::disk;

/// The use of this instance as the guard saw it, and as the application told it.
pub(crate) struct Ledger {
    folder: PathBuf,
    months: Mutex<BTreeMap<(Month, ReportSource), MonthOfUse>>,
    new_hour: Notify,
}

/// One month by one source, as it lies on disk.
#[derive(Serialize, Deserialize)]
struct MonthOfUse {
    hours: UsageHours,
    #[serde(default = "guard")]
    source: ReportSource,
    evidence: Vec<Evidence>,
    /// Whether the main instance has all hours.
    acknowledged: bool,
    /// Evidence of earlier hours has arrived; that of this one may have grown since.
    explained: Option<UsageHour>,
    /// Grows with each sighting, so that an acknowledgement says what it covers.
    #[serde(default)]
    seen: u64,
    /// What of that the main instance has; on disk, so that the next start sends the rest.
    #[serde(default)]
    sent: u64,
}

/// A report, and what its acknowledgement covers.
pub(crate) struct Pending {
    pub(crate) report: ActivityReport,
    seen: u64,
}

impl Ledger {
    /// Reads what an earlier run left. A file that cannot be read is set aside in words, not
    /// silently: hours in it may be unbilled.
    pub(crate) fn open(folder: PathBuf) -> Self {
        let mut months = BTreeMap::new();
        for path in files(&folder) {
            match disk::read(&path).map(|json| json.and_then(|json| serde_json::from_slice::<MonthOfUse>(&json).ok())) {
                Ok(Some(kept)) => drop(months.insert(kept.key(), kept)),
                _ => tracing::error!(path = %path.display(), "Kept use cannot be read; its hours may be lost"),
            }
        }
        Self { folder, months: Mutex::new(months), new_hour: Notify::new() }
    }

    /// Notes what the guard saw. The first of an hour goes to disk at once and wakes the reporter.
    pub(crate) fn record(&self, signal: Signal, at: Timestamp, by: Option<&str>) {
        self.note(ReportSource::Guard, signal, at, by);
    }

    /// Notes what the application says of itself, in the same way.
    pub(crate) fn record_told(&self, signal: Signal, at: Timestamp) {
        self.note(ReportSource::Application, signal, at, None);
    }

    fn note(&self, source: ReportSource, signal: Signal, at: Timestamp, by: Option<&str>) {
        let hour = UsageHour::of(at);
        let mut months = self.months();
        let kept = months.entry((hour.month(), source)).or_insert_with(|| MonthOfUse::new(hour.month(), source));
        kept.seen += 1;
        let is_known = |known: &Evidence| known.hour == hour && known.signal == signal;
        let entry = match kept.evidence.iter().rposition(is_known) {
            Some(place) => {
                let known = &mut kept.evidence[place];
                known.count = known.count.saturating_add(1);
                known.last = known.last.max(at);
                known
            }
            None => kept.evidence.push_mut(Evidence::seen(signal, at)),
        };
        if let Some(name) = by {
            entry.who.add(name);
        }
        if kept.hours.contains(hour) || kept.hours.insert(hour).is_err() {
            return;
        }
        kept.acknowledged = false;
        self.save(kept);
        self.new_hour.notify_one();
    }

    /// Waits until an hour begins to be used.
    pub(crate) async fn new_hour(&self) {
        self.new_hour.notified().await;
    }

    /// Months with hours that the main instance does not have, and months that are over with
    /// anything that it does not have: nothing will add to those.
    pub(crate) fn unacknowledged(&self) -> Vec<Pending> {
        let months = self.months();
        let latest = latest(&months);
        let is_due =
            |kept: &&MonthOfUse| !kept.acknowledged || (kept.is_unsent() && Some(kept.hours.month()) != latest);
        months.values().filter(is_due).map(MonthOfUse::pending).collect()
    }

    /// Months with anything that the main instance does not have.
    pub(crate) fn unsent(&self) -> Vec<Pending> {
        self.months().values().filter(|kept| kept.is_unsent()).map(MonthOfUse::pending).collect()
    }

    /// Takes the main instance's word that it has this report.
    pub(crate) fn acknowledge(&self, pending: &Pending) {
        let key = (pending.report.hours.month(), pending.report.source);
        let mut months = self.months();
        let latest = latest(&months);
        let Some(kept) = months.get_mut(&key) else { return };
        kept.sent = pending.seen;
        kept.acknowledged = kept.hours == pending.report.hours;
        kept.explained = pending.report.evidence.iter().map(|evidence| evidence.hour).max().max(kept.explained);
        self.save(kept);
        let is_finished =
            |(month, _): &(Month, ReportSource), kept: &MonthOfUse| !kept.is_unsent() && Some(*month) != latest;
        for (key, _) in months.extract_if(.., |key, kept| is_finished(key, kept)) {
            let _ = std::fs::remove_file(self.path(key));
        }
    }

    /// Writes what the main instance does not have, for the end of the process.
    pub(crate) fn save_all(&self) {
        self.months().values().filter(|kept| kept.is_unsent()).for_each(|kept| self.save(kept));
    }

    fn save(&self, kept: &MonthOfUse) {
        let path = self.path(kept.key());
        let written =
            serde_json::to_vec(kept).map_err(std::io::Error::other).and_then(|json| disk::replace(&path, &json));
        if let Err(error) = written {
            tracing::error!(%error, path = %path.display(), "Use could not be kept on disk; it is kept in memory");
        }
    }

    fn path(&self, (month, source): (Month, ReportSource)) -> PathBuf {
        self.folder.join(match source {
            ReportSource::Guard => format!("{month}.json"),
            ReportSource::Application => format!("{month}.{}.json", source.as_str()),
        })
    }

    fn months(&self) -> MutexGuard<'_, BTreeMap<(Month, ReportSource), MonthOfUse>> {
        self.months.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MonthOfUse {
    fn new(month: Month, source: ReportSource) -> Self {
        let hours = UsageHours::none(month);
        Self { hours, source, evidence: Vec::new(), acknowledged: true, explained: None, seen: 0, sent: 0 }
    }

    fn key(&self) -> (Month, ReportSource) {
        (self.hours.month(), self.source)
    }

    fn is_unsent(&self) -> bool {
        !self.acknowledged || self.seen != self.sent
    }

    fn pending(&self) -> Pending {
        let evidence = self.evidence.iter().filter(|evidence| Some(evidence.hour) >= self.explained).cloned().collect();
        let report = ActivityReport { hours: self.hours.clone(), source: self.source, evidence };
        Pending { report, seen: self.seen }
    }
}

/// The month that may still be going on.
fn latest(months: &BTreeMap<(Month, ReportSource), MonthOfUse>) -> Option<Month> {
    months.keys().next_back().map(|(month, _)| *month)
}

/// Files of earlier versions do not name their source.
fn guard() -> ReportSource {
    ReportSource::Guard
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "json")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_hour_is_pending_until_acknowledged_also_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path().join("activity"));
        assert!(ledger.unacknowledged().is_empty());
        ledger.record(Signal::Member, at("2026-11-24T10:05:00Z"), None);
        ledger.record(Signal::Member, at("2026-11-24T10:50:00Z"), None);

        let ledger = Ledger::open(folder.path().join("activity"));
        let pending = ledger.unacknowledged();
        assert_eq!(pending.len(), 1);
        assert_eq!(pending[0].report.hours.count(), 1);
        ledger.record(Signal::ApiCall, at("2026-11-24T11:00:00Z"), None);
        ledger.acknowledge(&pending[0]);
        assert_eq!(ledger.unacknowledged().len(), 1, "the acknowledgement does not cover what came later");
        ledger.acknowledge(&ledger.unacknowledged()[0]);

        let ledger = Ledger::open(folder.path().join("activity"));
        assert!(ledger.unacknowledged().is_empty());
        ledger.record(Signal::Member, at("2026-11-24T11:30:00Z"), None);
        assert!(ledger.unacknowledged().is_empty(), "the hour was reported before");
        let unsent = ledger.unsent();
        assert_eq!(unsent.len(), 1, "the evidence has grown");
        assert_eq!(unsent[0].report.hours.count(), 2, "a report says all hours of the month");
        assert!(
            unsent[0].report.evidence.iter().all(|evidence| evidence.hour == UsageHour::of(at("2026-11-24T11:00:00Z")))
        );
    }

    #[test]
    fn evidence_that_a_stop_could_not_send_is_sent_after_it_also_when_the_month_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path().to_owned());
        ledger.record(Signal::Member, at("2026-11-30T23:01:00Z"), None);
        ledger.acknowledge(&ledger.unacknowledged()[0]);
        ledger.record(Signal::Member, at("2026-11-30T23:59:00Z"), None);
        ledger.save_all();

        let ledger = Ledger::open(folder.path().to_owned());
        assert!(ledger.unacknowledged().is_empty(), "its hour was acknowledged");
        let unsent = ledger.unsent();
        assert_eq!((unsent.len(), unsent[0].report.evidence[0].count), (1, 2));
        ledger.record(Signal::Member, at("2026-12-01T00:00:00Z"), None);
        let due = ledger.unacknowledged();
        assert_eq!(due.len(), 2, "the month is over, so nothing is to be waited for");
        ledger.record(Signal::Member, at("2026-11-30T23:59:59Z"), None);
        due.iter().for_each(|pending| ledger.acknowledge(pending));
        let late = ledger.unacknowledged();
        assert_eq!(late.len(), 1, "what came while the report was under way is not forgotten with its month");
        ledger.acknowledge(&late[0]);
        assert!(ledger.unsent().is_empty());
        assert_eq!(files(folder.path()).len(), 1);
        assert!(Ledger::open(folder.path().to_owned()).unsent().is_empty());
    }

    #[test]
    fn what_the_application_says_is_kept_apart_from_what_the_guard_saw() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path().to_owned());
        ledger.record(Signal::Member, at("2026-11-24T10:05:00Z"), None);
        for minute in 10..40 {
            ledger.record_told(Signal::Sprint, at(&format!("2026-11-24T10:{minute}:00Z")));
        }
        ledger.save_all();

        let ledger = Ledger::open(folder.path().to_owned());
        let pending = ledger.unacknowledged();
        let reports: Vec<_> = pending.iter().map(|pending| (pending.report.source, &pending.report.evidence)).collect();
        let [(ReportSource::Guard, seen), (ReportSource::Application, told)] = reports[..] else {
            panic!("{reports:?}")
        };
        assert_eq!((seen.len(), seen[0].count, seen[0].signal), (1, 1, Signal::Member));
        assert_eq!((told.len(), told[0].count, told[0].signal), (1, 30, Signal::Sprint));
        ledger.acknowledge(&pending[1]);
        assert_eq!(ledger.unacknowledged()[0].report.source, ReportSource::Guard);
        ledger.record_told(Signal::Sprint, at("2026-12-01T00:00:00Z"));
        ledger.unacknowledged().iter().for_each(|pending| ledger.acknowledge(pending));
        assert_eq!(files(folder.path()).len(), 1, "only the month that goes on is kept");
    }

    #[test]
    fn a_file_of_an_earlier_version_is_the_guards() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path().to_owned());
        ledger.record(Signal::Member, at("2026-11-24T10:05:00Z"), None);
        let file = folder.path().join("2026-11.json");
        let mut kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        kept.as_object_mut().unwrap().remove("source").unwrap();
        std::fs::write(&file, kept.to_string()).unwrap();
        let ledger = Ledger::open(folder.path().to_owned());
        assert_eq!(ledger.unacknowledged()[0].report.source, ReportSource::Guard);
    }

    #[test]
    fn a_month_that_is_over_and_acknowledged_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path().to_owned());
        ledger.record(Signal::Member, at("2026-11-30T23:59:00Z"), None);
        ledger.record(Signal::Member, at("2026-12-01T00:00:00Z"), None);
        let pending = ledger.unacknowledged();
        assert_eq!(pending.len(), 2);
        pending.iter().for_each(|pending| ledger.acknowledge(pending));
        assert_eq!(files(folder.path()).len(), 1);
        assert!(ledger.unsent().is_empty());
    }
}
