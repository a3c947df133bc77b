//! The part of a move in which its instance is closed: it rests, what it keeps is carried to the other place, it runs there,
//! its hostname leads there, and it is seen from outside to be itself. The same on the way there and on the way back.

use anyhow::anyhow;
use domain::{BackupId, BackupReason, InstanceId, InstanceState, ProjectName};
use jiff::{SignedDuration, Timestamp};
use providers::Removed;
use providers::compute::GuardSettings;
use workflow::{Run, StepError, Stop};

use super::{Input, store};
use crate::app::Core;
use crate::backups::{self, measure, put_back, resting};
use crate::instances::{self, Instance, Place, holds, place, probe};
use crate::members;
use crate::releases::{self, Release};
use crate::rollouts::deployment;
use crate::workflows::step_error;

/// The steps in the order in which people are shown them, in their words.
pub(super) const STEPS: [(&str, &str); 10] = [
    ("rest", "Letting the application rest; the workspace is closed for a moment"),
    ("back up the rest", "Backing up everything as it is now"),
    ("put the rest in", "Putting it into the other place"),
    ("compare", "Counting whether all of it is there"),
    ("run there", "Starting the application there"),
    ("wait until it answers", "Waiting until it answers there"),
    ("switch", "Making the other place the one that counts"),
    ("lead there", "Leading the address there"),
    ("verify", "Checking from outside that it is itself"),
    ("tell the guard", "Telling it who may enter"),
];

/// What a step says of an instance that was closed or given up while it moved.
const OVERTAKEN: &str = "it was suspended or deleted meanwhile";
/// What does not answer so long after it was started does not suit its new place.
const ANSWERS_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// While it is closed nothing is tried again for longer than that: better where it was than closed.
const TRIED_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// What rests wakes by itself after half an hour where only a guard can make it rest; what it writes then would be lost.
const CLOSED_AT_MOST: SignedDuration = SignedDuration::from_mins(25);

/// From where to where an instance is carried.
pub(super) struct Leg<'a> {
    pub core: &'a Core,
    /// As it lives where it came from.
    pub instance: Instance,
    /// Where it goes.
    pub to: Place,
    pub release: Release,
}

impl<'a> Leg<'a> {
    pub(super) async fn of(core: &'a Core, input: &Input) -> Result<Self, Stop> {
        let found = instances::store::find(&core.db, input.instance).await?;
        let missing = || Stop::Failed(format!("there is no instance {} in the store", input.instance));
        let instance = Instance { project: input.from.clone(), ..found.ok_or_else(missing)? };
        let to = Place { project: input.to.clone(), ..instance.place() };
        let release = releases::to_run(core, instance.id).await?;
        Ok(Self { core, instance, to, release })
    }

    fn id(&self) -> InstanceId {
        self.instance.id
    }

    /// The instance, if it still is to move.
    pub(super) async fn is_to_move(&self) -> Result<(), StepError> {
        let found = instances::store::find(&self.core.db, self.id()).await?;
        match found.filter(|found| found.state == InstanceState::Active) {
            Some(_) => Ok(()),
            None => Err(StepError::permanent(anyhow!(OVERTAKEN))),
        }
    }

    /// Everything between rest and proof.
    pub(super) async fn carry_over(&self, run: &Run) -> Result<(), Stop> {
        let core = self.core;
        let purpose = format!("move {}", run.id());
        let closed_at: Timestamp = run.step("rest", || self.rest()).await?;
        let backup: BackupId = run
            .step("back up the rest", || async {
                let taken = backups::take(core, &self.instance, BackupReason::BeforeMove, &purpose).await;
                self.soon(closed_at, taken)
            })
            .await?;
        run.step("put the rest in", || async { self.soon(closed_at, self.put_in(backup).await) }).await?;
        run.step("compare", || async {
            self.soon(closed_at, measure::same(core, &self.instance, backup, &self.to).await)
        })
        .await?;
        let started: Timestamp =
            run.step("run there", || async { self.soon(closed_at, self.run_there().await) }).await?;
        run.step("wait until it answers", || self.wait_until_it_answers(started)).await?;
        run.step("switch", || self.switch(closed_at)).await?;
        let led: Timestamp = run
            .step("lead there", || async {
                lead(core, &self.instance, &self.instance.project, &self.to.project).await?;
                Ok(core.clock.now())
            })
            .await?;
        run.step("verify", || deployment::come_up(core, self.id(), &self.release, led, ANSWERS_WITHIN)).await?;
        run.step("tell the guard", || async {
            let there = Instance { project: self.to.project.clone(), ..self.instance.clone() };
            members::publish::tell_guard(core, &there).await?;
            probe::note_observation(core, &self.to).await
        })
        .await
    }

    /// Whatever [`Leg::carry_over`] ran into: it lives where it lived before, and runs.
    pub(super) async fn carry_back(&self, run: &Run) -> Result<(), Stop> {
        let core = self.core;
        if run.has_begun("lead there") {
            run.step("keep what was written since", || self.keep(run.id())).await?;
        }
        run.undo("switch", || self.switch_back()).await?;
        run.undo("lead there", || lead(core, &self.instance, &self.to.project, &self.instance.project)).await?;
        if run.has_begun("rest") || run.has_begun("back up") {
            run.step("run again", || resting::wake(core, self.id())).await?;
        }
        if run.has_begun("lead there") {
            run.step("tell the guard", || members::publish::tell_guard(core, &self.instance)).await?;
        }
        Ok(())
    }

    async fn rest(&self) -> Result<Timestamp, StepError> {
        self.is_to_move().await?;
        // Nobody is closed for a backup that could not be kept anyway.
        backups::place_answers(self.core).await?;
        resting::rest(self.core, &self.instance, &self.release).await?;
        Ok(self.core.clock.now())
    }

    /// Puts a backup into the other place, which rests for it. Doing it twice gives the same.
    pub(super) async fn put_in(&self, backup: BackupId) -> Result<(), StepError> {
        self.rest_there().await?;
        put_back::put_into(self.core, &self.instance, backup, &self.to).await
    }

    pub(super) async fn rest_there(&self) -> Result<(), StepError> {
        self.core.drivers.compute.rest(&self.to.project, &self.release.made.artifact).await.map_err(step_error)
    }

    /// Starts it there for good: it may reach what instances may reach.
    async fn run_there(&self) -> Result<Timestamp, StepError> {
        self.start_there(place::settings(self.core, &self.to).await?).await
    }

    /// Starts it there for a trial, in which nothing of it reaches anything: what runs here does that.
    pub(super) async fn try_there(&self) -> Result<Timestamp, StepError> {
        self.start_there(GuardSettings { closed_off: true, ..place::settings(self.core, &self.to).await? }).await
    }

    async fn start_there(&self, settings: GuardSettings) -> Result<Timestamp, StepError> {
        let (compute, project) = (&self.core.drivers.compute, &self.to.project);
        compute.configure(project, &settings).await.map_err(step_error)?;
        compute.deploy(project, &self.release.made.artifact).await.map_err(step_error)?;
        compute.wake(project).await.map_err(step_error)?;
        Ok(self.core.clock.now())
    }

    pub(super) async fn wait_until_it_answers(&self, since: Timestamp) -> Result<(), StepError> {
        match probe::wait_behind_the_door(self.core, &self.to).await {
            Err(StepError::Temporary(error)) if self.core.clock.now() > since + ANSWERS_WITHIN => {
                let log = self.core.drivers.compute.logs(&self.to.project, 5).await.unwrap_or_default();
                Err(StepError::permanent(error.context(format!("it does not answer there; the end of its log: {log}"))))
            }
            outcome => outcome,
        }
    }

    /// From here on it lives there. An instance that is closed or given up by now stays where it was.
    async fn switch(&self, closed_at: Timestamp) -> Result<(), StepError> {
        let mut tx = self.core.db.begin().await?;
        let state = holds::store::lock(&mut tx, self.id()).await?;
        if store::project_of(&mut tx, self.id()).await?.as_ref() == Some(&self.to.project) {
            return Ok(());
        }
        if state != Some(InstanceState::Active) {
            return Err(StepError::permanent(anyhow!(OVERTAKEN)));
        }
        if self.core.clock.now() > closed_at + CLOSED_AT_MOST {
            let why =
                format!("it took longer than the {} minutes for which it may be closed", CLOSED_AT_MOST.as_mins());
            return Err(StepError::permanent(anyhow!(why)));
        }
        store::live_in(&mut tx, self.id(), &self.to.project).await?;
        Ok(tx.commit().await?)
    }

    async fn switch_back(&self) -> Result<(), StepError> {
        let mut tx = self.core.db.begin().await?;
        holds::store::lock(&mut tx, self.id()).await?;
        store::live_in(&mut tx, self.id(), &self.instance.project).await?;
        Ok(tx.commit().await?)
    }

    /// Best effort: whoever came by while it was led there may have written something. If it can't be kept, the way back is
    /// more important.
    async fn keep(&self, workflow: &str) -> Result<Option<BackupId>, StepError> {
        let there = Instance { project: self.to.project.clone(), ..self.instance.clone() };
        let purpose = format!("way back {workflow}");
        let kept = async {
            self.rest_there().await?;
            backups::take(self.core, &there, BackupReason::BeforeMove, &purpose).await
        };
        match kept.await {
            Ok(kept) => Ok(Some(kept)),
            Err(error) => {
                tracing::warn!(instance.id = %self.id(), "What was written in its new place was not kept: {error}");
                Ok(None)
            }
        }
    }

    /// What can't be done soon counts as failed while it is closed.
    fn soon<T>(&self, closed_at: Timestamp, outcome: Result<T, StepError>) -> Result<T, StepError> {
        match outcome {
            Err(StepError::Temporary(error)) if self.core.clock.now() > closed_at + TRIED_WITHIN => {
                Err(StepError::permanent(error.context("it was closed for too long")))
            }
            outcome => outcome,
        }
    }
}

/// Removes a place of an instance: never the one that it lives in, whatever was asked for.
pub(super) async fn remove(core: &Core, id: InstanceId, project: &ProjectName) -> Result<Vec<Removed>, StepError> {
    let found = instances::store::find(&core.db, id).await?;
    if found.is_some_and(|instance| instance.project == *project && !instance.state.is_over()) {
        return Err(StepError::permanent(anyhow!("it lives in {project}: that place is not removed")));
    }
    core.drivers.compute.delete_project(project, id).await.map_err(step_error)
}

/// Leads the hostname of an instance from one of its projects to the other. Doing it twice gives the same.
async fn lead(core: &Core, instance: &Instance, from: &ProjectName, to: &ProjectName) -> Result<(), StepError> {
    let (compute, hostname) = (&core.drivers.compute, &core.hostname(&instance.subdomain));
    compute.release_hostname(from, hostname).await.map_err(step_error)?;
    let origin = compute.register_hostname(to, hostname).await.map_err(step_error)?;
    core.drivers.edge.publish(hostname, instance.id, &origin).await.map_err(step_error)?;
    compute.hostname_ready(to, hostname).await.map_err(step_error)
}
