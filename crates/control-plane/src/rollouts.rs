//! How a release reaches everyone.
//!
//! - who would be updated, in what order, how long it takes: `preview.rs`
//! - what a rollout does next, after each unit and once in a while: `roll_out.rs`; from what it is decided: `progress.rs`
//! - one instance is brought to a release, or stays at its former one: `update.rs`; with the whole rollout it is taken
//!   back: `go_back.rs`; what both do at the provider: `deployment.rs`
//! - one instance of a rollout: `units.rs`
//! - what was agreed about the updates of one instance: `agreement.rs`
//! - those that a rollout could not reach are brought along later: `catch_up.rs`
//! - what customers are told: `letters.rs`; how one is and went, for whoever looks: `report.rs`

pub(crate) mod agreement;
pub(crate) mod catch_up;
pub(crate) mod deployment;
pub(crate) mod go_back;
mod letters;
pub(crate) mod preview;
mod progress;
pub(crate) mod report;
pub(crate) mod roll_out;
pub(crate) mod store;
pub(crate) mod units;
pub(crate) mod update;

use domain::{InstanceId, ReleaseId, RolloutId};
use fleet::{Plan, RolloutCommand, RolloutState, Stage, Strategy, UnitEvent, Version};
use jiff::{SignedDuration, Timestamp};

use crate::app::{App, Core};
use crate::error::{AppError, refused};
use crate::releases::{self, Release};
use crate::{audit, backups, instances};

/// What brings many instances to a release.
#[derive(Debug, Clone)]
pub(crate) struct Rollout {
    pub id: RolloutId,
    pub release: ReleaseId,
    pub version: Version,
    /// Instances of this stage and of those before it.
    pub stage: Stage,
    pub occasion: Occasion,
    pub strategy: Strategy,
    /// How many may fail; those that were accepted after a halt included.
    pub tolerated: u32,
    pub state: RolloutState,
    /// Why it is where it is, in a sentence.
    pub why: Option<String>,
    pub made_by: String,
    pub made_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// How long it was expected to take.
    pub expected: SignedDuration,
    /// How many ran the release before it began.
    pub ran_it_already: u32,
    /// Of all or of some that were named.
    pub is_whole: bool,
}

/// Why there is a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Somebody asked for it.
    Asked,
    /// The server's settings name another release than before.
    Settings,
    /// Some could not be reached by an earlier one.
    CatchUp,
}

impl Occasion {
    const ALL: [Self; 3] = [Self::Asked, Self::Settings, Self::CatchUp];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Settings => "settings",
            Self::CatchUp => "catch_up",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|occasion| occasion.as_str() == word)
    }
}

/// Who is to be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// All of the release's stage and those before it.
    Whole,
    /// These.
    Only(Vec<InstanceId>),
}

/// What a rollout would do, before anything is done. Refused for whatever would refuse to begin it, but for another one
/// that is open.
pub(crate) async fn planned(
    app: &App,
    version: &str,
    strategy: &Strategy,
    reach: &Reach,
) -> Result<(Release, preview::Preview), AppError> {
    meant(strategy)?;
    let release = releases::named(app, version).await?;
    may_begin(app, &release, strategy)?;
    let plan = preview::plan(app, &release, strategy, reach).await?;
    Ok((release, plan))
}

fn meant(strategy: &Strategy) -> Result<(), AppError> {
    strategy.check().map_err(|error| refused(422, &error.to_string(), "Change the strategy and ask again."))
}

/// Begins a rollout, unless another one is open.
pub(crate) async fn start(
    app: &App,
    version: &str,
    strategy: &Strategy,
    reach: &Reach,
    by: &str,
) -> Result<Rollout, AppError> {
    meant(strategy)?;
    let release = releases::named(app, version).await?;
    let id = begin(app, &release, strategy, reach, (Occasion::Asked, by)).await?;
    roll_out::advance(app, id).await?;
    app.engine.wake();
    find(app, id).await
}

/// Brings everybody to what the settings name from now on. One that is open is ended: it leads where nobody wants to go
/// any more.
pub(crate) async fn start_for_settings(core: &Core, release: &Release) -> anyhow::Result<()> {
    let by = Occasion::Settings.as_str();
    let mut tx = core.db.begin().await?;
    releases::store::note_named(&mut tx, release.id, core.clock.now()).await?;
    tx.commit().await?;
    if let Some(open) = store::open(&core.db).await? {
        command(core, open.id, RolloutCommand::Cancel, by).await?;
    }
    let strategy = Strategy { without_backup: backups::possible(core).is_err(), ..Strategy::default() };
    let begun = begin(core, release, &strategy, &Reach::Whole, (Occasion::Settings, by)).await;
    match begun {
        Ok(_) => Ok(()),
        Err(AppError::Refused { title, next_step, .. }) => {
            tracing::warn!("The release that the settings name was not rolled out: {title}. {next_step}");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn begin(
    core: &Core,
    release: &Release,
    strategy: &Strategy,
    reach: &Reach,
    (occasion, by): (Occasion, &str),
) -> Result<RolloutId, AppError> {
    may_begin(core, release, strategy)?;
    let plan = preview::plan(core, release, strategy, reach).await?;
    let now = core.clock.now();
    let id = RolloutId::new(now, core.entropy.bytes());
    let mut tx = core.db.begin().await?;
    if let Some(open) = store::lock_open(&mut tx).await? {
        let what = format!("Another rollout is open: {open}");
        return Err(refused(409, &what, "Wait for its end, or cancel it: `spinoff rollouts cancel`."));
    }
    let rollout = Rollout {
        id,
        release: release.id,
        version: release.made.version.clone(),
        stage: release.stage,
        occasion,
        strategy: strategy.clone(),
        tolerated: plan.plan.tolerated,
        state: RolloutState::Running,
        why: None,
        made_by: by.to_owned(),
        made_at: now,
        finished_at: None,
        expected: plan.plan.estimate.work,
        ran_it_already: plan.ran_it_already(),
        is_whole: *reach == Reach::Whole,
    };
    store::insert(&mut tx, &rollout, &plan).await?;
    let many = plan.plan.units.len();
    let detail = format!("{} to {many} instances", release.made.version);
    audit::record(&mut tx, core, by, "rollout.started", &id.to_string(), &detail).await?;
    store::log(&mut tx, id, by, &format!("Began: {}", in_words(&plan.plan)), now).await?;
    tx.commit().await?;
    Ok(id)
}

/// Whether a rollout of a release could begin, if no other one is open.
fn may_begin(core: &Core, release: &Release, strategy: &Strategy) -> Result<(), AppError> {
    if let Some(withdrawn) = &release.withdrawn {
        let what = format!("{} was withdrawn: {}", release.made.version, withdrawn.because);
        return Err(refused(409, &what, "Use another release."));
    }
    if !strategy.without_backup
        && let Err(why) = backups::possible(core)
    {
        let next = "`--without-backup` updates all the same; what fails then keeps its data as it is.";
        return Err(refused(409, &format!("No backup, no update, and no backup can be made here: {why}"), next));
    }
    Ok(())
}

fn in_words(plan: &Plan) -> String {
    let units = plan.units.len();
    let waves = plan.waves.len();
    match (units, waves) {
        (0, _) => "there is nobody to update".to_owned(),
        (1, _) => "one instance".to_owned(),
        (units, 1) => format!("{units} instances"),
        (units, waves) => format!("{units} instances in {waves} waves"),
    }
}

/// One rollout.
pub(crate) async fn find(core: &Core, id: RolloutId) -> Result<Rollout, AppError> {
    store::find(&core.db, id).await?.ok_or(AppError::NotFound)
}

/// Does what a person wants of a rollout.
pub(crate) async fn command(core: &Core, id: RolloutId, command: RolloutCommand, by: &str) -> Result<(), AppError> {
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    let rollout = store::lock(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let to = rollout
        .state
        .after(command)
        .map_err(|error| refused(409, &error.to_string(), "Look at it as it stands now: `spinoff rollouts show`."))?;
    if to == rollout.state {
        return Ok(());
    }
    if rollout.state.is_over()
        && let Some(open) = store::lock_open(&mut tx).await?
    {
        let next = "Wait for its end, or cancel it first: `spinoff rollouts cancel`.";
        return Err(refused(409, &format!("Another rollout is open: {open}"), next));
    }
    let why = format!("{} by {by}", crate::text::capital(&command.to_string()));
    store::set_state(&mut tx, id, to, Some(&why), now).await?;
    match command {
        RolloutCommand::Resume if rollout.state == RolloutState::Halted => {
            let failed = units::store::failed(&mut tx, id).await?;
            let fresh = rollout.strategy.tolerated_of(units::store::number(&mut tx, id).await?);
            store::set_tolerated(&mut tx, id, failed.saturating_add(fresh)).await?;
        }
        RolloutCommand::Cancel | RolloutCommand::RollBack => {
            units::store::skip_waiting(&mut tx, id, &format!("the rollout was {command}"), now).await?;
        }
        RolloutCommand::Pause | RolloutCommand::Resume => {}
    }
    if command == RolloutCommand::RollBack {
        // Those that are on the way turn round by themselves.
        for workflow in units::store::under_way(&mut tx, id).await? {
            workflow::request_cancel(&mut *tx, &workflow, &format!("the rollout was rolled back by {by}"), now).await?;
        }
    }
    let action = format!("rollout.{}", to.as_str());
    audit::record(&mut tx, core, by, &action, &id.to_string(), rollout.version.as_str()).await?;
    store::log(&mut tx, id, by, &why, now).await?;
    tx.commit().await?;
    roll_out::advance(core, id).await?;
    Ok(())
}

/// Leaves an instance out whose turn has not come, or that needed a person and had one.
pub(crate) async fn skip(core: &Core, id: RolloutId, instance: &str, by: &str) -> Result<(), AppError> {
    let found = instances::store::find_by_reference(&core.db, instance).await?.ok_or(AppError::NotFound)?;
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    store::lock(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let unit = units::store::unit(&mut tx, id, found.id).await?.ok_or_else(|| {
        refused(404, &format!("{} is no part of this rollout", found.subdomain), "`spinoff rollouts show` lists them.")
    })?;
    units::settle(&mut tx, &unit, UnitEvent::Skip, Some(&format!("left out by {by}")), now).await?;
    let detail = format!("{} left out", found.subdomain);
    audit::record(&mut tx, core, by, "rollout.skipped", &id.to_string(), &detail).await?;
    store::log(&mut tx, id, by, &detail, now).await?;
    tx.commit().await?;
    roll_out::advance(core, id).await?;
    Ok(())
}
