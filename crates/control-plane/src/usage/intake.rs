//! Reports that wait for the store at the same time are stored together, in one transaction. A store waits for its disk
//! once for each of them, and guards have much to tell when an hour begins.

use std::sync::{Mutex, PoisonError};

use ::store::Db;
use ::store::sqlx::Error;
use api::ActivityReport;
use domain::InstanceId;
use tokio::sync::{Mutex as Turn, oneshot};

use super::store;

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
    /// Dropped unless the report is in the store.
    stored: oneshot::Sender<()>,
}

impl Intake {
    /// Adds a report to what was reported before. It is in the store when this returns.
    pub(crate) async fn take(&self, db: &Db, instance: InstanceId, report: ActivityReport) -> Result<(), Error> {
        let (stored, is_stored) = oneshot::channel();
        self.waiting().push(Waiting { instance, report: report.clone(), stored });
        let turn = self.turn.lock().await;
        self.store_what_waits(db).await;
        drop(turn);
        if is_stored.await.is_ok() {
            return Ok(());
        }
        // Something else than this report may be at fault, or whoever was about to store it went away. Twice is as good
        // as once.
        store::merge(db, &[(instance, &report)]).await
    }

    /// Whoever had the turn before may have left nothing.
    async fn store_what_waits(&self, db: &Db) {
        let waiting = std::mem::take(&mut *self.waiting());
        if waiting.is_empty() {
            return;
        }
        let mut reports: Vec<_> = waiting.iter().map(|it| (it.instance, &it.report)).collect();
        // Always in the same order, so that no two replicas wait for each other.
        reports.sort_by_key(|(instance, report)| (*instance, report.hours.month(), report.source));
        if store::merge(db, &reports).await.is_ok() {
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
