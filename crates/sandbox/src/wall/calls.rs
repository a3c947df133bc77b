//! System calls that Landlock lets through and a walled command has no business making.
//!
//! Landlock looks at files as they are opened and at TCP ports as they are connected. What changes
//! a file without opening it, reaches a network without connecting, or turns a knob of another
//! process of the same user is stopped here.

use nix::libc;
use nix::unistd::getuid;
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::apply_filter;

use super::files::Strength;
use super::network::Reach;
use crate::failure::{Failure, Step};
use crate::syscalls::{self, NEXT, Rules, compile, only_if, wide};

/// Refused. Memory shared by key outlives whoever made it, and a watch on a folder tells the names
/// of files in folders that may not be listed.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_inotify_add_watch,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_ioprio_set,
    SYS_SETXATTRAT,
    SYS_REMOVEXATTRAT,
    SYS_FILE_SETATTR,
];

/// Answered as done, and not done: installers make these calls on their own files by path and give
/// up when refused, while by the same path any other file of this user would change.
const IDLE: &[libc::c_long] = &[libc::SYS_fchmodat, SYS_FCHMODAT2, libc::SYS_fchownat, libc::SYS_fchown];
#[cfg(target_arch = "x86_64")]
const IDLE_HERE: &[libc::c_long] =
    &[libc::SYS_chmod, libc::SYS_chown, libc::SYS_lchown, libc::SYS_utime, libc::SYS_utimes, libc::SYS_futimesat];
#[cfg(not(target_arch = "x86_64"))]
const IDLE_HERE: &[libc::c_long] = &[];

// The same numbers on every architecture; older libraries do not name them.
const SYS_FCHMODAT2: libc::c_long = 452;
const SYS_SETXATTRAT: libc::c_long = 463;
const SYS_REMOVEXATTRAT: libc::c_long = 466;
const SYS_FILE_SETATTR: libc::c_long = 469;

/// Sends data with the opening of a connection, past Landlock's look at connections.
const MSG_FASTOPEN: u64 = 0x2000_0000;

/// A TCP socket's kinds: with the flags that may be set with it.
const STREAMS: [i32; 4] = [
    libc::SOCK_STREAM,
    libc::SOCK_STREAM | libc::SOCK_CLOEXEC,
    libc::SOCK_STREAM | libc::SOCK_NONBLOCK,
    libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK,
];

/// Applies all filters to this process and all that come from it, for good.
pub(super) fn deny(reach: &Reach, strength: Strength) -> Result<(), Failure> {
    let mut refused = refusals(reach, strength)?;
    // Even what is idle here is refused there: nobody installs anything by that door.
    syscalls::close_other_abi(&mut refused);
    let idle = idle()?;
    for filter in [compile(refused, libc::EPERM)?, compile(idle, 0)?] {
        apply_filter(&filter).step("filter system calls", NEXT)?;
    }
    syscalls::deny_dangerous()
}

fn refusals(reach: &Reach, strength: Strength) -> Result<Rules, Failure> {
    let mut rules = Rules::new();
    for call in REFUSED {
        rules.insert(*call, Vec::new());
    }
    if !strength.walls_truncation() {
        rules.insert(libc::SYS_truncate, Vec::new());
    }
    // The first argument is the process; 0 is whoever calls.
    for call in [
        libc::SYS_prlimit64,
        libc::SYS_sched_setaffinity,
        libc::SYS_sched_setscheduler,
        libc::SYS_sched_setparam,
        libc::SYS_sched_setattr,
    ] {
        rules.insert(call, vec![only_if(0, Ne, &[0])?]);
    }
    rules.insert(libc::SYS_setpriority, vec![only_if(0, Ne, &[0])?, only_if(1, Ne, &[0])?]);
    rules.insert(libc::SYS_sendto, vec![only_if(3, MaskedEq(MSG_FASTOPEN), &[MSG_FASTOPEN])?]);
    rules.insert(libc::SYS_sendmmsg, vec![only_if(3, MaskedEq(MSG_FASTOPEN), &[MSG_FASTOPEN])?]);
    rules.insert(libc::SYS_sendmsg, vec![only_if(2, MaskedEq(MSG_FASTOPEN), &[MSG_FASTOPEN])?]);
    rules.insert(libc::SYS_socket, sockets(reach, strength)?);
    Ok(rules)
}

/// Only TCP itself and questions to the kernel about its network: datagrams, raw packets, local
/// sockets and TCP's relatives go where Landlock does not look.
fn sockets(reach: &Reach, strength: Strength) -> Result<Vec<seccompiler::SeccompRule>, Failure> {
    let reaches = match reach {
        Reach::Nothing => false,
        Reach::OwnNetwork => true,
        Reach::Ports { .. } => strength.walls_ports(),
    };
    let netlink = wide(libc::AF_NETLINK);
    let internet = [wide(libc::AF_INET), wide(libc::AF_INET6)];
    let families: Vec<u64> = if reaches { [netlink].into_iter().chain(internet).collect() } else { vec![netlink] };
    let mut refused = vec![only_if(0, Ne, &families)?];
    refused.push(syscalls::only_if_all(&[(0, Eq, netlink), (2, Ne, 0)])?);
    for family in internet {
        let not_a_stream = STREAMS.map(|kind| (1, Ne, wide(kind)));
        let conditions: Vec<_> = [(0, Eq, family)].into_iter().chain(not_a_stream).collect();
        refused.push(syscalls::only_if_all(&conditions)?);
        let other_protocol = [(0, Eq, family), (2, Ne, 0), (2, Ne, wide(libc::IPPROTO_TCP))];
        refused.push(syscalls::only_if_all(&other_protocol)?);
    }
    Ok(refused)
}

fn idle() -> Result<Rules, Failure> {
    let mut rules = Rules::new();
    for call in IDLE.iter().chain(IDLE_HERE) {
        rules.insert(*call, Vec::new());
    }
    if getuid().is_root() {
        // The system's own files are root's: an open one is enough to change its rights.
        rules.insert(libc::SYS_fchmod, Vec::new());
    }
    // Without a path it changes the times of a file that was opened.
    rules.insert(libc::SYS_utimensat, vec![syscalls::only_if_wide(1, Ne, 0)?]);
    Ok(rules)
}
