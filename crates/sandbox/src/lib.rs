//! Runs a program where it can reach only what it was given.
//!
//! Two profiles stand one inside the other. The *guard* profile gives an instance a network, a
//! process table and a file tree of its own, and puts the guard there as process 1. The
//! *application* profile, started by the guard, takes away what only the guard may see and adds
//! limits and a system call filter. What holds for both:
//!
//! - the program sees read-only system folders, what its [`Spec`] binds, and nothing else;
//! - it holds no capability and cannot gain one;
//! - when any process above it dies, however it dies, everything below dies with it.
//!
//! A third one, the [`Wall`], keeps what an application itself runs away from the application. It
//! needs no namespace, so it stands inside the other two and where there are none.
//!
//! Everything happens in child processes that are this same executable again, so `main` has to
//! hand over to [`run_from_args`] before it starts a thread or an async runtime.

mod capabilities;
mod cgroup;
mod death;
mod descriptors;
mod etc;
mod failure;
mod ids;
mod init;
mod inside;
mod leash;
mod limits;
mod loopback;
mod mounts;
mod order;
mod outer;
mod probe;
mod program;
mod signals;
mod spec;
mod syscalls;
mod view;
mod wall;

pub use cgroup::{Cgroup, CgroupLimits, Controller};
pub use failure::{EXIT_CANNOT_RUN, EXIT_NO_SANDBOX, EXIT_NOT_FOUND, Failure};
pub use leash::Leash;
pub use order::{SUBCOMMAND, run_from_args};
pub use probe::{Capabilities, Feature, probe, probe_with};
pub use spec::{Access, Bind, Identity, Limits, Profile, Spec};
pub use wall::{Ending, Loopback, Network, Promises, STOP, Wall};
