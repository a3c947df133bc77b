//! What runs the containers of the simulated Railway: each as a real guard with a real application on
//! this machine. It follows what Railway has deployed, and tells it how that fares.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use providers::compute::local::Spawner;
use proxy::Upstream;
use simulators::railway::{Fate, Railway, Report};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::container::{Container, Program};

/// How often Railway is looked at.
const BEAT: Duration = Duration::from_millis(100);
/// How long a visitor waits for a container that is being woken.
const WAKING: Duration = Duration::from_secs(20);

/// Keeps running what the simulated Railway has deployed, until it is stopped.
pub struct Runtime {
    shared: Arc<Shared>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Finds what runs.
#[derive(Clone)]
pub struct Doors(Arc<Shared>);

struct Shared {
    railway: Railway,
    program: Arc<Program>,
    /// One folder for each volume.
    volumes: PathBuf,
    spawner: Arc<Spawner>,
    running: Mutex<BTreeMap<String, Running>>,
    /// One container at a time has a volume.
    claims: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    tasks: TaskTracker,
    woken: Notify,
}

struct Running {
    upstream: Arc<Upstream>,
    stop: CancellationToken,
    /// Whether its health was reported.
    is_judged: Arc<AtomicBool>,
}

impl Runtime {
    /// Begins to run what is deployed, with volumes in this folder.
    ///
    /// # Errors
    /// When the thread that starts programs can't be had.
    pub fn start(railway: Railway, program: Program, volumes: PathBuf) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            railway,
            program: Arc::new(program),
            volumes,
            spawner: Arc::new(Spawner::start()?),
            running: Mutex::default(),
            claims: Mutex::default(),
            tasks: TaskTracker::new(),
            woken: Notify::new(),
        });
        let stop = CancellationToken::new();
        let task = tokio::spawn(Arc::clone(&shared).follow(stop.clone()));
        Ok(Self { shared, stop, task })
    }

    /// For whoever hands requests to containers.
    pub fn doors(&self) -> Doors {
        Doors(Arc::clone(&self.shared))
    }

    /// Stops all containers, and returns once nothing of them runs.
    pub async fn stop(self) {
        self.stop.cancel();
        // It ends by being told to, and panics nowhere.
        let _ = self.task.await;
        for (_, running) in std::mem::take(&mut *self.shared.running()) {
            running.stop.cancel();
        }
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl Doors {
    /// The way to a deployment's guard; waits for one that is being started. `None` when it does not run.
    pub async fn of(&self, deployment: &str) -> Option<Arc<Upstream>> {
        let found = async {
            loop {
                if let Some(running) = self.0.running().get(deployment) {
                    return Arc::clone(&running.upstream);
                }
                self.0.woken.notify_one();
                tokio::time::sleep(BEAT / 4).await;
            }
        };
        tokio::time::timeout(WAKING, found).await.ok()
    }
}

impl Shared {
    async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let mut beat = tokio::time::interval(BEAT);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = beat.tick() => {}
                () = self.woken.notified() => {}
            }
            // Verification counts from when somebody first looked.
            self.railway.look();
            self.settle();
            self.remove_volumes();
        }
    }

    /// Stops what is not wanted any more, and starts what is.
    fn settle(&self) {
        let wanted = self.railway.containers();
        let mut running = self.running();
        running.retain(|deployment, held| {
            let found = wanted.iter().find(|container| container.deployment == *deployment);
            // One that is new again after it was judged was restarted.
            let stays = found.is_some_and(|found| !found.is_new || !held.is_judged.load(Ordering::SeqCst));
            if !stays {
                held.stop.cancel();
            }
            stays
        });
        for spec in wanted {
            if running.contains_key(&spec.deployment) {
                continue;
            }
            let deployment = spec.deployment.clone();
            let claim = spec.volume.as_ref().map(|(volume, _)| self.claim(volume));
            let (stop, is_judged) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)));
            match Container::new(spec, &self.program, &self.spawner, &self.volumes) {
                Ok(container) => {
                    let upstream = Arc::new(container.upstream().ending_tunnels_on(stop.clone()));
                    let (railway, told) = (self.railway.clone(), Arc::clone(&is_judged));
                    let report = move |deployment: &str, report| {
                        railway.report(deployment, report);
                        told.store(true, Ordering::SeqCst);
                    };
                    self.tasks.spawn(container.run(claim, report, stop.clone()));
                    running.insert(deployment, Running { upstream, stop, is_judged });
                }
                Err(error) => {
                    tracing::warn!("The simulated Railway can't run {deployment}: {error}");
                    self.railway.report(&deployment, Report::Crashed);
                }
            }
        }
    }

    fn claim(&self, volume: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(claims.entry(volume.to_owned()).or_default())
    }

    /// A volume that was deleted goes with its data, once nobody uses it any more.
    fn remove_volumes(&self) {
        let projects = self.railway.projects();
        let kept: BTreeSet<&String> = projects
            .iter()
            .filter(|project| project.fate != Fate::Deleted)
            .flat_map(|project| &project.volumes)
            .collect();
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.retain(|volume, claim| {
            if kept.contains(volume) || claim.try_lock().is_err() {
                return true;
            }
            let folder = self.volumes.join(volume);
            match std::fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!("{} can't be removed: {error}", folder.display());
                    true
                }
                _ => false,
            }
        });
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
