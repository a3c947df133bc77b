//! One container: the guard, which starts the application, as plain processes that die with this one.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use providers::compute::local::Spawner;
use proxy::{Address, Timeouts, Upstream};
use sandbox::{Leash, SUBCOMMAND};
use simulators::railway::{self, Report};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// For a health check that says nothing of its own.
const HEALTH_SECONDS: u64 = 300;
/// Between two looks at the health of a new container, and the longest wait for an answer.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
const ANSWER: Duration = Duration::from_secs(5);
/// So often is a container started again that failed, with this pause before.
const RESTARTS: u32 = 10;
const BEFORE_RESTART: Duration = Duration::from_secs(1);
/// How long a container may take to stop; its guard gives the application ten seconds.
const GRACE: Duration = Duration::from_secs(15);
/// What Railway calls itself when it asks for the health of a container.
const PROBER: &str = "healthcheck.railway.app";

/// What the image of every container holds, whatever it is called.
#[derive(Debug, Clone)]
pub struct Program {
    /// This executable, which is the guard as well.
    pub executable: PathBuf,
    /// Starts the application, as a shell command.
    pub command: String,
    /// What stands for the network's names here: where the guard finds what it would look up.
    pub variables: Vec<(String, String)>,
    /// Where it is found what containers wrote.
    pub logs: PathBuf,
}

/// A deployment and what it runs with.
pub struct Container {
    spec: railway::Container,
    program: Arc<Program>,
    spawner: Arc<Spawner>,
    /// Its volume, or where it would be.
    data: PathBuf,
    /// Stays open over restarts, so that whoever comes meanwhile waits.
    listener: TcpListener,
    address: SocketAddr,
}

impl Container {
    /// Opens the container's door. Nothing runs yet.
    ///
    /// # Errors
    /// When there is no port or no folder for it.
    pub fn new(
        spec: railway::Container,
        program: &Arc<Program>,
        spawner: &Arc<Spawner>,
        volumes: &Path,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let name = spec.volume.as_ref().map_or(&spec.deployment, |(volume, _)| volume);
        let data = volumes.join(name);
        fs::create_dir_all(&data)?;
        fs::create_dir_all(&program.logs)?;
        Ok(Self { spec, program: Arc::clone(program), spawner: Arc::clone(spawner), data, listener, address })
    }

    /// The way to its guard.
    pub fn upstream(&self) -> Upstream {
        Upstream::new(Address::Tcp(self.address.to_string()), Timeouts::default())
    }

    /// Runs until it is told to stop, or failed too often. `report` is told how it fares.
    pub async fn run(
        self,
        claim: Option<Arc<tokio::sync::Mutex<()>>>,
        report: impl Fn(&str, Report) + Send + Sync,
        stop: CancellationToken,
    ) {
        let _claimed = match claim {
            Some(claim) => tokio::select! {
                claimed = claim.lock_owned() => Some(claimed),
                () = stop.cancelled() => return,
            },
            None => None,
        };
        let id = self.spec.deployment.clone();
        let mut judging = pin!(async {
            if self.spec.is_new {
                report(&id, self.judge().await);
            }
            std::future::pending::<Infallible>().await
        });
        for _ in 0..=RESTARTS {
            let mut child = match self.start().await {
                Ok(child) => child,
                Err(error) => {
                    tracing::warn!("A container of {} can't be started: {error}", self.spec.project);
                    break;
                }
            };
            let leader = pid(&child);
            tokio::select! {
                ended = child.wait() => {
                    let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                    tracing::warn!("A container of {} ended: {how}; see {}", self.spec.project, self.log().display());
                    kill_rest(leader);
                }
                () = stop.cancelled() => return end(child).await,
                never = &mut judging => match never {},
            }
            tokio::select! {
                () = tokio::time::sleep(BEFORE_RESTART) => {}
                () = stop.cancelled() => return,
                never = &mut judging => match never {},
            }
        }
        report(&id, Report::Crashed);
    }

    /// Whether its health check passes within its time.
    async fn judge(&self) -> Report {
        let Some(path) = &self.spec.health_path else { return Report::Healthy };
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER).build();
        let Ok(http) = http else { return Report::Unhealthy };
        let (url, host) = (format!("http://{}{path}", self.address), PROBER);
        let passes = async {
            while !http.get(&url).header("host", host).send().await.is_ok_and(|answer| answer.status() == 200) {
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
        };
        let time = Duration::from_secs(self.spec.health_seconds.unwrap_or(HEALTH_SECONDS));
        match tokio::time::timeout(time, passes).await {
            Ok(()) => Report::Healthy,
            Err(_) => Report::Unhealthy,
        }
    }

    async fn start(&self) -> io::Result<Child> {
        let log = self.open_log()?;
        let executable = &self.program.executable;
        let mut command = Command::new(executable);
        command.env_clear().envs(self.variables()?).current_dir(&self.data);
        // Programs of this machine are what runs here, so they are looked for as they are here.
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)).into_iter().collect::<Vec<(_, OsString)>>());
        command.args([SUBCOMMAND, &Leash::leader(std::process::id()).to_argument(), "--"]);
        command.arg(executable).args(["guard", "--"]).arg(executable);
        command.args([SUBCOMMAND, &Leash::follower().to_argument(), "--", "/bin/sh", "-c", &self.program.command]);
        let listener = OwnedFd::from(self.listener.try_clone()?);
        command.stdin(Stdio::from(listener)).stdout(log.try_clone()?).stderr(log);
        self.spawner.spawn(command).await
    }

    /// The variables that the deployment was made with, and what a container has beside them. A volume
    /// is a folder here and not mounted, so what names its place names the folder.
    fn variables(&self) -> io::Result<BTreeMap<String, String>> {
        let data = self.data.display().to_string();
        let mount = self.spec.volume.as_ref().map(|(_, mount)| mount.as_str());
        let moved = |value: &String| {
            let rest = mount.and_then(|mount| value.strip_prefix(mount));
            let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with('/'));
            rest.map_or_else(|| value.clone(), |rest| format!("{data}{rest}"))
        };
        let mut all: BTreeMap<String, String> =
            self.spec.variables.iter().map(|(name, value)| (name.clone(), moved(value))).collect();
        // All containers share this machine's loopback, where each needs a port of its own.
        let inside = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let own = [
            ("GUARD_LISTEN", "inherited".to_owned()),
            ("GUARD_UPSTREAM", format!("http://{inside}")),
            ("LANG", "C.UTF-8".to_owned()),
            ("HOME", data),
            // Railway adds it when a container starts.
            ("RAILWAY_DEPLOYMENT_ID", self.spec.deployment.clone()),
        ];
        all.extend(own.map(|(name, value)| (name.to_owned(), value)));
        all.extend(self.program.variables.iter().cloned());
        Ok(all)
    }

    fn log(&self) -> PathBuf {
        self.program.logs.join(format!("{}.log", self.spec.project))
    }

    fn open_log(&self) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(self.log())
    }
}

/// Asks a container to stop, and insists after a while.
async fn end(mut child: Child) {
    let leader = pid(&child);
    if let Some(pid) = leader {
        let _ = kill(pid, Signal::SIGTERM);
    }
    let ended = tokio::time::timeout(GRACE, child.wait()).await;
    kill_rest(leader);
    if ended.is_err() {
        // It is killed by now.
        let _ = child.wait().await;
    }
}

/// Whatever is left of the session that a container leads or led.
fn kill_rest(leader: Option<Pid>) {
    if let Some(leader) = leader {
        let _ = killpg(leader, Signal::SIGKILL);
    }
}

fn pid(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw)
}
