//! Keeps one deployed project running: starts it, watches it, starts it again when it ends, and
//! stops it when its volume is too full.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use domain::ProjectName;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::disk::{Room, Unmeasured};
use super::folder::{Folder, Project};
use super::health::{self, Answer};
use super::launch::{Launched, Launcher};
use super::seats::{Phase, Shared, lock};
use super::{Isolation, disk, on_blocking_thread, processes, running};

/// How often a guard that is not well yet is asked, and one that is.
const ASK_TO_STOP_AGAIN: Duration = Duration::from_millis(200);
const ASK_WHILE_STARTING: Duration = Duration::from_millis(100);
const ASK_USUALLY: Duration = Duration::from_secs(10);
/// How often a volume that is too full is measured, to start the instance again once there is room.
const LOOK_WHILE_FULL: Duration = Duration::from_secs(2);
/// How long the last lines of a program that ended may take to arrive.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A task that keeps one project running until it is stopped or dropped.
pub(super) struct Supervisor {
    project: Project,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Supervisor {
    pub(super) fn start(
        name: ProjectName,
        folder: Folder,
        project: Project,
        launcher: Arc<Launcher>,
        state: Shared,
    ) -> Self {
        let stop = CancellationToken::new();
        *lock(&state) = super::seats::State { phase: Phase::Launching, restarts: 0 };
        let work = Work { name, folder, project: project.clone(), launcher, state, stop: stop.clone() };
        Self { project, stop, task: tokio::spawn(work.run()) }
    }

    /// Whether this is what it runs already.
    pub(super) fn runs(&self, wanted: &Project) -> bool {
        !self.task.is_finished()
            && self.project.release == wanted.release
            && self.project.configured == wanted.configured
    }

    /// Stops the project and returns once nothing of it runs.
    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        if let Err(cause) = (&mut self.task).await {
            tracing::error!("A supervisor broke off: {cause}");
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Work {
    name: ProjectName,
    folder: Folder,
    project: Project,
    launcher: Arc<Launcher>,
    state: Shared,
    stop: CancellationToken,
}

/// Why a run came to its end.
enum End {
    Stopped,
    Exited(String),
    VolumeFull(String),
}

impl Work {
    async fn run(self) {
        let mut backoff = Backoff::new();
        loop {
            if let Some(detail) = self.too_full(&self.used().await) {
                self.enter(Phase::OverQuota { detail });
                if self.paused(LOOK_WHILE_FULL).await {
                    continue;
                }
                break;
            }
            self.enter(Phase::Launching);
            let (end, well_for) = self.one_run().await;
            let cause = match end {
                End::Stopped => break,
                End::VolumeFull(_) => continue,
                End::Exited(cause) => cause,
            };
            let pause = backoff.after(well_for);
            tracing::warn!(
                project = %self.name,
                "{} ended ({cause}); it is started again in {} s", self.name, pause.as_secs()
            );
            self.enter(Phase::Waiting { cause });
            if !self.paused(pause).await {
                break;
            }
            lock(&self.state).restarts += 1;
        }
        self.enter(Phase::Idle);
    }

    /// One life of the instance, from its start until nothing of it is left.
    async fn one_run(&self) -> (End, Option<Duration>) {
        let mut launched = match self.launcher.launch(&self.name, &self.folder, &self.project).await {
            Ok(launched) => launched,
            Err(cause) => return (End::Exited(cause.to_string()), None),
        };
        let since = Instant::now();
        self.enter(Phase::Running { pid: launched.child.id().unwrap_or(0), since, well_since: None });
        let end = self.watch(&mut launched).await;
        let well_for = match lock(&self.state).phase {
            Phase::Running { well_since: Some(since), .. } => Some(since.elapsed()),
            _ => None,
        };
        if let End::VolumeFull(detail) = &end {
            self.enter(Phase::OverQuota { detail: detail.clone() });
        }
        if !matches!(end, End::Exited(_)) {
            self.ask_to_stop(&mut launched).await;
        }
        self.clean_up(launched).await;
        (end, well_for)
    }

    async fn watch(&self, launched: &mut Launched) -> End {
        let full = self.until_full();
        let asking = self.keep_asking();
        tokio::select! {
            status = launched.child.wait() => End::Exited(match status {
                Ok(status) => status.to_string(),
                Err(cause) => cause.to_string(),
            }),
            () = self.stop.cancelled() => End::Stopped,
            detail = full => End::VolumeFull(detail),
            never = asking => match never {},
        }
    }

    /// Notes since when the instance is well; never ends.
    async fn keep_asking(&self) -> Infallible {
        loop {
            let well = health::ask(self.project.port).await.0 == Answer::Well;
            if let Phase::Running { well_since, .. } = &mut lock(&self.state).phase {
                *well_since = well.then(|| well_since.unwrap_or_else(Instant::now));
            }
            sleep(if well { ASK_USUALLY } else { ASK_WHILE_STARTING }).await;
        }
    }

    async fn until_full(&self) -> String {
        let quota = self.quota();
        let volume = self.folder.data();
        loop {
            let began = Instant::now();
            let room = Room::around(&volume);
            let used = self.used().await;
            let took = began.elapsed();
            if let Some(detail) = self.too_full(&used) {
                return detail;
            }
            sleep(disk::TICK).await;
            let Ok(used) = used else { continue };
            let last = disk::Measurement { used, room, took };
            while !last.is_outdated(began.elapsed(), Room::around(&volume), quota) {
                sleep(disk::TICK).await;
            }
        }
    }

    fn quota(&self) -> u64 {
        self.launcher.settings.limits.volume_bytes
    }

    async fn used(&self) -> Result<u64, Unmeasured> {
        let (volume, quota) = (self.folder.data(), self.quota());
        let measuring = tokio::task::spawn_blocking(move || disk::used_bytes(&volume, quota));
        measuring.await.unwrap_or_else(|cause| Err(Unmeasured::Failed(cause.into())))
    }

    fn too_full(&self, used: &Result<u64, Unmeasured>) -> Option<String> {
        let quota = self.quota();
        match used {
            Ok(used) if *used <= quota => None,
            Ok(_) => Some(format!(
                "stopped: its volume may hold at most {} MB and holds more; remove files or raise the limit",
                quota >> 20
            )),
            Err(Unmeasured::Evaded(how)) => Some(format!("stopped: folders in its volume are {how}")),
            Err(Unmeasured::Failed(cause)) => {
                // No fault of the instance's.
                tracing::warn!(project = %self.name, "The volume of {} could not be measured: {cause}", self.name);
                None
            }
        }
    }

    /// Asks, waits for a while, and leaves the rest to the clean-up.
    async fn ask_to_stop(&self, launched: &mut Launched) {
        let was_well = matches!(lock(&self.state).phase, Phase::Running { well_since: Some(_), .. });
        let asking = async {
            while let Some(pid) = launched.child.id() {
                processes::ask_to_stop(pid);
                // The kernel drops a signal to the first process of a namespace that has no handler for
                // it yet, so one that may still be starting is asked again.
                let pause = if was_well { self.launcher.settings.grace } else { ASK_TO_STOP_AGAIN };
                if timeout(pause, launched.child.wait()).await.is_ok() {
                    return;
                }
            }
        };
        if timeout(self.launcher.settings.grace, asking).await.is_err() {
            tracing::warn!(project = %self.name, "{} did not stop in time and is killed", self.name);
        }
    }

    async fn clean_up(&self, mut launched: Launched) {
        let _ = launched.child.start_kill();
        let _ = launched.child.wait().await;
        let folder = self.folder.clone();
        let running = launched.running.clone();
        let isolation = self.launcher.settings.isolation;
        let cleared = on_blocking_thread(move || {
            if let (Isolation::InsecureNone, Some(process)) = (isolation, &running.process) {
                // Nothing else ends what the application left behind.
                processes::kill_group(process.pid);
            }
            running::clear(&folder)
        });
        if let Err(cause) = cleared.await {
            tracing::error!(project = %self.name, "What was left of {} could not be removed: {cause}", self.name);
        }
        let _ = timeout(LAST_WORDS, launched.log).await;
    }

    fn enter(&self, phase: Phase) {
        lock(&self.state).phase = phase;
    }

    /// Waits; whether the project is still wanted.
    async fn paused(&self, pause: Duration) -> bool {
        tokio::select! {
            () = sleep(pause) => true,
            () = self.stop.cancelled() => false,
        }
    }
}
