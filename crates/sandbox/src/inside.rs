//! Process 1 of the new namespaces: builds the view, gives up its privileges, and becomes the
//! guard or the application's init.

use std::ffi::OsString;

use crate::failure::{Failure, SEE_DOCTOR, Step};
use crate::{Profile, Spec, capabilities, death, descriptors, init, limits, loopback};
use crate::{program, view};

/// Returns the application's exit code; for a guard it returns only on failure.
pub(crate) fn run(spec: &Spec, starter: u32, command: &[OsString]) -> Result<i32, Failure> {
    death::follow_from_inside(starter)?;
    descriptors::close_all_but_standard()?;
    nix::unistd::sethostname(&spec.hostname).step("set the private hostname", SEE_DOCTOR)?;
    if matches!(spec.profile, Profile::Guard { .. }) {
        loopback::up()?;
    }
    view::build(spec)?;
    capabilities::renounce()?;
    std::env::set_current_dir(&spec.workdir)
        .step(format!("enter {}", spec.workdir.display()), "bind a folder there that this user may enter")?;
    match spec.profile {
        Profile::Guard { .. } => {
            limits::leave_no_core()?;
            Err(program::become_guard(command))
        }
        Profile::Application => init::run(spec, command),
    }
}
