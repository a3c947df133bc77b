//! A copy of an instance: another instance of the same customer, at a name of its own, that begins with what the first one
//! keeps. It has a key, a subscription and a bill of its own, and only its owner may enter it.
//!
//! It is ordered like any other (`signup.rs`) and made like any other (`provision.rs`), but for what its application finds
//! when it first starts: [`fill`]. Where no backup was chosen, its source is backed up for it like for any other reason
//! (`backups/back_up.rs`), so that whatever else works on the source waits its turn, and the source never knows.

mod store;

use ::store::Tx;
use domain::{BackupId, BackupState, InstanceId, InstanceState, Subdomain};
use fleet::Version;
use jiff::SignedDuration;
use workflow::{Run, StepError, Stop, WorkflowState};

use super::place::Filled;
use super::{Instance, holds};
use crate::app::{App, Core};
use crate::backups::{self, back_up, put_back};
use crate::billing::dunning;
use crate::error::{AppError, refused};
use crate::releases::{self, Release};
use crate::signup::{self, Accepted, NewSignup};
use crate::workflows::step_error;

pub(crate) use store::MIGRATIONS;

/// The steps that a copy has beside those of any other instance, in the words of people who watch it.
pub(crate) const STEPS: [(&str, &str); 2] = [
    ("back up its source", "Backing up the workspace that is copied"),
    ("put data in", "Putting everything into the copy"),
];

/// What its source keeps may be large, and is packed and unpacked for it.
const MORE_TIME: SignedDuration = SignedDuration::from_hours(6);
/// How soon it is looked again whether the backup is there.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(1);

/// What is to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CopyOf {
    pub source: InstanceId,
    /// What the copy begins with; without it, a backup that is taken for it.
    pub backup: Option<BackupId>,
}

/// A copy that somebody wants.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub subdomain: Subdomain,
    pub backup: Option<BackupId>,
    /// Whether its customer orders it, with all that this means.
    pub agreed: bool,
    /// Names the order, so that sending it twice makes one copy.
    pub key: Option<String>,
    pub by: String,
}

/// How a copy stands in the store.
#[derive(Debug, Clone)]
struct Kept {
    of: CopyOf,
    /// The workflow that backs the source up for it.
    through: Option<String>,
}

/// Orders a copy. The same order again gives the same copy.
pub(crate) async fn request(app: &App, source: &Instance, wanted: Wanted) -> Result<Accepted, AppError> {
    back_up::can_be(app, source)?;
    if let Some(backup) = wanted.backup {
        let found = backups::store::find(&app.db, source.id, backup).await?;
        let found = found.ok_or_else(|| no_such_backup(source, backup))?;
        if found.state != BackupState::Kept {
            let what = format!("This backup is {}", found.state);
            return Err(refused(409, &what, "Only what is kept can be copied; choose another one."));
        }
    }
    let order = NewSignup {
        name: source.customer_name.clone(),
        email: source.customer_email.clone(),
        company: None,
        subdomain: wanted.subdomain,
        agreed: wanted.agreed,
        card: None,
        coupon: None,
        // Kept apart from the keys of other orders.
        key: wanted.key.map(|key| format!("copy {} {key}", source.id)),
        copy_of: Some(CopyOf { source: source.id, backup: wanted.backup }),
        by: wanted.by,
    };
    signup::sign_up(app, &order).await.map_err(signup::SignupError::refusal)
}

/// Looks, in the transaction of the order, whether its source can be copied now. Of two orders at once the second sees
/// the first.
pub(crate) async fn allow(tx: &mut Tx, of: CopyOf) -> Result<(), AppError> {
    let state = holds::store::lock(tx, of.source).await?.ok_or(AppError::NotFound)?;
    let source = store::source(tx, of.source).await?.ok_or(AppError::NotFound)?;
    if state != InstanceState::Active {
        let what = format!("{} is {state}", source.subdomain);
        return Err(refused(409, &what, "What is in use can be copied; look again when it is open."));
    }
    let dunned = dunning::store::find(&mut *tx, source.customer).await?;
    if dunned.is_some_and(|kept| dunning::is_under_way(kept.state.stage())) {
        let what = format!("{} can't be copied while an invoice is not paid", source.subdomain);
        return Err(refused(409, &what, "Pay what is due first; the bills say how."));
    }
    if store::is_under_way(tx, of.source).await? {
        let what = format!("A copy of {} is being made at this moment", source.subdomain);
        return Err(refused(409, &what, "Order the next one when that is done."));
    }
    Ok(())
}

/// How much longer it may take to make an instance if it is a copy.
pub(crate) async fn more_time(tx: &mut Tx, instance: InstanceId) -> Result<SignedDuration, ::store::sqlx::Error> {
    Ok(if store::is_copy(tx, instance).await? { MORE_TIME } else { SignedDuration::ZERO })
}

/// Puts what a copy begins with into its place, before its application first starts. Any other instance begins empty.
pub(crate) async fn fill(run: &Run, core: &Core, copy: &Instance) -> Result<Filled, Stop> {
    if copy.copied_from.is_none() {
        return Ok(Filled::Empty);
    }
    let [(back_up, _), (put_in, _)] = STEPS;
    let backup: BackupId = run.step(back_up, || back_up_source(core, copy)).await?;
    run.step(put_in, || put_data_in(core, copy, backup)).await?;
    Ok(Filled::AtRest)
}

/// The backup that was chosen, or the one that is taken for this copy, once it is there.
async fn back_up_source(core: &Core, copy: &Instance) -> Result<BackupId, StepError> {
    let kept = kept(core, copy).await?;
    if let Some(backup) = kept.of.backup {
        return Ok(backup);
    }
    let Some(workflow) = kept.through else {
        begin(core, copy, kept.of.source).await?;
        return Err(not_yet());
    };
    let state = workflow::find(&core.db, &workflow).await?.map(|record| record.state);
    match state {
        Some(WorkflowState::Running | WorkflowState::Undoing) => Err(not_yet()),
        Some(WorkflowState::Done) => {
            let taken = back_up::taken_by(core, kept.of.source, &workflow).await?;
            taken.ok_or_else(|| permanent("the workspace that is copied was removed meanwhile"))
        }
        Some(WorkflowState::Failed | WorkflowState::Stuck | WorkflowState::Abandoned) | None => {
            Err(permanent("the workspace that is copied could not be backed up"))
        }
    }
}

/// Begins the backup of the source, and remembers which. What else works on it ends first.
async fn begin(core: &Core, copy: &Instance, source: InstanceId) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    match back_up::begin_for_copy(&mut tx, core, source).await? {
        back_up::Begun::Here(workflow) => store::note_backed_up_by(&mut tx, copy.id, &workflow.to_string()).await?,
        back_up::Begun::Later => return Err(not_yet()),
        back_up::Begun::Never => return Err(permanent("the workspace that is copied was removed meanwhile")),
    }
    Ok(tx.commit().await?)
}

/// Doing it twice gives the same: the application was never started, and rests.
async fn put_data_in(core: &Core, copy: &Instance, backup: BackupId) -> Result<(), StepError> {
    let kept = kept(core, copy).await?;
    let missing = || permanent("the workspace that is copied is not in the store");
    let source = super::store::find(&core.db, kept.of.source).await?.ok_or_else(missing)?;
    let release = release(core, &kept, backup).await?;
    let mut tx = core.db.begin().await?;
    releases::store::note_run(&mut tx, copy.id, release.id, core.clock.now()).await?;
    tx.commit().await?;
    // At some providers only a guard can put it in, which has to be there for it.
    core.drivers.compute.rest(&copy.project, &release.made.artifact).await.map_err(step_error)?;
    put_back::put_into(core, &source, backup, &copy.place()).await
}

/// What its source runs. A backup that was taken for the copy says what that was then.
async fn release(core: &Core, kept: &Kept, backup: BackupId) -> Result<Release, StepError> {
    if kept.through.is_some()
        && let Some(backup) = backups::store::find(&core.db, kept.of.source, backup).await?
        && let Ok(version) = Version::parse(&backup.version)
        && let Some(release) = releases::store::find_version(&core.db, &version).await?
    {
        return Ok(release);
    }
    Ok(releases::to_run(core, kept.of.source).await?)
}

async fn kept(core: &Core, copy: &Instance) -> Result<Kept, StepError> {
    let kept = store::find(&core.db, copy.id).await?;
    kept.ok_or_else(|| permanent("what it is a copy of is not in the store"))
}

fn not_yet() -> StepError {
    StepError::NotYet { why: "The workspace that is copied is backed up for it.".to_owned(), after: LOOK_AGAIN }
}

fn permanent(why: &'static str) -> StepError {
    StepError::permanent(anyhow::anyhow!(why))
}

fn no_such_backup(source: &Instance, backup: BackupId) -> AppError {
    let what = format!("{} has no backup {backup}", source.subdomain);
    refused(404, &what, "Choose one of its own; the list of its backups shows all.")
}
