use std::time::Duration;

use async_trait::async_trait;
use domain::{InstanceId, ProjectName};
use jiff::SignedDuration;
use providers::backup::{Contents, Kept, Source, Target};
use providers::compute::{Archive, Compute, Door, GuardSettings, Health, Observation, Origin, Release, Tempo};
use providers::inventory::{Ceiling, Check, Item};
use providers::{ProviderError, Removed};

use super::{Host, Project};
use crate::support::project::Content;
use crate::support::release::Flaw;

/// Whoever is slower than that is given up.
const PATIENCE: SignedDuration = SignedDuration::from_secs(90);

#[async_trait]
impl Compute for Host {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn create_project(&self, project: &ProjectName, instance: InstanceId) -> Result<(), ProviderError> {
        let what = "creating a project";
        let fortune = self.ask(what, project).await?;
        let (now, mut state) = (self.clock.now(), self.look());
        let found = state.projects.entry(project.clone()).or_insert_with(|| Project::new(instance, now));
        if found.instance != instance {
            return Err(ProviderError::refused(what, "the name is taken", "choose another"));
        }
        fortune.answer(what, ())
    }

    async fn configure(&self, project: &ProjectName, _settings: &GuardSettings) -> Result<(), ProviderError> {
        let fortune = self.ask("configuring", project).await?;
        self.change(project, |_, _| ())?;
        fortune.answer("configuring", ())
    }

    /// What runs goes on running until the other one is there.
    async fn deploy(&self, project: &ProjectName, release: &Release) -> Result<(), ProviderError> {
        let what = "deploying";
        let fortune = self.ask(what, project).await?;
        let real = self.look().releases[&release.version].clone();
        let takes = self.takes(project, &release.version);
        let left = self.change(project, |found, now| {
            if found.version().as_deref() == Some(&release.version) && found.coming.is_none() {
                return Ok(None);
            }
            if found.coming.as_ref().is_none_or(|(coming, _)| coming.number != real.number) {
                found.coming = Some((real.clone(), now + takes));
            }
            let left = found.left(now).filter(|left| left.is_positive());
            if left.is_some() {
                return Ok(left);
            }
            if found.running.is_some() && found.flaw(self.chance, &real) == Some(Flaw::FailsToStart) {
                found.coming = None;
                return Err(ProviderError::refused(what, "it ended at once", "look at its log"));
            }
            found.install(self.chance, real, now);
            Ok(None)
        })??;
        match left {
            Some(left) => Err(ProviderError::not_yet("it is being started", left)),
            None => fortune.answer(what, ()),
        }
    }

    async fn register_hostname(&self, project: &ProjectName, hostname: &str) -> Result<Origin, ProviderError> {
        let fortune = self.ask("registering a hostname", project).await?;
        self.change(project, |found, _| found.hostnames.insert(hostname.to_owned()))?;
        self.look().by_hostname.insert(hostname.to_owned(), project.clone());
        fortune.answer("registering a hostname", Origin::Address(self.guards))
    }

    async fn hostname_ready(&self, _project: &ProjectName, _hostname: &str) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn release_hostname(&self, project: &ProjectName, hostname: &str) -> Result<Vec<Removed>, ProviderError> {
        let fortune = self.ask("releasing a hostname", project).await?;
        let mut state = self.look();
        let gone = state.projects.get_mut(project).is_some_and(|found| found.hostnames.remove(hostname));
        state.by_hostname.remove(hostname);
        drop(state);
        let removed = if gone { vec![Removed::new("hostname", hostname)] } else { Vec::new() };
        fortune.answer("releasing a hostname", removed)
    }

    async fn door(&self, project: &ProjectName, hostname: &str) -> Result<Option<Door>, ProviderError> {
        let is_there = self.look().projects.contains_key(project);
        Ok(is_there.then(|| Door {
            http: self.way.clone(),
            url: format!("http://{}", self.guards),
            host: hostname.to_owned(),
            asleep: false,
        }))
    }

    async fn suspend(&self, project: &ProjectName) -> Result<(), ProviderError> {
        let fortune = self.ask("suspending", project).await?;
        self.change(project, Project::suspend)?;
        fortune.answer("suspending", ())
    }

    async fn resume(&self, project: &ProjectName) -> Result<(), ProviderError> {
        let fortune = self.ask("resuming", project).await?;
        self.change(project, |found, now| found.resume(self.chance, now))?;
        fortune.answer("resuming", ())
    }

    async fn observe(&self, project: &ProjectName) -> Result<Option<Observation>, ProviderError> {
        let now = self.clock.now();
        let state = self.look();
        Ok(state.projects.get(project).map(|found| {
            let hour = now.as_second() / 3600;
            let sleeps = self.chance.thousandths(("sleeps", project.as_str(), hour), 200);
            let health = match found.running {
                Some(_) if sleeps => Health::Asleep,
                Some(_) => Health::Ok,
                None => Health::Down,
            };
            let (version, detail) = (found.version(), None);
            Observation { health, at: now, version, restarts: 0, memory_bytes: None, detail }
        }))
    }

    async fn logs(&self, _project: &ProjectName, _lines: usize) -> Result<String, ProviderError> {
        Ok(String::new())
    }

    async fn observe_all(&self, projects: &[ProjectName]) -> Result<Vec<(ProjectName, Observation)>, ProviderError> {
        let mut seen = Vec::new();
        for project in projects {
            seen.extend(self.observe(project).await?.map(|observation| (project.clone(), observation)));
        }
        Ok(seen)
    }

    fn observe_every(&self) -> Duration {
        Duration::from_mins(1)
    }

    fn puts_to_sleep(&self) -> bool {
        true
    }

    fn patience(&self) -> SignedDuration {
        SignedDuration::from_hours(2)
    }

    fn tempo(&self) -> Tempo {
        let between = self.manners.rate.per / i32::try_from(self.manners.rate.number).unwrap();
        Tempo { update: SignedDuration::from_mins(1), between: between * 5, patience: PATIENCE }
    }

    fn exports(&self) -> Result<(), &'static str> {
        Err("Nothing can be downloaded here.")
    }

    async fn export(&self, project: &ProjectName, _instance: InstanceId) -> Result<Archive, ProviderError> {
        Err(ProviderError::refused(format!("exporting {project}"), "nothing is given out", "ask somebody else"))
    }

    fn backs_up(&self) -> Result<(), &'static str> {
        Ok(())
    }

    async fn back_up(&self, project: &ProjectName, _instance: InstanceId, to: &Target) -> Result<Kept, ProviderError> {
        let fortune = self.ask("backing up", project).await?;
        let content = self.change(project, |found, now| {
            found.work(now);
            found.content.clone()
        })?;
        let text = serde_json::to_vec(&content).unwrap();
        self.look().taken.insert(to.name.to_string(), content);
        let kept = to
            .keep(move |sink| {
                sink.write_all(&text)?;
                Ok(Contents { files: 1, bytes: text.len() as u64, left_out: 0 })
            })
            .await?;
        fortune.answer("backing up", kept)
    }

    async fn restore(&self, project: &ProjectName, _instance: InstanceId, from: &Source) -> Result<(), ProviderError> {
        let fortune = self.ask("restoring", project).await?;
        let runs = self.change(project, |found, _| found.running.is_some() && !found.is_suspended)?;
        if runs {
            return Err(ProviderError::refused(format!("restore {project}"), "it runs", "suspend it first"));
        }
        let content: Content = from.read(|packed| serde_json::from_reader(packed).map_err(Into::into)).await?;
        let name = from.name.to_string();
        self.change(project, |found, now| {
            found.work(now);
            found.content = content.clone();
            found.put_back = Some((name, content));
        })?;
        fortune.answer("restoring", ())
    }

    async fn inventory(&self) -> Result<Vec<Item>, ProviderError> {
        Ok(Vec::new())
    }

    async fn ceilings(&self) -> Result<Vec<Ceiling>, ProviderError> {
        Ok(Vec::new())
    }

    async fn check(&self) -> Vec<Check> {
        Vec::new()
    }

    async fn delete_project(&self, project: &ProjectName, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        let fortune = self.ask("deleting a project", project).await?;
        let mut state = self.look();
        let is_its_own = state.projects.get(project).is_some_and(|found| found.instance == instance);
        let removed = is_its_own && state.projects.remove(project).is_some();
        drop(state);
        let removed = if removed { vec![Removed::new("project", project.to_string())] } else { Vec::new() };
        fortune.answer("deleting a project", removed)
    }

    async fn shutdown(&self) {}
}
