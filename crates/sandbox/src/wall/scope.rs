//! A supervisor that can signal its descendants and nobody else. That makes "kill everything I
//! may signal" one step of the kernel's, which no process can outrun by forking.

use landlock::{CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr as _, RulesetStatus, Scope};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getppid};

/// Proof that this process's signals reach its descendants only.
pub(crate) struct Scoped(());

/// Puts this process into a domain of its own; `None` where the kernel cannot (before Linux 6.12).
pub(crate) fn enter() -> Option<Scoped> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .scope(Scope::Signal)
        .and_then(Ruleset::create)
        .and_then(|ruleset| ruleset.no_new_privs(true).restrict_self())
        .ok()?;
    // The parent is outside: if it can still be signalled, nothing here may be believed.
    let parent_is_out_of_reach = getppid().as_raw() == 0 || kill(getppid(), None) == Err(Errno::EPERM);
    (status.ruleset == RulesetStatus::FullyEnforced && parent_is_out_of_reach).then_some(Scoped(()))
}

impl Scoped {
    /// Kills all descendants at once.
    pub(crate) fn kill_all(&self) {
        // With nobody left there is nobody to signal, which is no error here.
        let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
    }
}
