//! What is left where isolation was switched off by hand: a plain program of the host that dies
//! with whoever started it.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, SEE_DOCTOR, Step};
use crate::order::Order;
use crate::{Cgroup, cgroup, death, descriptors, program, signals};

/// Runs a program without any wall, bound to the life of its parent. It keeps the environment it
/// is started with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leash {
    starter: Option<u32>,
    own_session: bool,
    cgroup: Vec<PathBuf>,
}

impl Leash {
    /// For whoever starts others: `starter` is the process that starts it, and the program leads a
    /// session of its own, by whose number all of it can be signalled.
    pub fn leader(starter: u32) -> Self {
        Self { starter: Some(starter), own_session: true, ..Self::default() }
    }

    /// For what a leader starts; it stays in the leader's session.
    pub fn follower() -> Self {
        Self::default()
    }

    /// Puts everything into this group of the host's resource control.
    #[must_use]
    pub fn cgroup(mut self, group: &Cgroup) -> Self {
        self.cgroup = group.membership_files();
        self
    }

    /// The argument that [`crate::run_from_args`] understands.
    pub fn to_argument(&self) -> String {
        Order::Leash(self.clone()).to_argument()
    }

    /// Returns only on failure.
    pub(crate) fn become_program(self, command: &[OsString]) -> Failure {
        match self.prepare() {
            Ok(()) => program::execute(command),
            Err(failure) => failure,
        }
    }

    fn prepare(self) -> Result<(), Failure> {
        let parent = death::parent(self.starter)?;
        descriptors::close_all_but_standard()?;
        cgroup::join(&self.cgroup)?;
        signals::unblock_all()?;
        if self.own_session {
            nix::unistd::setsid().step("start a session", SEE_DOCTOR)?;
        }
        death::follow(parent)
    }
}
