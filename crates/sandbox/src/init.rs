//! Process 1 of an application's namespaces: starts the application, reaps what is left behind,
//! passes on what asks it to stop. When it exits, the kernel kills everything it leaves.

use std::ffi::OsString;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::event::Timespec;
use rustix::time::{ClockId, clock_gettime};

use crate::Spec;
use crate::failure::{Failure, SEE_DOCTOR, Step};
use crate::order::{Order, again, exit_code_of_signal};
use crate::signals::Signals;

/// Runs the application and returns its exit code.
pub(crate) fn run(spec: &Spec, command: &[OsString]) -> Result<i32, Failure> {
    // Hides this process's files under /proc, its memory above all, from the application.
    prctl::set_dumpable(false).step("hide from the application", SEE_DOCTOR)?;
    let signals = Signals::block()?;
    let order = Order::Become(spec.without_environment());
    let child = again(&order, command).spawn().step("start the application", SEE_DOCTOR)?;
    let application = Pid::from_raw(child.id().cast_signed());
    let outcome = attend(application, &signals)?;
    if outcome.stop_was_asked {
        linger(application, spec.linger_seconds, &signals)?;
    }
    Ok(outcome.exit)
}

struct Outcome {
    exit: i32,
    stop_was_asked: bool,
}

fn attend(application: Pid, signals: &Signals) -> Result<Outcome, Failure> {
    let mut stop_was_asked = false;
    loop {
        match signals.next(None)? {
            Some(Signal::SIGCHLD) => {
                if let Some(exit) = reap(application) {
                    return Ok(Outcome { exit, stop_was_asked });
                }
            }
            Some(signal) => {
                stop_was_asked |= signal != Signal::SIGHUP;
                pass_on(application, signal);
            }
            None => {}
        }
    }
}

/// Reaps every child that ended; the application's exit code if it was among them.
fn reap(application: Pid) -> Option<i32> {
    let mut exit = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid == application => exit = Some(code),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == application => {
                exit = Some(exit_code_of_signal(signal as i32));
            }
            Ok(WaitStatus::StillAlive) | Err(_) => return exit,
            Ok(_) => {}
        }
    }
}

/// To the whole group: a shell that merely waits for the application must not be the only one who
/// hears it. Before the application has a group of its own, to the process itself.
fn pass_on(application: Pid, signal: Signal) {
    if killpg(application, signal) == Err(Errno::ESRCH) {
        let _ = kill(application, signal);
    }
}

/// Lets the rest of the application's group finish after a stop was asked.
fn linger(application: Pid, seconds: u64, signals: &Signals) -> Result<(), Failure> {
    let until = clock_gettime(ClockId::Monotonic).tv_sec + seconds.cast_signed();
    while killpg(application, None).is_ok() {
        let left = until - clock_gettime(ClockId::Monotonic).tv_sec;
        if left <= 0 {
            break;
        }
        let timeout = Timespec { tv_sec: left, tv_nsec: 0 };
        match signals.next(Some(timeout))? {
            Some(Signal::SIGCHLD) => drop(reap(application)),
            Some(signal) => pass_on(application, signal),
            None => {}
        }
    }
    Ok(())
}
