//! A backup that was never restored is a hope. Each night some are restored into a place made for that alone: a project of
//! its own without a public hostname, out of which nothing reaches anything, so that a copy of an application does nothing
//! to anybody. It has to answer there, and is removed.

pub(crate) mod store;

use std::sync::Arc;

use ::store::Tx;
use ::store::sqlx::Error;
use async_trait::async_trait;
use domain::{BackupId, BackupState, InstanceId, ProjectName, Subdomain, WorkflowId};
use fleet::Version;
use jiff::{SignedDuration, Timestamp};
use providers::compute::GuardSettings;
use serde::{Deserialize, Serialize};
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::back_up::can_be;
use super::put_back::source;
use super::{Backup, possible};
use crate::alerts::{self, Kind};
use crate::app::{App, Core};
use crate::audit;
use crate::error::{AppError, refused};
use crate::instances::{self, Instance, Place, probe};
use crate::releases::{self, Release};
use crate::workflows::{self, Plan, step_error};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "prove-backup.v1";

const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(3);
/// What does not answer so long after it was started is no proof.
const ANSWERS_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// No instance has its turn twice a night.
const NOT_AGAIN_WITHIN: SignedDuration = SignedDuration::from_hours(20);
/// The hours of a night, in UTC.
const NIGHT: std::ops::Range<i8> = 0..6;

/// See the module.
pub(crate) struct Prove(pub Arc<Core>);

/// A backup, and where it is restored to.
#[derive(Debug, Serialize, Deserialize)]
struct Input {
    instance: InstanceId,
    backup: BackupId,
    /// What the place is called by, as if it was an instance.
    scratch: InstanceId,
    slug: Subdomain,
}

/// How a proof stands.
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    pub workflow: String,
    pub backup: BackupId,
    pub instance: InstanceId,
    pub scratch: InstanceId,
    pub slug: Subdomain,
    pub begun_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// None while it is under way.
    pub is_proven: Option<bool>,
    pub why_not: Option<String>,
}

impl Proof {
    /// Where it lives at the compute provider.
    pub(crate) fn place(&self) -> Place {
        Place { id: self.scratch, subdomain: self.slug.clone(), project: ProjectName::of(&self.slug) }
    }
}

/// Asks for the proof of one backup now. While it is under way, asking again gives that.
pub(crate) async fn request(app: &App, instance: &Instance, backup: &Backup, by: &str) -> Result<WorkflowId, AppError> {
    can_be(app, instance)?;
    if let Err(why) = app.drivers.compute.proves() {
        return Err(refused(409, "No backup can be restored for a test here", why));
    }
    if backup.state != BackupState::Kept {
        let what = format!("This backup is {}", backup.state);
        return Err(refused(409, &what, "Only what is kept can be proven; choose another one."));
    }
    let mut tx = app.db.begin().await?;
    if let Some(id) = store::under_way_of(&mut tx, backup.id).await? {
        return WorkflowId::parse(&id).map_err(AppError::internal);
    }
    audit::record(&mut tx, app, by, "backup.proof_requested", &instance.id.to_string(), &backup.id.to_string()).await?;
    let id = begin(&mut tx, app, backup).await.map_err(AppError::internal)?;
    tx.commit().await?;
    app.engine.wake();
    Ok(id)
}

/// Begins the next proof of this night, one after another: that instance's whose turn is longest ago.
///
/// # Errors
/// When the store can't be used.
pub async fn prove_due(core: &Core) -> Result<(), Error> {
    let now = core.clock.now();
    let hour = now.to_zoned_datetime(jiff::tz::TimeZone::UTC).hour();
    let a_night = core.settings.backups.proofs_a_night;
    let is_possible = possible(core).and_then(|()| core.drivers.compute.proves()).is_ok();
    if a_night == 0 || !NIGHT.contains(&hour) || !is_possible {
        return Ok(());
    }
    let mut tx = core.db.begin().await?;
    let (under_way, lately) = store::number_since(&mut tx, working_since(core), now - NOT_AGAIN_WITHIN).await?;
    if under_way > 0 || lately >= i64::from(a_night) {
        return Ok(());
    }
    let Some(backup) = store::next(&mut tx, now - NOT_AGAIN_WITHIN).await? else { return Ok(()) };
    begin(&mut tx, core, &backup).await?;
    tx.commit().await
}

async fn begin(tx: &mut Tx, core: &Core, backup: &Backup) -> Result<WorkflowId, Error> {
    let scratch = InstanceId::new(core.clock.now(), core.entropy.bytes());
    let name = scratch.to_string();
    let slug = format!("proof-{}", name.rsplit('_').next().unwrap_or_default());
    let slug = Subdomain::parse(&slug).map_err(|error| Error::Decode(Box::new(error)))?;
    let input = Input { instance: backup.instance, backup: backup.id, scratch, slug };
    let id = workflows::begin(tx, core, &Plan { kind: KIND, time_limit: TIME_LIMIT, subject: &name }, &input).await?;
    let proof = Proof {
        workflow: id.to_string(),
        backup: input.backup,
        instance: input.instance,
        scratch,
        slug: input.slug,
        begun_at: core.clock.now(),
        ended_at: None,
        is_proven: None,
        why_not: None,
    };
    store::insert(tx, &proof).await?;
    Ok(id)
}

/// Whether a copy of what an instance keeps exists at this moment.
pub(super) async fn is_under_way(core: &Core, instance: InstanceId) -> Result<bool, Error> {
    store::is_under_way(&core.db, instance, working_since(core)).await
}

/// What was begun before that and never ended was given up by a person.
fn working_since(core: &Core) -> Timestamp {
    core.clock.now() - TIME_LIMIT * 2
}

/// How often it is each instance's turn, in a sentence.
pub(crate) fn in_words(a_night: u32, instances: u64) -> String {
    let nights = instances.div_ceil(u64::from(a_night.max(1)));
    match (a_night, nights) {
        (0, _) => "None is restored for a test by itself.".to_owned(),
        (_, 0 | 1) => "Each night the newest one is restored for a test.".to_owned(),
        (many, nights) => format!(
            "Each night {many} of all workspaces' newest ones are restored for a test, so that it is each one's turn about \
             every {nights} nights."
        ),
    }
}

#[async_trait]
impl Workflow for Prove {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Undo
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let input: Input = run.input()?;
        let (compute, project) = (&core.drivers.compute, &ProjectName::of(&input.slug));
        run.step("make a place", || async { compute.create_project(project, input.scratch).await.map_err(step_error) })
            .await?;
        run.step("close it off", || async {
            compute.configure(project, &settings(core, &input)?).await.map_err(step_error)
        })
        .await?;
        run.step("put the backup there", || put_there(core, &input)).await?;
        let since: Timestamp = run
            .step("start it", || async {
                let release = release(core, &input).await?;
                compute.deploy(project, &release.made.artifact).await.map_err(step_error)?;
                Ok(core.clock.now())
            })
            .await?;
        run.step("wait until it answers", || wait_until_it_answers(core, &input, since)).await?;
        run.step("remove the place", || async {
            compute.delete_project(project, input.scratch).await.map(drop).map_err(step_error)
        })
        .await?;
        run.step("record", || record(core, run.id(), &input, None)).await
    }

    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let input: Input = run.input()?;
        let project = &ProjectName::of(&input.slug);
        run.undo("make a place", || async {
            core.drivers.compute.delete_project(project, input.scratch).await.map(drop).map_err(step_error)
        })
        .await?;
        let reason = run.failure().await?;
        run.step("record", || record(core, run.id(), &input, Some(&reason))).await
    }
}

/// Nobody is ever asked for: its audience is nobody's, and it is told of no members.
fn settings(core: &Core, input: &Input) -> Result<GuardSettings, StepError> {
    let main_key = core.members_key.public().map_err(StepError::permanent)?;
    Ok(GuardSettings {
        instance: input.scratch,
        public_url: core.instance_url(&input.slug),
        issuer: core.drivers.edge.issuer(),
        audiences: vec![hex::encode(core.sealer.derive("audience of a proof", &input.scratch.to_string()))],
        main_url: core.settings.public_url.clone(),
        main_key: main_key.to_string(),
        instance_token: core.instance_token(input.scratch),
        closed_off: true,
    })
}

async fn put_there(core: &Core, input: &Input) -> Result<(), StepError> {
    let found = super::store::find(&core.db, input.instance, input.backup).await?;
    let Some(backup) = found.filter(|found| found.state == BackupState::Kept) else {
        return Err(StepError::permanent(anyhow::anyhow!("the backup is not kept any more")));
    };
    let from = source(core, &backup).await?;
    core.drivers.compute.restore(&ProjectName::of(&input.slug), input.scratch, &from).await.map_err(step_error)
}

async fn wait_until_it_answers(core: &Core, input: &Input, since: Timestamp) -> Result<(), StepError> {
    let place = Place { id: input.scratch, subdomain: input.slug.clone(), project: ProjectName::of(&input.slug) };
    match probe::wait_behind_the_door(core, &place).await {
        Err(StepError::Temporary(_)) if core.clock.now() > since + ANSWERS_WITHIN => {
            let log = core.drivers.compute.logs(&place.project, 5).await.unwrap_or_default();
            let why = format!("what was restored does not answer; the end of its log: {log}");
            Err(StepError::permanent(anyhow::anyhow!(why)))
        }
        outcome => outcome,
    }
}

/// What the backup was made under: another release may not be able to live with it.
async fn release(core: &Core, input: &Input) -> Result<Release, StepError> {
    let backup = super::store::of_anybody(&core.db, input.backup).await?;
    let version = backup.and_then(|backup| Version::parse(&backup.version).ok());
    let found = match version {
        Some(version) => releases::store::find_version(&core.db, &version).await?,
        None => None,
    };
    match found {
        Some(release) => Ok(release),
        None => Ok(releases::to_run(core, input.instance).await?),
    }
}

async fn record(core: &Core, workflow: &str, input: &Input, why_not: Option<&str>) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    store::end(&mut tx, workflow, input.backup, why_not, core.clock.now()).await?;
    if let Some(why) = why_not {
        let hostname = match instances::store::find(&core.db, input.instance).await? {
            Some(instance) => core.hostname(&instance.subdomain),
            None => input.instance.to_string(),
        };
        let what = format!("The backup {} of {hostname} could not be restored for a test", input.backup);
        let (key, path) = (format!("not proven {workflow}"), format!("/admin/instances/{}/backups", input.instance));
        alerts::raise(&mut tx, core, Kind::BackupFailed, &key, &what, why, &path).await?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_how_often_it_is_whose_turn() {
        assert!(in_words(0, 10).starts_with("None"));
        assert!(in_words(5, 5).contains("the newest one"));
        assert!(in_words(5, 11).contains("about every 3 nights"), "{}", in_words(5, 11));
    }
}
