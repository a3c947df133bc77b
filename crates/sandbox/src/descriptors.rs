//! Open files that must not leak into the program.

use crate::failure::{Failure, Step};

/// Closes everything but standard input, output and error. Only for the first moment of a stage,
/// when nothing in this process owns a descriptor yet.
pub(crate) fn close_all_but_standard() -> Result<(), Failure> {
    let open: Vec<i32> = std::fs::read_dir("/proc/self/fd")
        .step("list its open files", "mount /proc on this host")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd > 2)
        .collect();
    for fd in open {
        // The listing's own descriptor is among them and closed by now.
        let _ = nix::unistd::close(fd);
    }
    Ok(())
}
