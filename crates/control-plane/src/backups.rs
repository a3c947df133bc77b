//! What instances keep, kept a second time, encrypted with a key of each instance's own. The main instance sees nothing of
//! it: whoever runs instances packs and encrypts, and the storage gets what nobody can read without the key.
//!
//! - one is taken: `take.rs`; one is put back: `put_back.rs`
//! - with what they are opened: `key.rs`
//! - when one is due: `schedule.rs`; when one is over: `prune.rs`
//! - somebody asks for one: `back_up.rs`; for one to be put back: `restore.rs`; meanwhile the application rests: `resting.rs`
//! - that it can be put back is proven each night: `proofs.rs`
//! - whether what was put somewhere is all there: `measure.rs`
//! - all of an instance's go, and then its key: `destroy.rs`

pub(crate) mod back_up;
pub(crate) mod destroy;
mod key;
pub(crate) mod measure;
pub(crate) mod pages;
pub(crate) mod proofs;
pub(crate) mod prune;
pub(crate) mod put_back;
pub(crate) mod resting;
pub(crate) mod restore;
pub(crate) mod schedule;
pub(crate) mod store;
mod take;

use std::sync::Arc;

use ::store::Tx;
use ::store::sqlx::Error;
use domain::{BackupId, BackupReason, BackupState, InstanceId, Retention};
use jiff::Timestamp;
use providers::inventory::Verdict;
use providers::storage::{ObjectName, Storage};
use workflow::{StepError, WorkflowState};

use crate::app::Core;
use crate::instances::moves::{self, relocate};
use crate::rollouts::{go_back, update};

pub(crate) use domain::BackupReason as Reason;
pub(crate) use put_back::put_back;
pub(crate) use take::take;

/// What names end with where backups are kept.
const SUFFIX: &str = ".tar.gz.age";

/// Workflows that change what an instance keeps or runs, and what it is then: no two of them at once.
const AT_WORK: [(&str, &str); 6] = [
    (back_up::KIND, "backed up"),
    (restore::KIND, "restored"),
    (update::KIND, "updated"),
    (go_back::KIND, "taken back to its former release"),
    (relocate::KIND, "moved to another home"),
    (moves::go_back::KIND, "moved back to where it was"),
];

/// What the operator decided about backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSettings {
    /// Hours from one to the next of each instance; 0 takes none by itself.
    pub every_hours: u32,
    /// How long they are kept.
    pub retention: Retention,
    /// How many are restored for a test each night; 0 for none.
    pub proofs_a_night: u32,
    /// Hours from one backup of the store to the next; 0 takes none by itself.
    pub store_every_hours: u32,
    /// So many backups of the store are kept, the newest ones.
    pub store_kept: u32,
}

impl Default for BackupSettings {
    fn default() -> Self {
        Self {
            every_hours: 24,
            retention: Retention::default(),
            proofs_a_night: 5,
            store_every_hours: 24,
            store_kept: 14,
        }
    }
}

/// A backup as it stands in the store.
#[derive(Debug, Clone)]
pub(crate) struct Backup {
    pub id: BackupId,
    pub instance: InstanceId,
    pub reason: BackupReason,
    pub state: BackupState,
    /// What the instance ran then.
    pub version: String,
    pub object: ObjectName,
    /// Where that is, as the operator finds it.
    pub place: String,
    /// The driver that keeps it there.
    pub storage: String,
    pub begun_at: Timestamp,
    /// What it turned out to be, once it was taken.
    pub held: Option<Held>,
    /// Why the last attempt came to nothing.
    pub trouble: Option<String>,
    /// When it was last restored somewhere and answered there.
    pub proven_at: Option<Timestamp>,
    /// When it was last put back.
    pub restored_at: Option<Timestamp>,
}

/// What is known of a backup that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub taken_at: Timestamp,
    pub expires_at: Timestamp,
    /// Files in it, their bytes, and what could not be taken along.
    pub files: u64,
    pub content_bytes: u64,
    pub left_out: u64,
    /// Bytes that it takes, and their SHA-256.
    pub bytes: u64,
    pub sha256: String,
}

/// Whether instances can be backed up here.
///
/// # Errors
/// Why not, in a sentence.
pub(crate) fn possible(core: &Core) -> Result<(), &'static str> {
    core.drivers.compute.backs_up()?;
    match core.drivers.storage {
        Some(_) => Ok(()),
        None => Err("No place is set where backups are kept. Set [backups] driver."),
    }
}

/// Whether what is kept could be kept now. Asked before an application rests for it.
///
/// # Errors
/// In words, while the place for backups does not take anything.
pub(crate) async fn place_answers(core: &Core) -> Result<(), StepError> {
    for check in storage(core)?.check().await {
        if check.verdict == Verdict::Fail {
            return Err(StepError::temporary(anyhow::anyhow!("{}: {}; {}", check.name, check.found, check.advice)));
        }
    }
    Ok(())
}

/// Which of [`AT_WORK`] is under way.
async fn at_work(tx: &mut Tx, instance: InstanceId) -> Result<Option<&'static str>, Error> {
    let subject = instance.to_string();
    for (kind, _) in AT_WORK {
        let found = workflow::under_way(tx, kind, &subject).await?;
        if found.is_some_and(|(_, state)| matches!(state, WorkflowState::Running | WorkflowState::Undoing)) {
            return Ok(Some(kind));
        }
    }
    Ok(None)
}

/// Whether something of that is under way, for whoever has to wait for its end.
pub(crate) async fn is_at_work(core: &Core, instance: InstanceId) -> Result<bool, Error> {
    let all = workflow::of_subject(&core.db, &instance.to_string()).await?;
    let works = |state| matches!(state, WorkflowState::Running | WorkflowState::Undoing);
    let ours = |kind: &str| [back_up::KIND, restore::KIND].contains(&kind);
    Ok(all.iter().any(|record| ours(&record.kind) && works(record.state))
        || proofs::is_under_way(core, instance).await?)
}

/// Where they are kept.
fn storage(core: &Core) -> Result<Arc<dyn Storage>, StepError> {
    possible(core).map_err(|why| StepError::permanent(anyhow::anyhow!("there are no backups here: {why}")))?;
    core.drivers.storage.clone().ok_or_else(|| StepError::permanent(anyhow::anyhow!("no place is set for backups")))
}

fn object_of(instance: InstanceId, backup: BackupId) -> Result<ObjectName, StepError> {
    ObjectName::parse(&format!("{instance}/{backup}{SUFFIX}")).map_err(StepError::permanent)
}
