//! The process that stands beside a walled command: it starts it, watches it, and leaves nothing
//! of it behind.

use std::ffi::OsString;
use std::io::stdin;
use std::os::fd::AsFd as _;
use std::process::Stdio;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, getuid};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::time::{ClockId, clock_gettime};

use super::scope::{self, Scoped};
use super::{Ending, STOP, Wall, descendants};
use crate::failure::{EXIT_NO_SANDBOX, Failure, SEE_DOCTOR, Step};
use crate::order::{Order, again, exit_code_of_signal};
use crate::signals::Signals;
use crate::{capabilities, descriptors, limits};

/// Threads of the user that come and go while a command starts.
const SPARE_THREADS: u64 = 16;

/// Runs the command, tells its [`Ending`] on standard input, and returns the exit code.
pub(crate) fn run(wall: &Wall, command: &[OsString]) -> Result<i32, Failure> {
    let ending = match attend(wall, command) {
        Ok(ending) => ending,
        Err(failure) => {
            tell(&Ending::NotStarted(failure.to_string()));
            return Err(failure);
        }
    };
    tell(&ending);
    Ok(match ending {
        Ending::Exited(code) => code,
        Ending::Killed(signal) => exit_code_of_signal(signal),
        Ending::NotStarted(_) => EXIT_NO_SANDBOX,
        _ => exit_code_of_signal(Signal::SIGKILL as i32),
    })
}

/// Nobody may be left to hear it, which changes nothing.
fn tell(ending: &Ending) {
    let line = serde_json::to_string(ending).unwrap_or_default() + "\n";
    let _ = rustix::io::write(stdin().as_fd(), line.as_bytes());
}

fn attend(wall: &Wall, command: &[OsString]) -> Result<Ending, Failure> {
    descriptors::close_all_but_standard()?;
    prctl::set_dumpable(false).step("hide from the command", SEE_DOCTOR)?;
    prctl::set_child_subreaper(true).step("take in orphans", SEE_DOCTOR)?;
    let scoped = scope::enter();
    let signals = Signals::block()?;
    let mut inside = wall.without_environment();
    // The kernel counts a user's processes, the limit is meant for this command's.
    inside.limits.processes += descendants::threads_of_user(getuid().as_raw()) + SPARE_THREADS;
    let order = Order::Enclose { supervisor: std::process::id(), wall: Box::new(inside) };
    let mut first = again(&order, command);
    first.env_clear().envs(&wall.env).stdin(Stdio::null());
    let child = first.spawn().step("start the command", SEE_DOCTOR)?;
    capabilities::drop_all()?;
    let command = Pid::from_raw(child.id().cast_signed());
    let mut watch = Watch { wall, command, since: now(), stop_by: None };
    let ending = watch.until_it_ends(&signals);
    let ended = kill_everything(scoped.as_ref(), command, &signals)?;
    Ok(ending?.or(ended).unwrap_or(Ending::Stopped))
}

struct Watch<'a> {
    wall: &'a Wall,
    command: Pid,
    since: i64,
    /// When what was asked to stop has to be gone.
    stop_by: Option<i64>,
}

impl Watch<'_> {
    /// Returns why the command has to go, or `None` once it ended by itself.
    fn until_it_ends(&mut self, signals: &Signals) -> Result<Option<Ending>, Failure> {
        loop {
            if has_ended(self.command) {
                return Ok(self.stop_by.map(|_| Ending::Stopped));
            }
            if let Some(ending) = self.excess() {
                return Ok(Some(ending));
            }
            if let Asked::ToStopAtOnce = self.listen(signals)? {
                return Ok(Some(Ending::Stopped));
            }
        }
    }

    fn excess(&self) -> Option<Ending> {
        if self.stop_by.is_some_and(|by| now() >= by) {
            return Some(Ending::Stopped);
        }
        if let Some(seconds) = self.wall.seconds.filter(|seconds| now() - self.since >= seconds.cast_signed()) {
            return Some(Ending::TookTooLong(seconds));
        }
        let all = descendants::of(getpid().as_raw());
        let most = self.wall.limits.processes;
        if all.threads > most {
            return Some(Ending::TooManyProcesses(most));
        }
        let memory = self.wall.memory_in_all?;
        (all.memory_bytes > memory).then_some(Ending::TooMuchMemory(memory))
    }

    /// Waits for word from the holder of the stream, for a signal, or for the next look around.
    fn listen(&mut self, signals: &Signals) -> Result<Asked, Failure> {
        let input = stdin();
        let mut waited = [
            PollFd::new(&input, PollFlags::IN | PollFlags::HUP),
            PollFd::from_borrowed_fd(signals.fd(), PollFlags::IN),
        ];
        match poll(&mut waited, Some(&self.pause())) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(cause) => return Err(Failure::new("wait for word", cause, SEE_DOCTOR)),
        }
        if !waited[0].revents().is_empty() {
            let mut byte = [0];
            match rustix::io::read(input.as_fd(), &mut byte) {
                Ok(1) if byte == [STOP] => self.ask_to_stop(),
                Ok(1) | Err(rustix::io::Errno::INTR) => {}
                _ => return Ok(Asked::ToStopAtOnce),
            }
        }
        match signals.next(Some(Timespec { tv_sec: 0, tv_nsec: 0 }))? {
            Some(Signal::SIGCHLD) | None => {}
            Some(_) => self.ask_to_stop(),
        }
        Ok(Asked::ToGoOn)
    }

    /// What runs for long is looked at less often, since a fork bomb is the kernel's to stop too.
    fn pause(&self) -> Timespec {
        match self.wall.seconds {
            Some(_) => Timespec { tv_sec: 0, tv_nsec: 200_000_000 },
            None => Timespec { tv_sec: 1, tv_nsec: 0 },
        }
    }

    fn ask_to_stop(&mut self) {
        self.stop_by.get_or_insert(now() + self.wall.linger_seconds.cast_signed());
        if killpg(self.command, Signal::SIGTERM) == Err(Errno::ESRCH) {
            let _ = kill(self.command, Signal::SIGTERM);
        }
    }
}

enum Asked {
    ToGoOn,
    ToStopAtOnce,
}

/// Looks without reaping, so that the number stays the command's until everything is gone.
fn has_ended(command: Pid) -> bool {
    use nix::sys::wait::{Id, waitid};
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    !matches!(waitid(Id::Pid(command), flags), Ok(WaitStatus::StillAlive))
}

/// Kills and reaps until no descendant is left; how the command itself ended.
fn kill_everything(scoped: Option<&Scoped>, command: Pid, signals: &Signals) -> Result<Option<Ending>, Failure> {
    let mut ended = None;
    loop {
        match scoped {
            Some(scoped) => scoped.kill_all(),
            None => kill_one_by_one(),
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == command => ended = Some(Ending::Exited(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == command => {
                    ended = Some(Ending::Killed(signal as i32));
                }
                Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => break,
                Err(_) => return Ok(ended),
                Ok(_) => {}
            }
        }
        signals.next(Some(Timespec { tv_sec: 0, tv_nsec: 20_000_000 }))?;
    }
}

/// For kernels without scopes: first everything is frozen, so that nothing forks away meanwhile.
fn kill_one_by_one() {
    for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
        for pid in descendants::of(getpid().as_raw()).pids {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

fn now() -> i64 {
    clock_gettime(ClockId::Monotonic).tv_sec
}

/// The limits of a command; all but its processes count for each of them.
pub(super) fn apply_limits(wall: &Wall) -> Result<(), Failure> {
    limits::offer_as_victim();
    limits::apply(&wall.limits)
}
