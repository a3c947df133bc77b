//! Leaving the host's namespaces and its root user.

use std::fs;

use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::unistd::{Gid, Uid, getegid, geteuid, setgroups, setresgid, setresuid};

use crate::capabilities;
use crate::failure::{Failure, Step};
use crate::{Identity, Profile};

/// The user and group a program finds itself as wherever a user namespace maps them.
pub(crate) const INSIDE_ID: u32 = 1000;

const NO_NAMESPACES: &str = "this host does not allow it; run `spinoff doctor` for the ways out";

/// Enters the namespaces of a profile with the rights it runs with, holding the capabilities that
/// the next stage needs to build its view.
pub(crate) fn enter(profile: Profile) -> Result<(), Failure> {
    let own = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWCGROUP;
    match profile {
        Profile::Guard { identity: Identity::Uid(uid) } => {
            leave(own | CloneFlags::CLONE_NEWNET)?;
            become_user(uid)?;
        }
        Profile::Guard { identity: Identity::Namespace } => enter_user_namespace(own | CloneFlags::CLONE_NEWNET)?,
        Profile::Application => enter_user_namespace(own)?,
    }
    capabilities::carry_over()
}

/// The user id that the program of a profile sees itself as.
pub(crate) fn seen_inside(profile: Profile) -> u32 {
    match profile {
        Profile::Guard { identity: Identity::Uid(uid) } => uid,
        _ => INSIDE_ID,
    }
}

/// Leaves the host's namespaces named by `flags`.
pub(crate) fn leave(flags: CloneFlags) -> Result<(), Failure> {
    unshare(flags).step("leave the host's namespaces", NO_NAMESPACES)
}

/// Enters a user namespace in which this user is [`INSIDE_ID`], and further ones.
pub(crate) fn enter_user_namespace(further: CloneFlags) -> Result<(), Failure> {
    let (uid, gid) = (geteuid(), getegid());
    if uid.is_root() {
        return Err(Failure::new(
            "enter a user namespace",
            "root would stay root over everything it can see",
            "run the server as an ordinary user, or give the guard a user id of its own",
        ));
    }
    leave(CloneFlags::CLONE_NEWUSER | further)?;
    for (file, line) in [
        ("/proc/self/setgroups", "deny".to_owned()),
        ("/proc/self/uid_map", format!("{INSIDE_ID} {uid} 1")),
        ("/proc/self/gid_map", format!("{INSIDE_ID} {gid} 1")),
    ] {
        fs::write(file, line).step(format!("write {file}"), NO_NAMESPACES)?;
    }
    Ok(())
}

/// Stops being root, for good, but for the capabilities.
pub(crate) fn become_user(uid: u32) -> Result<(), Failure> {
    const NEXT: &str = "give the server a range of unused user ids that this host maps";
    if uid == 0 {
        return Err(Failure::new("become another user", "user id 0 is root", NEXT));
    }
    let step = || format!("become user {uid}");
    prctl::set_keepcaps(true).step(step(), NEXT)?;
    setgroups(&[]).step(step(), NEXT)?;
    let gid = Gid::from_raw(uid);
    setresgid(gid, gid, gid).step(step(), NEXT)?;
    let uid = Uid::from_raw(uid);
    setresuid(uid, uid, uid).step(step(), NEXT)?;
    // The change made this process undumpable, which hides its own /proc files from it.
    prctl::set_dumpable(true).step(step(), NEXT)
}
