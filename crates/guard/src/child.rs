//! The application as a child process, when the guard is its entry point.

use std::process::{ExitStatus, Stdio};
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

/// Signals that mean something to the application and nothing to the guard: "read your settings
/// again", "open your logs anew", and what else a program makes of them.
const PASSED_ON: [(fn() -> SignalKind, Signal); 4] = [
    (SignalKind::hangup, Signal::SIGHUP),
    (SignalKind::user_defined1, Signal::SIGUSR1),
    (SignalKind::user_defined2, Signal::SIGUSR2),
    (SignalKind::window_change, Signal::SIGWINCH),
];

/// The running application.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Starts `command`; it listens on `$PORT`, may report use to `$SPINOFF_ACTIVITY_URL`, and sees
    /// none of the guard's secrets.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(crate) fn start(command: &[String], port: u16, activity: Option<&str>) -> anyhow::Result<Option<Self>> {
        let Some((program, arguments)) = command.split_first() else { return Ok(None) };
        let mut starting = Command::new(program);
        starting.args(arguments).stdin(Stdio::null()).env("PORT", port.to_string()).kill_on_drop(true);
        starting.env_remove(ACTIVITY_URL).envs(activity.map(|url| (ACTIVITY_URL, url)));
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("GUARD_") || name_text == "CLOUDFLARE_AUDIENCE" {
                starting.env_remove(&name);
            }
        }
        let child = starting
            .spawn()
            .map_err(|error| anyhow::anyhow!("the application `{program}` cannot be started: {error}"))?;
        let running = Self { child };
        if std::process::id() == 1 {
            tokio::spawn(reap_orphans(running.pid()));
        }
        for (kind, passed_on) in PASSED_ON {
            tokio::spawn(pass_on(signal(kind())?, passed_on, running.pid()));
        }
        Ok(Some(running))
    }

    /// Waits for it to end by itself.
    pub(crate) async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks it to stop, and insists after a while.
    pub(crate) async fn stop(&mut self) {
        if let Some(pid) = self.pid() {
            let _ = kill(pid, Signal::SIGTERM);
        }
        if tokio::time::timeout(LAST_CHANCE, self.child.wait()).await.is_err() {
            tracing::warn!("The application did not stop when asked; it is killed");
            let _ = self.child.kill().await;
        }
    }

    fn pid(&self) -> Option<Pid> {
        self.child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw)
    }
}

/// Passes one kind of signal on for as long as the guard runs.
async fn pass_on(mut arrived: tokio::signal::unix::Signal, signal: Signal, application: Option<Pid>) {
    while arrived.recv().await.is_some() {
        if let Some(pid) = application {
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
async fn reap_orphans(application: Option<Pid>) {
    let Ok(mut died) = signal(SignalKind::child()) else { return };
    while died.recv().await.is_some() {
        while let Some(orphan) = dead_child().filter(|dead| Some(*dead) != application) {
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
