//! The last moment before a walled command's own code runs.

use std::ffi::OsString;

use super::network::Reach;
use super::{Wall, calls, files, supervisor};
use crate::failure::{Failure, SEE_DOCTOR, Step};
use crate::{capabilities, death, descriptors, program, signals};

/// Builds the wall around this process and becomes the command; returns only on failure.
pub(crate) fn become_enclosed(wall: &Wall, supervisor: u32, command: &[OsString]) -> Failure {
    match enclose(wall, supervisor) {
        Ok(()) => program::execute(command),
        Err(failure) => failure,
    }
}

fn enclose(wall: &Wall, supervisor: u32) -> Result<(), Failure> {
    death::parent(Some(supervisor))?;
    descriptors::close_all_but_standard()?;
    nix::unistd::setsid().step("start a session", SEE_DOCTOR)?;
    let reach = Reach::of(&wall.network);
    capabilities::renounce()?;
    // After everything that changes whose rights this process has, which would undo it.
    death::follow(supervisor)?;
    supervisor::apply_limits(wall)?;
    let strength = files::restrict(wall, &reach)?;
    std::env::set_current_dir(&wall.project)
        .step(format!("enter {}", wall.project.display()), "make the project folder, or look whether it was moved")?;
    signals::unblock_all()?;
    calls::deny(&reach, strength)
}
