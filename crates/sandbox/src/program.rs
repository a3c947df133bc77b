//! The last moment before somebody else's code runs.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::failure::{EXIT_CANNOT_RUN, EXIT_NOT_FOUND, Failure, SEE_DOCTOR, Step};
use crate::{Spec, limits, signals, syscalls};

/// Replaces this process by the guard; returns only on failure.
pub(crate) fn become_guard(command: &[OsString]) -> Failure {
    match signals::unblock_all() {
        Ok(()) => execute(command),
        Err(failure) => failure,
    }
}

/// Replaces this process by the application, in a session of its own, with limits and the system
/// call filter; returns only on failure.
pub(crate) fn become_application(spec: &Spec, command: &[OsString]) -> Failure {
    match prepare(spec) {
        Ok(()) => execute(command),
        Err(failure) => failure,
    }
}

fn prepare(spec: &Spec) -> Result<(), Failure> {
    nix::unistd::setsid().step("start a session", SEE_DOCTOR)?;
    limits::apply(&spec.limits)?;
    signals::unblock_all()?;
    syscalls::deny_dangerous()
}

/// Replaces this process by a command; returns only on failure.
pub(crate) fn execute(command: &[OsString]) -> Failure {
    let Some((program, arguments)) = command.split_first() else {
        return Failure::new("run the program", "no command was given", "put it after `--`");
    };
    let cause = Command::new(program).args(arguments).exec();
    let exit = match cause.kind() {
        ErrorKind::NotFound => EXIT_NOT_FOUND,
        _ => EXIT_CANNOT_RUN,
    };
    Failure {
        exit,
        ..Failure::new(
            format!("run {}", program.display()),
            cause,
            "inside there are only the system's folders and what is bound: check the path and \
             that every user may execute it",
        )
    }
}
