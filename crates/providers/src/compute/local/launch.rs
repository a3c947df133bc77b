//! Starting an instance: its port, its group, its note, its log, and then its processes.

use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::Arc;

use domain::ProjectName;
use nix::unistd::geteuid;
use sandbox::{Cgroup, CgroupLimits, Identity};
use secrecy::ExposeSecret as _;
use tokio::net::unix::pipe;
use tokio::process::Child;
use tokio::sync::Semaphore;
use world::{Clock, Sealer};

use super::deployment::Deployment;
use super::egress::Egress;
use super::folder::{Configured, Folder, Project};
use super::journal::Journal;
use super::running::Running;
use super::spawner::Spawner;
use super::{Isolation, LocalSettings, ports, processes};
use crate::ProviderError;

/// What a guard's instance token is sealed for.
pub(super) const TOKEN_PURPOSE: &str = "local instance token";

/// Starts instances.
pub(super) struct Launcher {
    pub(super) settings: LocalSettings,
    pub(super) sealer: Arc<Sealer>,
    pub(super) spawner: Spawner,
    pub(super) clock: Clock,
    /// For the tunnels of all instances.
    pub(super) room: Arc<Semaphore>,
}

/// An instance that was started.
pub(super) struct Launched {
    pub(super) child: Child,
    pub(super) running: Running,
    pub(super) log: tokio::task::JoinHandle<()>,
    /// Closes with the run.
    _egress: Option<Egress>,
}

impl Launcher {
    /// Starts a deployed project. What an earlier run left is removed first.
    pub(super) async fn launch(
        &self,
        name: &ProjectName,
        folder: &Folder,
        project: &Project,
    ) -> Result<Launched, ProviderError> {
        let (Some(configured), Some(release)) = (&project.configured, &project.release) else {
            return Err(ProviderError::refused(format!("start {name}"), "it is not deployed", "deploy it first"));
        };
        let step = |what: &str| {
            let what = format!("{what} {name}");
            move |cause: io::Error| ProviderError::unavailable(what, cause)
        };
        let listener = TcpListener::bind(ports::address(project.port)).map_err(step("take the port of"))?;
        let group = self.group(project);
        // Noted before anything runs in it, so that a crash in between leaves nothing unknown.
        Running { process: None, group: group.clone() }.note(folder)?;
        folder.show_activity_rules(release).map_err(step("write the rules about use of"))?;
        let token = self.token(configured)?;
        let deployment = Deployment { settings: &self.settings, name, folder, project, configured, release, token };
        let egress = self.egress(folder, project).map_err(step("open the way out of"))?;
        let mut command = match self.settings.isolation {
            Isolation::Sandbox => {
                let identity = self.uid(project.slot).map_or(Identity::Namespace, Identity::Uid);
                deployment.walled(identity, group.as_ref())
            }
            Isolation::InsecureNone => deployment.plain(group.as_ref()).map_err(step("start"))?,
        };
        let (reader, writer) = io::pipe().map_err(step("open the log of"))?;
        let also = writer.try_clone().map_err(step("open the log of"))?;
        command.stdin(Stdio::from(OwnedFd::from(listener))).stdout(writer).stderr(also);
        let child = self.spawner.spawn(command).await.map_err(step("start"))?;
        let process = child.id().and_then(processes::Identity::of);
        let running = Running { process, group };
        running.note(folder)?;
        let journal = Journal::open(&folder.logs(), self.clock.clone()).map_err(step("open the log of"))?;
        let reader = pipe::Receiver::from_owned_fd(reader.into()).map_err(step("open the log of"))?;
        let log = tokio::spawn(journal.keep(reader));
        Ok(Launched { child, running, log, _egress: egress })
    }

    /// The user id of an instance; none where the server is not root and cannot give any.
    pub(super) fn uid(&self, slot: u32) -> Option<u32> {
        let walled = self.settings.isolation == Isolation::Sandbox;
        (walled && geteuid().is_root()).then(|| self.settings.first_uid.saturating_add(slot))
    }

    /// Without walls the whole network is open anyway.
    fn egress(&self, folder: &Folder, project: &Project) -> io::Result<Option<Egress>> {
        let rules = &self.settings.egress;
        let walled = self.settings.isolation == Isolation::Sandbox;
        let open = || Egress::open(folder, project.instance, rules.clone(), Arc::clone(&self.room));
        let closed_off = project.configured.as_ref().is_some_and(|configured| configured.closed_off);
        (walled && !closed_off && !rules.is_empty()).then(open).transpose()
    }

    fn token(&self, configured: &Configured) -> Result<String, ProviderError> {
        let opened = self.sealer.open_sealed(TOKEN_PURPOSE, &configured.sealed_token).map_err(|cause| {
            ProviderError::refused("open an instance token", cause, "restore the key file, or configure it again")
        })?;
        Ok(String::from_utf8_lossy(opened.expose_secret()).into_owned())
    }

    /// Where the host allows none, limits for each process remain.
    fn group(&self, project: &Project) -> Option<Cgroup> {
        let limits = &self.settings.limits;
        let wanted = CgroupLimits {
            memory_bytes: Some(limits.memory_bytes),
            processes: Some(limits.processes),
            cpu_thousandths: Some(limits.cpu_thousandths),
        };
        match Cgroup::create(&format!("spinoff-{}", project.instance), &wanted) {
            Ok(group) => Some(group),
            Err(cause) => {
                tracing::debug!(instance.id = %project.instance, "No control group for {}: {cause}", project.instance);
                None
            }
        }
    }
}
