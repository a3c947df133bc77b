//! The application as a child process, when the guard is its entry point.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// How long a stopping application may take before it is killed.
const LAST_CHANCE: Duration = Duration::from_secs(10);

/// Where the application finds the address to report use to.
const ACTIVITY_URL: &str = "SPINOFF_ACTIVITY_URL";

/// Where the application finds the address at which it may share its app; not there where it may not.
const SHARING_URL: &str = "SPINOFF_APP_SHARING_URL";

/// Signals that mean something to the application and nothing to the guard: "read your settings
/// again", "open your logs anew", and what else a program makes of them.
const PASSED_ON: [(fn() -> SignalKind, Signal); 4] = [
    (SignalKind::hangup, Signal::SIGHUP),
    (SignalKind::user_defined1, Signal::SIGUSR1),
    (SignalKind::user_defined2, Signal::SIGUSR2),
    (SignalKind::window_change, Signal::SIGWINCH),
];

/// Between two looks whether anything is left of what a resting application started.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How the application is started, as often as it is.
pub(crate) struct Program {
    program: String,
    arguments: Vec<String>,
    port: u16,
    told: Told,
    /// Of the one that runs; 0 while none does.
    pid: Arc<AtomicI32>,
}

/// The guard's addresses that the application is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// Where it may report use.
    pub(crate) activity: Option<String>,
    /// Where it may share its app.
    pub(crate) sharing: Option<String>,
}

/// The running application.
pub(crate) struct Running {
    child: Child,
    pid: Arc<AtomicI32>,
}

impl Program {
    /// `command` listens on `$PORT`, may report use to `$SPINOFF_ACTIVITY_URL` and share its app through
    /// `$SPINOFF_APP_SHARING_URL`, and sees none of the guard's secrets. None where the application is started by others.
    ///
    /// # Errors
    /// When signals can't be passed on to it.
    pub(crate) fn new(command: &[String], port: u16, told: Told) -> anyhow::Result<Option<Self>> {
        let Some((program, arguments)) = command.split_first() else { return Ok(None) };
        let pid = Arc::new(AtomicI32::new(0));
        if std::process::id() == 1 {
            tokio::spawn(reap_orphans(Arc::clone(&pid)));
        }
        for (kind, passed_on) in PASSED_ON {
            tokio::spawn(pass_on(signal(kind())?, passed_on, Arc::clone(&pid)));
        }
        Ok(Some(Self { program: program.clone(), arguments: arguments.to_vec(), port, told, pid }))
    }

    /// Starts it.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(crate) fn start(&self) -> anyhow::Result<Running> {
        let program = &self.program;
        let mut starting = Command::new(program);
        starting.args(&self.arguments).stdin(Stdio::null()).env("PORT", self.port.to_string()).kill_on_drop(true);
        for (name, url) in [(ACTIVITY_URL, &self.told.activity), (SHARING_URL, &self.told.sharing)] {
            starting.env_remove(name).envs(url.iter().map(|url| (name, url)));
        }
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("GUARD_") || name_text == "CLOUDFLARE_AUDIENCE" {
                starting.env_remove(&name);
            }
        }
        let child = starting
            .spawn()
            .map_err(|error| anyhow::anyhow!("the application `{program}` cannot be started: {error}"))?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or_default();
        self.pid.store(pid, Ordering::SeqCst);
        Ok(Running { child, pid: Arc::clone(&self.pid) })
    }
}

impl Running {
    /// Waits for it to end by itself.
    pub(crate) async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        // The number may be another's from now on.
        self.pid.store(0, Ordering::SeqCst);
        Ok(status)
    }

    /// Asks it to stop, and insists after a while.
    pub(crate) async fn stop(&mut self) {
        if let Some(pid) = running(&self.pid) {
            let _ = kill(pid, Signal::SIGTERM);
        }
        if tokio::time::timeout(LAST_CHANCE, self.ended()).await.is_err() {
            tracing::warn!("The application did not stop when asked; it is killed");
            let _ = self.child.kill().await;
            self.pid.store(0, Ordering::SeqCst);
        }
    }

    /// Stops it, and whatever else it left running where the guard can tell: as the first process of a
    /// container, in which nothing else runs. From then on nobody writes to what it keeps.
    pub(crate) async fn stop_with_all_it_started(&mut self) {
        self.stop().await;
        if std::process::id() != 1 {
            return;
        }
        let everybody_else = Pid::from_raw(-1);
        let gone = async {
            while kill(everybody_else, Signal::SIGTERM).is_ok() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        if tokio::time::timeout(LAST_CHANCE, gone).await.is_err() {
            let _ = kill(everybody_else, Signal::SIGKILL);
        }
    }
}

fn running(pid: &AtomicI32) -> Option<Pid> {
    Some(pid.load(Ordering::SeqCst)).filter(|pid| *pid > 0).map(Pid::from_raw)
}

/// Passes one kind of signal on for as long as the guard runs.
async fn pass_on(mut arrived: tokio::signal::unix::Signal, signal: Signal, application: Arc<AtomicI32>) {
    while arrived.recv().await.is_some() {
        if let Some(pid) = running(&application) {
            let _ = kill(pid, signal);
        }
    }
}

/// The code a shell would report for how a process ended.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// As the first process of a container, the guard inherits orphans and must collect them. The
/// application itself is left to the runtime, which waits for it: a process is looked at first
/// and collected only if it is another's.
async fn reap_orphans(application: Arc<AtomicI32>) {
    let Ok(mut died) = signal(SignalKind::child()) else { return };
    while died.recv().await.is_some() {
        while let Some(orphan) = dead_child().filter(|dead| Some(*dead) != running(&application)) {
            let _ = waitpid(orphan, Some(WaitPidFlag::WNOHANG));
        }
    }
}

fn dead_child() -> Option<Pid> {
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match waitid(Id::All, look) {
        Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, _, _)) => Some(pid),
        _ => None,
    }
}
