//! Why a sandbox could not be set up: one line that names the step, the cause and what to do next.

use std::fmt::Display;

/// Exit code when the sandbox itself could not be set up; the program never started.
pub const EXIT_NO_SANDBOX: i32 = 125;
/// Exit code when the program was found and could not be executed.
pub const EXIT_CANNOT_RUN: i32 = 126;
/// Exit code when the program was not found in the view.
pub const EXIT_NOT_FOUND: i32 = 127;

/// A step of setting up the sandbox that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("sandbox: could not {step}: {cause}; {next}")]
pub struct Failure {
    /// What was tried, as a verb phrase.
    pub step: String,
    /// What the kernel or the file system answered.
    pub cause: String,
    /// What the reader can do about it.
    pub next: String,
    /// The exit code that tells callers what kind of failure this is.
    pub exit: i32,
}

impl Failure {
    pub(crate) fn new(step: impl Into<String>, cause: impl Display, next: impl Into<String>) -> Self {
        Self { step: step.into(), cause: cause.to_string(), next: next.into(), exit: EXIT_NO_SANDBOX }
    }
}

/// Turns the error of a system call into a [`Failure`] that names its step.
pub(crate) trait Step<T> {
    fn step(self, step: impl Into<String>, next: &str) -> Result<T, Failure>;
}

impl<T, E: Display> Step<T> for Result<T, E> {
    fn step(self, step: impl Into<String>, next: &str) -> Result<T, Failure> {
        self.map_err(|cause| Failure::new(step, cause, next))
    }
}

/// The advice for every step that needs a kernel feature some hosts switch off.
pub(crate) const SEE_DOCTOR: &str = "run `spinoff doctor` to see what this host lacks";
