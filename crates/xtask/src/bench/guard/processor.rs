//! Which core does what, and how long it was at it.

use std::fs;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::shell;

/// The two cores that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cores {
    /// For the program under test, alone.
    pub tested: usize,
    /// For everything around it: this thread.
    pub around: usize,
}

impl Cores {
    /// Takes two cores of those this process may use, and moves this thread to the second.
    pub fn take() -> Result<Self> {
        let allowed = sched_getaffinity(None).context("asking which cores there are")?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let (Some(tested), Some(around)) = (cores.next(), cores.next()) else {
            anyhow::bail!("one core is for the program under test and another for the load: this machine has only one");
        };
        let cores = Self { tested, around };
        only_on(cores.around)?;
        Ok(cores)
    }

    /// Does something, such as starting a program or a thread, on the core under test. What was started there
    /// stays there.
    pub fn on_tested<T>(self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        only_on(self.tested)?;
        let done = work();
        only_on(self.around)?;
        done
    }
}

/// As little of the machine in what is timed as can be, while this lives.
///
/// Both cores are kept from falling asleep, with work that gives way to any other: on a virtual machine,
/// waking a core can take longer than a request. And where we may, these processes go before all others.
pub struct Calm {
    spinning: Vec<Child>,
    hurried: Vec<u32>,
}

impl Calm {
    /// Brings it about for us and these processes, which must be idle for most of the time.
    pub fn for_us_and(pids: &[u32], cores: Cores) -> Result<Self> {
        let mut calm = Self { spinning: Vec::new(), hurried: Vec::new() };
        let spin = || {
            let mut command = Command::new("setpriv");
            // Ends with us, however we end.
            command.args(["--pdeathsig", "KILL", "chrt", "--idle", "0", "/bin/sh", "-c", "while :; do :; done"]);
            command.stdin(Stdio::null()).spawn().context("can't run setpriv and chrt of util-linux")
        };
        calm.spinning.push(spin()?);
        calm.spinning.push(cores.on_tested(spin)?);
        for pid in pids.iter().copied().chain([std::process::id()]) {
            // Root only; without it, times tell more of what else the machine does.
            if schedule(pid, "--rr", 1) {
                calm.hurried.push(pid);
            }
        }
        Ok(calm)
    }
}

impl Drop for Calm {
    fn drop(&mut self) {
        for pid in &self.hurried {
            schedule(*pid, "--other", 0);
        }
        for spinning in &mut self.spinning {
            let _ = spinning.kill();
            let _ = spinning.wait();
        }
    }
}

/// Whether all threads of a process could be put under this policy.
fn schedule(pid: u32, policy: &str, priority: u32) -> bool {
    let mut command = Command::new("chrt");
    command.args(["--all-tasks", policy, "--pid", &priority.to_string(), &pid.to_string()]);
    shell::output(&mut command).is_ok()
}

/// Seconds of processor time that all threads of these processes have taken so far.
pub fn seconds_of(pids: &[u32]) -> Result<f64> {
    let mut nanoseconds = 0.0;
    for pid in pids {
        let tasks = format!("/proc/{pid}/task");
        for task in fs::read_dir(&tasks).with_context(|| format!("reading {tasks}"))?.flatten() {
            // A thread that has ended meanwhile was a short one.
            let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else { continue };
            let running = text.split(' ').next().and_then(|word| word.parse::<f64>().ok());
            nanoseconds += running.context("this kernel does not say how long a thread has run")?;
        }
    }
    Ok(nanoseconds / 1e9)
}

fn only_on(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).with_context(|| format!("moving to core {core}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn work_takes_processor_time() {
        let this = [std::process::id()];
        let before = seconds_of(&this).unwrap();
        let mut sum = 0_u64;
        while seconds_of(&this).unwrap() - before < 0.001 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(sum > 0);
    }
}
