//! The versions of the application that instances can run, and how far each has got.
//!
//! - what is stored, and what each instance runs: `store.rs`
//! - a release gets to the next stage: `promotion.rs`
//! - what the server's own settings say is a release as well: `settings.rs`

pub(crate) mod promotion;
pub(crate) mod settings;
pub(crate) mod store;

use ::store::sqlx::Error;
use ::store::{Tx, is_unique_violation};
use domain::{InstanceId, ReleaseId};
use fleet::{Stage, UpgradesFrom, Version};
use jiff::Timestamp;
use providers::compute;

use crate::app::{App, Core};
use crate::audit;
use crate::error::{AppError, refused};

/// So much may be said about a release.
const LONGEST_NOTES: usize = 4_000;

/// One version of the application. But for how far it got, it never changes.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    pub id: ReleaseId,
    pub made: Made,
    pub made_by: String,
    pub made_at: Timestamp,
    /// Whose instances it may reach.
    pub stage: Stage,
    pub withdrawn: Option<Withdrawn>,
}

/// What a release is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub version: Version,
    /// How it is run, whichever compute provider runs it. Its version is the same.
    pub artifact: compute::Release,
    /// What changed, for customers and operators to read.
    pub notes: String,
    pub upgrades_from: UpgradesFrom,
}

/// Why a release is not to be used any more.
#[derive(Debug, Clone)]
pub(crate) struct Withdrawn {
    pub at: Timestamp,
    pub because: String,
}

/// What shows that a release works at a stage.
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    pub stage: Stage,
    /// Where: the name of this installation, or of another one.
    pub environment: String,
    pub at: Timestamp,
    pub by: String,
    /// In words: which rollout, how many instances.
    pub detail: String,
}

/// How a release came to a stage.
#[derive(Debug, Clone)]
pub(crate) struct Promotion {
    pub to: Stage,
    pub at: Timestamp,
    pub by: String,
    /// Why it was not proven before; whoever gave that answers for it.
    pub without_proof: Option<String>,
}

/// Adds a release. The same one again is the same; another one of the same version is refused.
pub(crate) async fn add(app: &App, made: Made, by: &str) -> Result<Release, AppError> {
    check(&made)?;
    if let Some(found) = store::find_version(&app.db, &made.version).await? {
        return same(found, &made);
    }
    let now = app.clock.now();
    let release = Release {
        id: ReleaseId::new(now, app.entropy.bytes()),
        made,
        made_by: by.to_owned(),
        made_at: now,
        stage: Stage::Development,
        withdrawn: None,
    };
    let mut tx = app.db.begin().await?;
    match store::insert(&mut tx, &release).await {
        Ok(()) => {}
        // Somebody else added it at the same moment.
        Err(error) if is_unique_violation(&error) => {
            drop(tx);
            let found = find(app, &release.made.version).await?;
            return same(found, &release.made);
        }
        Err(error) => return Err(error.into()),
    }
    audit::record(&mut tx, app, by, "release.added", &release.id.to_string(), release.made.version.as_str()).await?;
    tx.commit().await?;
    Ok(release)
}

/// A release by its version.
pub(crate) async fn find(core: &Core, version: &Version) -> Result<Release, AppError> {
    store::find_version(&core.db, version).await?.ok_or_else(|| {
        refused(404, &format!("There is no release {version}"), "`spinoff releases list` shows all; add it first.")
    })
}

/// A release by what somebody typed.
pub(crate) async fn named(core: &Core, version: &str) -> Result<Release, AppError> {
    match Version::parse(version) {
        Ok(version) => find(core, &version).await,
        Err(error) => {
            let what = format!("There is no such release: {error}");
            Err(refused(404, &what, "`spinoff releases list` shows all."))
        }
    }
}

/// Takes a release out of use: it is neither promoted nor rolled out any more. Instances that run it go on.
pub(crate) async fn withdraw(app: &App, version: &str, because: &str, by: &str) -> Result<Release, AppError> {
    let release = named(app, version).await?;
    let because = because.trim();
    if because.is_empty() || because.chars().count() > 500 {
        return Err(refused(
            422,
            "There is no reason for it",
            "Say in one sentence why the release is not to be used.",
        ));
    }
    let mut tx = app.db.begin().await?;
    if store::withdraw(&mut tx, release.id, because, app.clock.now()).await? {
        audit::record(&mut tx, app, by, "release.withdrawn", &release.id.to_string(), because).await?;
    }
    tx.commit().await?;
    find(app, &release.made.version).await
}

/// What an instance is to run: what it was brought to, else what is current for its stage, which is then recorded.
/// Recorded before it is deployed, so that no instance ever runs what nobody knows of.
pub(crate) async fn to_run(core: &Core, instance: InstanceId) -> Result<Release, Error> {
    if let Some(release) = store::of_instance(&core.db, instance).await? {
        return Ok(release);
    }
    let mut tx = core.db.begin().await?;
    let release = current(&mut tx, instance).await?;
    store::note_run(&mut tx, instance, release.id, core.clock.now()).await?;
    tx.commit().await?;
    Ok(release)
}

/// What is current for the stage of an instance.
async fn current(tx: &mut Tx, instance: InstanceId) -> Result<Release, Error> {
    let stage = store::stage_of(tx, instance).await?;
    let missing =
        || Error::Decode("no release is current; start the server again, which makes its settings one".into());
    store::current(&mut **tx, stage).await?.ok_or_else(missing)
}

/// The id of what new customers get.
pub(crate) async fn sold(tx: &mut Tx) -> Result<String, Error> {
    let current = store::current(&mut **tx, Stage::Customers).await?;
    Ok(current.map_or_else(String::new, |release| release.id.to_string()))
}

fn check(made: &Made) -> Result<(), AppError> {
    let refuse = |what: &str, next: &str| Err(refused(422, what, next));
    if made.notes.chars().count() > LONGEST_NOTES {
        return refuse("The notes are too long", &format!("Use at most {LONGEST_NOTES} characters."));
    }
    let artifact = &made.artifact;
    if !artifact.health_path.starts_with('/') {
        return refuse("The health path is no path", "Begin it with a slash, such as /health.");
    }
    match &artifact.image {
        Some(image) if !image.contains("@sha256:") => {
            let next = "Name it by its digest, such as registry.example.com/app@sha256:…: a tag may mean another image tomorrow.";
            refuse("An image without a digest may change", next)
        }
        None if artifact.command.trim().is_empty() => {
            refuse("Nothing says what to run", "Give an image, or the command that starts the application.")
        }
        _ => Ok(()),
    }
}

fn same(found: Release, made: &Made) -> Result<Release, AppError> {
    if found.made == *made {
        return Ok(found);
    }
    let what = format!("There is another release {} already", made.version);
    Err(refused(409, &what, "A release never changes: give the new one a version of its own."))
}
