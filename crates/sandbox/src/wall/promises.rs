//! Which promises of the wall this machine can keep, found out by a child process that tries.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::files;
use super::network::{leave_for_an_own_network, machine_has_no_way_out};
use crate::failure::Failure;
use crate::order::{Order, SUBCOMMAND};
use crate::syscalls;

/// What holds here for every walled command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promises {
    /// The version of Landlock; 0 where there is none.
    pub landlock: u32,
    /// Files outside, and memory and environment of other processes, are out of reach. Without
    /// this nothing is started.
    pub files: bool,
    /// Commands can be let to some ports and no others; else [`super::Network::Ports`] is none.
    pub ports: bool,
    /// Processes outside cannot be signalled, and what is left of a command is killed in one step.
    pub signals: bool,
    /// System calls are filtered. Without this nothing is started.
    pub system_calls: bool,
    /// What [`super::Network::Loopback`] is.
    pub loopback: Loopback,
}

/// Where servers that a command starts can be reached, by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loopback {
    /// On a loopback of its own.
    Own,
    /// On the machine's, since nothing else can be reached there.
    Shared,
    /// Nowhere.
    None,
}

impl Promises {
    /// Whether commands can be run at all.
    pub fn suffice(&self) -> bool {
        self.files && self.system_calls
    }

    /// What does not hold, each with the way to change that.
    pub fn broken(&self) -> Vec<&'static str> {
        let all = [
            (
                self.files,
                "Files cannot be walled off, so nothing is run: use Linux 5.13 or newer with landlock among its security modules (boot option lsm=).",
            ),
            (
                self.system_calls,
                "System calls cannot be filtered, so nothing is run: use a kernel with CONFIG_SECCOMP_FILTER.",
            ),
            (self.ports, "Ports cannot be told apart, so commands have no network: use Linux 6.7 or newer."),
            (self.signals, "Commands can signal other processes of the same user: use Linux 6.12 or newer."),
            (
                self.loopback != Loopback::None,
                "Tests cannot connect to servers that they start: allow network namespaces to ordinary users, or take away every network device but loopback.",
            ),
        ];
        all.into_iter().filter_map(|(holds, what)| (!holds).then_some(what)).collect()
    }

    /// Tries with this executable or another one that calls [`crate::run_from_args`].
    ///
    /// # Errors
    /// Why it cannot be found out: then nothing may be run.
    pub fn find_out(executable: &Path) -> Result<Self, String> {
        let mut trial = Command::new(executable);
        trial.arg(SUBCOMMAND).arg(Order::Promises.to_argument()).arg("--").stdin(Stdio::null());
        let done = trial.output().map_err(|cause| format!("{}: {cause}", executable.display()))?;
        serde_json::from_slice(&done.stdout)
            .map_err(|_| format!("the trial said: {}", String::from_utf8_lossy(&done.stderr).trim()))
    }
}

/// Tries everything in this process, which is good for nothing else afterwards, and prints it.
pub(crate) fn report() -> Result<i32, Failure> {
    let shared = machine_has_no_way_out();
    let own = leave_for_an_own_network();
    let strength = files::try_out()?;
    let system_calls = syscalls::deny_dangerous().is_ok();
    let loopback = match (own, shared && strength.walls_ports()) {
        (true, _) => Loopback::Own,
        (false, true) => Loopback::Shared,
        (false, false) => Loopback::None,
    };
    let promises = Promises {
        landlock: strength.number(),
        files: strength.walls_files(),
        ports: strength.walls_ports(),
        signals: strength.walls_signals(),
        system_calls,
        loopback,
    };
    println!("{}", serde_json::to_string(&promises).unwrap_or_default());
    Ok(0)
}
