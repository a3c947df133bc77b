//! Landlock: which files a walled command may open, and which ports it may use.

use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, LandlockStatus, NetPort, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError, Scope, path_beneath_rules,
};

use super::Wall;
use super::network::Reach;
use crate::etc;
use crate::failure::{Failure, Step};

/// The newest rights asked for; older kernels keep what they know of them.
const NEWEST: ABI = ABI::V10;

const NEXT: &str = "use Linux 5.13 or newer with landlock among its security modules (boot option lsm=), \
     and allow its system calls where a container runtime filters them";

/// Programs, libraries and what they read.
const SYSTEM: &[&str] =
    &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/proc", "/sys/devices/system/cpu"];

/// Of `/etc`, beside what every instance is shown.
const ETC: &[&str] = &[
    "/etc/passwd",
    "/etc/group",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/etc/host.conf",
];

/// Devices that every program expects.
const DEVICES: &[&str] = &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// How much the kernel's Landlock can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Strength(ABI);

impl Strength {
    pub(super) fn number(self) -> u32 {
        self.0 as u32
    }

    pub(super) fn walls_files(self) -> bool {
        self.0 >= ABI::V1
    }

    pub(super) fn walls_truncation(self) -> bool {
        self.0 >= ABI::V3
    }

    pub(super) fn walls_ports(self) -> bool {
        self.0 >= ABI::V4
    }

    pub(super) fn walls_signals(self) -> bool {
        self.0 >= ABI::V6
    }
}

/// Restricts this process, and all that come from it, for good.
pub(super) fn restrict(wall: &Wall, reach: &Reach) -> Result<Strength, Failure> {
    let step = "wall off the files";
    let mut rules = handled(reach).step(step, NEXT)?;
    let reading = AccessFs::from_read(NEWEST);
    let shown = SYSTEM.iter().chain(ETC).chain(etc::SHOWN).map(Path::new);
    let shown = shown.chain(wall.read_only.iter().map(|path| path.as_path()));
    rules = rules.add_rules(path_beneath_rules(shown, reading)).step(step, NEXT)?;
    rules = rules.add_rules(path_beneath_rules(DEVICES, AccessFs::ReadFile | AccessFs::WriteFile)).step(step, NEXT)?;
    let project_rights = if wall.project_is_read_only { reading } else { changing() };
    rules = add_folder(rules, &wall.project, project_rights)?;
    for folder in wall.writable.iter().chain([&wall.temporary]) {
        rules = add_folder(rules, folder, changing())?;
    }
    rules = add_ports(rules, reach).step("wall off the network", NEXT)?;
    let status = rules.restrict_self().step(step, NEXT)?;
    let strength = strength(status.landlock);
    if !strength.walls_files() {
        return Err(Failure::new(step, "this kernel has no Landlock, or it is switched off", NEXT));
    }
    Ok(strength)
}

/// What the kernel can do, found out by restricting this process, which is good for little else
/// afterwards.
pub(super) fn try_out() -> Result<Strength, Failure> {
    let rules = handled(&Reach::Nothing).step("try Landlock", NEXT)?;
    let status = rules.restrict_self().step("try Landlock", NEXT)?;
    Ok(strength(status.landlock))
}

fn strength(status: LandlockStatus) -> Strength {
    match status {
        LandlockStatus::Available { effective_abi, .. } => Strength(effective_abi),
        _ => Strength(ABI::Unsupported),
    }
}

fn handled(reach: &Reach) -> Result<RulesetCreated, RulesetError> {
    let mut ruleset = Ruleset::default().handle_access(AccessFs::from_all(NEWEST))?.scope(Scope::from_all(NEWEST))?;
    if *reach != Reach::OwnNetwork {
        ruleset = ruleset.handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?;
    }
    ruleset.create()
}

/// Everything but devices and sockets by name.
fn changing() -> BitFlags<AccessFs> {
    AccessFs::from_all(NEWEST)
        & !(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::MakeSock | AccessFs::IoctlDev | AccessFs::ResolveUnix)
}

fn add_folder(rules: RulesetCreated, path: &Path, rights: BitFlags<AccessFs>) -> Result<RulesetCreated, Failure> {
    let step = || format!("open {}", path.display());
    let folder = PathFd::new(path).step(step(), "make that folder, or look whether it was moved")?;
    rules.add_rule(PathBeneath::new(folder, rights)).step(step(), NEXT)
}

fn add_ports(mut rules: RulesetCreated, reach: &Reach) -> Result<RulesetCreated, RulesetError> {
    let Reach::Ports { connect, listen } = reach else { return Ok(rules) };
    for port in connect {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    for port in listen {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::BindTcp))?;
    }
    Ok(rules)
}
