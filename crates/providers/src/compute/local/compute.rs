//! The driver's answers to the questions every compute provider is asked.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{InstanceId, ProjectName};
use futures_util::future::join_all;
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use tokio::time::Instant;

use super::folder::{Configured, Folder, Project};
use super::health::{self, Answer};
use super::launch::TOKEN_PURPOSE;
use super::seats::Phase;
use super::{Local, journal, on_blocking_thread, ports, processes, restore, running};
use crate::backup::{Kept, Source, Target};
use crate::compute::{Archive, Compute, Door, GuardSettings, Health, Observation, Origin, Release, Tempo};
use crate::inventory::{Ceiling, Check, Item};
use crate::{ProviderError, Removed};

/// How long an instance may take to answer for the first time before it counts as down. It is not
/// restarted for that: some applications build themselves first.
const STARTING_AT_MOST: std::time::Duration = std::time::Duration::from_secs(120);

#[async_trait]
impl Compute for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    async fn create_project(&self, name: &ProjectName, instance: InstanceId) -> Result<(), ProviderError> {
        let seat = self.seats.of(name);
        let _turn = seat.turn().await;
        let _one_at_a_time = self.allocation.lock().await;
        let folder = self.folders.of(name);
        let project = match folder.load()? {
            Some(found) if found.instance == instance => found,
            Some(_) => {
                let why = "a project of that name belongs to another instance";
                return Err(ProviderError::refused(format!("create {name}"), why, "choose another subdomain"));
            }
            None => {
                let others = self.folders.projects()?;
                let slots: Vec<u32> = others.iter().map(|project| project.slot).collect();
                let slot = (0..).find(|slot| !slots.contains(slot)).unwrap_or(u32::MAX);
                let taken: Vec<u16> = others.iter().map(|project| project.port).collect();
                Project::new(instance, slot, ports::choose(self.launcher.settings.first_port, &taken)?)
            }
        };
        // Folders before the record: whoever finds the record can rely on them.
        folder.create(self.launcher.uid(project.slot))?;
        folder.save(&project)
    }

    async fn configure(&self, name: &ProjectName, settings: &GuardSettings) -> Result<(), ProviderError> {
        let seat = self.seats.of(name);
        let _turn = seat.turn().await;
        let folder = self.folders.of(name);
        let mut project = folder.expect_project(name)?;
        if project.instance != settings.instance {
            let why = "the settings are for another instance";
            return Err(ProviderError::refused(format!("configure {name}"), why, "create its own project first"));
        }
        project.configured = Some(self.stored(settings, project.configured.as_ref())?);
        folder.save(&project)
    }

    async fn deploy(&self, name: &ProjectName, release: &Release) -> Result<(), ProviderError> {
        let seat = self.seats.of(name);
        let mut turn = seat.turn().await;
        let folder = self.folders.of(name);
        let mut project = folder.expect_project(name)?;
        if project.configured.is_none() {
            let why = "its settings are missing";
            return Err(ProviderError::refused(format!("deploy {name}"), why, "configure it first"));
        }
        if let Some(reason) = self.walls.refusal().await {
            let next = "run `spinoff doctor` to see each feature";
            return Err(ProviderError::refused(format!("deploy {name}"), reason, next));
        }
        project.release = Some(release.clone());
        if turn.as_ref().is_some_and(|supervisor| supervisor.runs(&project)) {
            return Ok(());
        }
        folder.save(&project)?;
        if let Some(former) = turn.take() {
            former.stop().await;
        }
        if project.is_to_run() {
            *turn = Some(self.supervise(name, &folder, &seat)?);
        }
        Ok(())
    }

    async fn register_hostname(&self, name: &ProjectName, hostname: &str) -> Result<Origin, ProviderError> {
        let seat = self.seats.of(name);
        let _turn = seat.turn().await;
        let folder = self.folders.of(name);
        let mut project = folder.expect_project(name)?;
        if project.hostnames.insert(hostname.to_owned()) {
            folder.save(&project)?;
        }
        Ok(Origin::Address(ports::address(project.port)))
    }

    async fn hostname_ready(&self, _name: &ProjectName, _hostname: &str) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn release_hostname(&self, name: &ProjectName, hostname: &str) -> Result<Vec<Removed>, ProviderError> {
        let seat = self.seats.of(name);
        let _turn = seat.turn().await;
        let folder = self.folders.of(name);
        let Some(mut project) = folder.load()? else { return Ok(Vec::new()) };
        if !project.hostnames.remove(hostname) {
            return Ok(Vec::new());
        }
        folder.save(&project)?;
        Ok(vec![Removed::new("hostname", hostname)])
    }

    async fn door(&self, name: &ProjectName, hostname: &str) -> Result<Option<Door>, ProviderError> {
        let project = self.folders.of(name).load()?;
        Ok(project.map(|project| Door {
            http: self.http.clone(),
            url: format!("http://{}", ports::address(project.port)),
            host: hostname.to_owned(),
            asleep: !matches!(self.seats.of(name).now().phase, Phase::Running { .. }),
        }))
    }

    async fn suspend(&self, name: &ProjectName) -> Result<(), ProviderError> {
        let seat = self.seats.of(name);
        let mut turn = seat.turn().await;
        let folder = self.folders.of(name);
        let mut project = folder.expect_project(name)?;
        project.suspended = true;
        folder.save(&project)?;
        if let Some(supervisor) = turn.take() {
            supervisor.stop().await;
        }
        Ok(())
    }

    async fn resume(&self, name: &ProjectName) -> Result<(), ProviderError> {
        let seat = self.seats.of(name);
        let mut turn = seat.turn().await;
        let folder = self.folders.of(name);
        let mut project = folder.expect_project(name)?;
        project.suspended = false;
        folder.save(&project)?;
        if turn.is_none() && project.is_to_run() {
            *turn = Some(self.supervise(name, &folder, &seat)?);
        }
        Ok(())
    }

    async fn observe(&self, name: &ProjectName) -> Result<Option<Observation>, ProviderError> {
        let Some(project) = self.folders.of(name).load()? else {
            return Ok(None);
        };
        let state = self.seats.of(name).now();
        let mut memory_bytes = None;
        let mut told = None;
        let (health, detail) = match state.phase {
            Phase::Idle if project.suspended => (Health::Asleep, Some("it is suspended".to_owned())),
            Phase::Idle if project.is_to_run() => (Health::Down, Some("it is not running".to_owned())),
            Phase::Idle => (Health::Down, Some("nothing is deployed yet".to_owned())),
            Phase::Launching => (Health::Starting, None),
            Phase::Waiting { cause } => (Health::Down, Some(cause)),
            Phase::OverQuota { detail } => (Health::Down, Some(detail)),
            Phase::Impossible { reason } => (Health::Down, Some(reason)),
            Phase::Running { pid, since, well_since } => {
                memory_bytes = Some(processes::own_bytes(pid));
                let (answer, release) = health::ask(project.port).await;
                told = release;
                judge(answer, since, well_since)
            }
        };
        Ok(Some(Observation {
            health,
            at: self.clock.now(),
            // What runs says itself what it is; of what does not answer it is known what was deployed.
            version: told.or(project.release.map(|release| release.version)),
            restarts: state.restarts,
            memory_bytes,
            detail,
        }))
    }

    async fn logs(&self, name: &ProjectName, lines: usize) -> Result<String, ProviderError> {
        let folder = self.folders.of(name);
        folder.expect_project(name)?;
        on_blocking_thread(move || Ok(journal::last_lines(&folder.logs(), lines))).await
    }

    fn exports(&self) -> Result<(), &'static str> {
        Ok(())
    }

    async fn export(&self, name: &ProjectName, instance: InstanceId) -> Result<Archive, ProviderError> {
        let folder = self.folder_of(name, instance)?;
        let Ok(place) = Arc::clone(&self.exports).try_acquire_owned() else {
            let why = "as many downloads as this machine makes at once are under way";
            return Err(ProviderError::unavailable(format!("export {name}"), why));
        };
        let name = name.to_string();
        Ok(Archive::written_by(move |sink| {
            let _place = place;
            archive::export(&folder.volume(), &name, sink)
        }))
    }

    async fn observe_all(&self, projects: &[ProjectName]) -> Result<Vec<(ProjectName, Observation)>, ProviderError> {
        let looks = projects.iter().map(|project| self.observe(project));
        let mut seen = Vec::new();
        for (project, look) in projects.iter().zip(join_all(looks).await) {
            match look {
                Ok(Some(observation)) => seen.push((project.clone(), observation)),
                Ok(None) => tracing::warn!("{project} is not to be found"),
                Err(error) => tracing::warn!("{project} can't be observed: {error}"),
            }
        }
        Ok(seen)
    }

    fn observe_every(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn patience(&self) -> SignedDuration {
        SignedDuration::from_mins(30)
    }

    fn tempo(&self) -> Tempo {
        Tempo {
            update: SignedDuration::from_secs(5),
            between: SignedDuration::ZERO,
            patience: SignedDuration::from_mins(5),
        }
    }

    fn backs_up(&self) -> Result<(), &'static str> {
        Ok(())
    }

    async fn back_up(&self, name: &ProjectName, instance: InstanceId, to: &Target) -> Result<Kept, ProviderError> {
        let folder = self.folder_of(name, instance)?;
        let _place = self.backups.acquire().await;
        to.keep(move |sink| archive::pack(&folder.volume(), sink)).await
    }

    async fn restore(&self, name: &ProjectName, instance: InstanceId, from: &Source) -> Result<(), ProviderError> {
        let seat = self.seats.of(name);
        let turn = seat.turn().await;
        let folder = self.folder_of(name, instance)?;
        let project = folder.expect_project(name)?;
        if turn.is_some() || project.is_to_run() {
            let why = "its application runs, and would write to what is being replaced";
            return Err(ProviderError::refused(format!("restore {name}"), why, "suspend it first"));
        }
        let _place = self.backups.acquire().await;
        let (owner, unpacked) = (self.launcher.uid(project.slot), folder.clone());
        let outcome = from.read(move |packed| archive::unpack(&unpacked.incoming(), owner, packed)).await;
        let what = format!("put a backup back into {name}");
        on_blocking_thread(move || match outcome {
            Ok(_) => restore::swap(&folder).map_err(|cause| {
                restore::discard(&folder);
                ProviderError::unavailable(what, cause)
            }),
            Err(error) => {
                restore::discard(&folder);
                Err(error)
            }
        })
        .await
    }

    async fn inventory(&self) -> Result<Vec<Item>, ProviderError> {
        let mut items = Vec::new();
        for name in self.folders.list()? {
            let project = self.folders.of(&name).load()?;
            items.push(Item {
                kind: "project",
                id: name.to_string(),
                name: name.to_string(),
                instance: project.map(|project| project.instance),
                created_at: None,
                monthly_cost: None,
                drift: None,
            });
        }
        Ok(items)
    }

    /// So many at once keep a machine busy.
    fn most_at_once(&self) -> Option<u32> {
        Some(50)
    }

    async fn ceilings(&self) -> Result<Vec<Ceiling>, ProviderError> {
        Ok(Vec::new())
    }

    async fn check(&self) -> Vec<Check> {
        Vec::new()
    }

    async fn delete_project(&self, name: &ProjectName, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        let seat = self.seats.of(name);
        let mut turn = seat.turn().await;
        let mut removed = Vec::new();
        let folder = self.folders.of(name);
        let project = folder.load()?;
        if project.as_ref().is_some_and(|project| project.instance != instance) {
            return Ok(removed);
        }
        if let Some(supervisor) = turn.take() {
            supervisor.stop().await;
            removed.push(Removed::new("process", name.as_str()));
        }
        let path = folder.path().display().to_string();
        let was_there = on_blocking_thread(move || {
            running::clear(&folder)?;
            folder.remove()
        });
        if was_there.await? {
            removed.push(Removed::new("data folder", path));
            removed.extend(project.map(|project| Removed::new("port", ports::address(project.port).to_string())));
        }
        Ok(removed)
    }

    async fn shutdown(&self) {
        let mut stopping = tokio::task::JoinSet::new();
        for seat in self.seats.all() {
            stopping.spawn(async move {
                if let Some(supervisor) = seat.turn().await.take() {
                    supervisor.stop().await;
                }
            });
        }
        while stopping.join_next().await.is_some() {}
    }
}

impl Local {
    /// The folder of a project, if it is this instance's.
    fn folder_of(&self, name: &ProjectName, instance: InstanceId) -> Result<Folder, ProviderError> {
        let folder = self.folders.of(name);
        if folder.expect_project(name)?.instance != instance {
            return Err(ProviderError::not_found(format!("the project {name} of {instance}")));
        }
        Ok(folder)
    }

    /// Seals the token, unless it is the one that is sealed already: the same settings twice must
    /// not look like a change.
    fn stored(&self, settings: &GuardSettings, former: Option<&Configured>) -> Result<Configured, ProviderError> {
        let sealer = &self.launcher.sealer;
        let token = settings.instance_token.expose_secret().as_bytes();
        let kept = former.map(|former| &former.sealed_token).filter(|sealed| {
            sealer.open_sealed(TOKEN_PURPOSE, sealed).is_ok_and(|opened| opened.expose_secret() == token)
        });
        let sealed_token = match kept {
            Some(sealed) => sealed.clone(),
            None => sealer
                .seal(TOKEN_PURPOSE, token)
                .map_err(|cause| ProviderError::unavailable("seal an instance token", cause))?,
        };
        Ok(Configured {
            public_url: settings.public_url.clone(),
            issuer: settings.issuer.clone(),
            audience: settings.audiences.join(","),
            main_url: settings.main_url.clone(),
            main_key: settings.main_key.clone(),
            sealed_token,
            closed_off: settings.closed_off,
        })
    }
}

/// Slow is busy, not dead; not yet well is starting, for a while.
fn judge(answer: Answer, since: Instant, well_since: Option<Instant>) -> (Health, Option<String>) {
    let told = match answer {
        Answer::Well => return (Health::Ok, None),
        Answer::Slow => return (Health::Busy, None),
        Answer::Unwell => "the application does not answer",
        Answer::Silent => "the guard does not answer",
    };
    if well_since.is_none() && since.elapsed() < STARTING_AT_MOST {
        return (Health::Starting, None);
    }
    (Health::Down, Some(told.to_owned()))
}
