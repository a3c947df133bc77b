//! One executable, several lives: the argument after `sandbox` says which stage this process is.

use std::ffi::OsString;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::leash::Leash;
use crate::{Spec, Wall, inside, outer, probe, program, wall};

/// The hidden subcommand under which the executable must call [`run_from_args`].
pub const SUBCOMMAND: &str = "sandbox";

/// What a stage is told. Only [`Order::Start`], [`Order::Leash`] and [`Order::Wall`] are ever
/// written by somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// The outermost stage: leaves the host's namespaces, then waits.
    Start(Spec),
    /// Process 1 of the new namespaces; `starter` is the outermost stage.
    Inside { starter: u32, spec: Box<Spec> },
    /// The last moment before the application's own code.
    Become(Spec),
    /// No wall at all: a plain program that still dies with whoever started it.
    Leash(Leash),
    /// Tries one kernel feature.
    Probe(probe::Trial),
    /// Stands beside a walled command and leaves nothing of it behind.
    Wall(Box<Wall>),
    /// The last moment before a walled command's own code.
    Enclose { supervisor: u32, wall: Box<Wall> },
    /// Tries what the wall can promise.
    Promises,
}

impl Order {
    pub(crate) fn to_argument(&self) -> String {
        // Only strings, numbers and paths that came from UTF-8: this cannot fail, and an empty
        // argument would be refused by the reader with a message.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Plays the stage named by `order_json` and returns the exit code for `main`. Call it first
/// thing in `main`, before any thread exists: namespaces are entered by the calling thread only.
///
/// Exit codes: the program's own, 128 + the signal that ended it, or [`crate::EXIT_NO_SANDBOX`],
/// [`crate::EXIT_CANNOT_RUN`], [`crate::EXIT_NOT_FOUND`] with one line on standard error.
pub fn run_from_args(order_json: &str, command: &[OsString]) -> i32 {
    match play(order_json, command) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit
        }
    }
}

fn play(order_json: &str, command: &[OsString]) -> Result<i32, Failure> {
    let order: Order = serde_json::from_str(order_json)
        .map_err(|cause| Failure::new("read its order", cause, "this subcommand is for the server, not for people"))?;
    match order {
        Order::Start(spec) => outer::start(&spec, command),
        Order::Inside { starter, spec } => inside::run(&spec, starter, command),
        Order::Become(spec) => Err(program::become_application(&spec, command)),
        Order::Leash(leash) => Err(leash.become_program(command)),
        Order::Probe(trial) => trial.run().map(|()| 0),
        Order::Wall(wall) => wall::supervise(&wall, command),
        Order::Enclose { supervisor, wall } => Err(wall::become_enclosed(&wall, supervisor, command)),
        Order::Promises => wall::report_promises(),
    }
}

/// This executable again, in its next life. The magic link works even where no path leads to the
/// executable any more.
pub(crate) fn again(order: &Order, command: &[OsString]) -> Command {
    use std::os::unix::process::CommandExt;
    let mut next = Command::new("/proc/self/exe");
    next.arg0("spinoff").arg(SUBCOMMAND).arg(order.to_argument()).arg("--").args(command);
    next
}

/// The exit code of a process that a signal ended, as shells count it.
pub(crate) fn exit_code_of_signal(signal: i32) -> i32 {
    128 + signal
}
