//! Reports that wait for the store at the same time are stored together, in one transaction. A store waits for its disk
//! once for each of them, and guards have much to tell when an hour begins.

mod store;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, PoisonError};

use ::store::Db;
use ::store::sqlx::Error;
use api::{ActivityReport, ReportSource};
use domain::{Evidence, InstanceId, Month, Signal, UsageError, UsageHour, UsageHours};
use jiff::Timestamp;
use tokio::sync::{Mutex as Turn, oneshot};

/// What waits, and whose turn it is to store all of it.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    waiting: Mutex<Vec<Waiting>>,
    turn: Turn<()>,
}

#[derive(Debug)]
struct Waiting {
    instance: InstanceId,
    report: ActivityReport,
    at: Timestamp,
    /// Dropped unless the report is in the store.
    stored: oneshot::Sender<()>,
}

impl Intake {
    /// Adds a report to what was reported before. It is in the store when this returns.
    pub(crate) async fn take(
        &self,
        db: &Db,
        instance: InstanceId,
        report: ActivityReport,
        at: Timestamp,
    ) -> Result<(), Error> {
        let (stored, is_stored) = oneshot::channel();
        self.waiting().push(Waiting { instance, report: report.clone(), at, stored });
        let turn = self.turn.lock().await;
        self.store_what_waits(db).await;
        drop(turn);
        if is_stored.await.is_ok() {
            return Ok(());
        }
        // Something else than this report may be at fault, or whoever was about to store it went away. Twice is as good
        // as once.
        store::merge(db, &Gathered::of([(instance, &report, at)])?).await
    }

    /// Whoever had the turn before may have left nothing.
    async fn store_what_waits(&self, db: &Db) {
        let waiting = std::mem::take(&mut *self.waiting());
        if waiting.is_empty() {
            return;
        }
        let Ok(gathered) = Gathered::of(waiting.iter().map(|it| (it.instance, &it.report, it.at))) else { return };
        if store::merge(db, &gathered).await.is_ok() {
            for it in waiting {
                // Whoever went away needs no answer.
                let _ = it.stored.send(());
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a bitmap of hours is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    instance: InstanceId,
    month: Month,
    source: ReportSource,
}

type Months = BTreeMap<Place, UsageHours>;

/// What several reports say together. Always in the same order, so that no two replicas wait for each other.
#[derive(Debug, Default)]
struct Gathered {
    months: Months,
    evidence: BTreeMap<(Place, UsageHour, Signal), Evidence>,
    /// When each guard was heard of last.
    heard: BTreeMap<InstanceId, Timestamp>,
}

impl Gathered {
    fn of<'r>(reports: impl IntoIterator<Item = (InstanceId, &'r ActivityReport, Timestamp)>) -> Result<Self, Error> {
        let mut gathered = Self::default();
        for (instance, report, at) in reports {
            let heard = gathered.heard.entry(instance).or_insert(at);
            *heard = at.max(*heard);
            gathered.add(instance, report).map_err(|error| Error::Decode(Box::new(error)))?;
        }
        Ok(gathered)
    }

    fn add(&mut self, instance: InstanceId, report: &ActivityReport) -> Result<(), UsageError> {
        let place = Place { instance, month: report.hours.month(), source: report.source };
        match self.months.entry(place) {
            Entry::Occupied(mut known) => known.get_mut().union(&report.hours)?,
            Entry::Vacant(first) => drop(first.insert(report.hours.clone())),
        }
        for entry in &report.evidence {
            let known = self.evidence.entry((place, entry.hour, entry.signal)).or_insert_with(|| entry.clone());
            known.merge(entry);
        }
        Ok(())
    }
}
