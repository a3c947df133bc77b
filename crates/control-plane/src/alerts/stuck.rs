//! Work that waits for a person.

use std::collections::BTreeSet;

use workflow::{Filter, WorkflowState};

use super::{Kind, store};
use crate::app::Core;

/// Tells the operator of every workflow that waits for a person, once each time it got stuck.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn tell_of_stuck(core: &Core) -> Result<(), ::store::sqlx::Error> {
    let filter = Filter { state: Some(WorkflowState::Stuck), before: None, limit: 200 };
    let mut stuck = BTreeSet::new();
    for record in workflow::list(&core.db, &filter).await? {
        let key = format!("stuck {} {}", record.id, record.attempt);
        let what = format!("Workflow {} of {} waits for you", record.kind, record.subject);
        let why = record.error.unwrap_or_default();
        let mut tx = core.db.begin().await?;
        let path = format!("/admin/workflows/{}", record.id);
        super::raise(&mut tx, core, Kind::WorkStuck, &key, &what, &why, &path).await?;
        tx.commit().await?;
        stuck.insert(key);
    }
    let mut tx = core.db.begin().await?;
    for key in store::open_keys(&mut tx, "stuck").await? {
        if !stuck.contains(&key) {
            super::resolve(&mut tx, core, &key).await?;
        }
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}
