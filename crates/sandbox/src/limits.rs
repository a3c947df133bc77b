//! What one process, or one user, may use up.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::Limits;
use crate::failure::{Failure, Step};

/// How much sooner the kernel picks an application than the server when memory runs out.
const VICTIM_SCORE: &str = "500";

/// Applies the limits to this process and all that come from it.
pub(crate) fn apply(limits: &Limits) -> Result<(), Failure> {
    limit(Resource::RLIMIT_CORE, 0)?;
    limit(Resource::RLIMIT_NPROC, limits.processes)?;
    limit(Resource::RLIMIT_FSIZE, limits.file_bytes)?;
    limit(Resource::RLIMIT_NOFILE, limits.open_files)?;
    if let Some(bytes) = limits.memory_bytes {
        limit(Resource::RLIMIT_DATA, bytes)?;
    }
    Ok(())
}

/// A crashing guard must not leave its memory, and its secrets, in a file.
pub(crate) fn leave_no_core() -> Result<(), Failure> {
    limit(Resource::RLIMIT_CORE, 0)
}

/// Offers this process to the kernel when memory runs out. Hosts may forbid it; the limits hold
/// without it.
pub(crate) fn offer_as_victim() {
    let _ = std::fs::write("/proc/self/oom_score_adj", VICTIM_SCORE);
}

fn limit(resource: Resource, wanted: u64) -> Result<(), Failure> {
    const NEXT: &str = "raise the limits of the service that runs the server";
    let step = || format!("set {resource:?}");
    let (_, hard) = getrlimit(resource).step(step(), NEXT)?;
    let value = wanted.min(hard);
    setrlimit(resource, value, value).step(step(), NEXT)
}
