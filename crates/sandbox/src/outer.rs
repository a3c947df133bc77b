//! The outermost stage: leaves the host's namespaces, starts process 1 of the new ones, and waits
//! for it, passing on what asks it to stop.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::failure::{Failure, SEE_DOCTOR, Step};
use crate::order::{Order, again, exit_code_of_signal};
use crate::signals::Signals;
use crate::{Profile, Spec, capabilities, cgroup, death, descriptors, ids, limits};

/// Runs the whole sandbox and returns the program's exit code.
pub(crate) fn start(spec: &Spec, command: &[OsString]) -> Result<i32, Failure> {
    let parent = death::parent(spec.starter)?;
    descriptors::close_all_but_standard()?;
    cgroup::join(&spec.cgroup)?;
    if spec.profile == Profile::Application {
        limits::offer_as_victim();
    }
    ids::enter(spec.profile)?;
    death::follow(parent)?;
    let signals = Signals::block()?;
    let first = start_first_process(spec, command)?;
    capabilities::drop_all()?;
    wait_for(first, &signals)
}

fn start_first_process(spec: &Spec, command: &[OsString]) -> Result<Pid, Failure> {
    let order = Order::Inside { starter: std::process::id(), spec: Box::new(spec.without_environment()) };
    let mut first = again(&order, command);
    first.env_clear().envs(environment(spec));
    if spec.profile == Profile::Application {
        // Standard input carries the guard's listener; the application has no business with it.
        first.stdin(Stdio::null());
    }
    let child = first.spawn().step("start the first process inside", SEE_DOCTOR)?;
    Ok(Pid::from_raw(child.id().cast_signed()))
}

/// The program's whole environment.
#[allow(clippy::disallowed_methods, reason = "handing variables over to the program is this function's purpose")]
fn environment(spec: &Spec) -> BTreeMap<String, OsString> {
    let given = spec.env.iter().map(|(name, value)| (name.clone(), value.into()));
    let passed = spec.pass_env.iter().filter_map(|(name, source)| Some((name.clone(), std::env::var_os(source)?)));
    given.chain(passed).collect()
}

fn wait_for(first: Pid, signals: &Signals) -> Result<i32, Failure> {
    loop {
        match signals.next(None)? {
            Some(Signal::SIGCHLD) => {
                match waitpid(first, Some(WaitPidFlag::WNOHANG))
                    .step("wait for the first process inside", SEE_DOCTOR)?
                {
                    WaitStatus::Exited(_, code) => return Ok(code),
                    WaitStatus::Signaled(_, signal, _) => {
                        return Ok(exit_code_of_signal(signal as i32));
                    }
                    _ => {}
                }
            }
            // The first process may have ended meanwhile: then word of that comes next.
            Some(signal) => drop(kill(first, signal)),
            None => {}
        }
    }
}
