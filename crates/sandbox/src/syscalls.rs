//! System calls an application has no business making. A deny list, since applications are
//! arbitrary; what it closes are the doors through which kernels are usually attacked, and those
//! that would let one process of the instance take over another.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};

use crate::failure::{Failure, Step};

pub(crate) const NEXT: &str = "run `spinoff doctor`: this kernel lacks system call filters";

/// Refused with "operation not permitted", whatever the arguments.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_fanotify_init,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    libc::SYS_lookup_dcookie,
];

/// Only x86 has these.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[libc::c_long] = &[
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS_ustat,
    libc::SYS_sysfs,
    libc::SYS__sysctl,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[libc::c_long] = &[];

/// The 32-bit-pointer variant of x86-64 shares the architecture's number but not the call numbers:
/// without these entries every rule could be walked around there.
#[cfg(target_arch = "x86_64")]
const OTHER_ABI_BIT: i64 = 0x4000_0000;

const ANY_NAMESPACE: &[i32] = &[
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

const ALLOWED_FAMILIES: &[i32] = &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// What `personality` may be asked: to be ordinary, and to tell what it is.
const ALLOWED_PERSONALITIES: &[u64] = &[0, 0xffff_ffff];

/// Applies the filters to this process and all that come from it, for good.
pub(crate) fn deny_dangerous() -> Result<(), Failure> {
    for filter in [refusals()?, clone3_is_absent()?] {
        apply_filter(&filter).step("filter system calls", NEXT)?;
    }
    Ok(())
}

pub(crate) type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn refusals() -> Result<BpfProgram, Failure> {
    let mut rules = Rules::new();
    for call in REFUSED.iter().chain(REFUSED_HERE) {
        rules.insert(*call, Vec::new());
    }
    let namespaces = ANY_NAMESPACE
        .iter()
        .map(|flag| only_if(0, SeccompCmpOp::MaskedEq(wide(*flag)), &[wide(*flag)]))
        .collect::<Result<_, _>>()?;
    rules.insert(libc::SYS_clone, namespaces);
    let families: Vec<u64> = ALLOWED_FAMILIES.iter().copied().map(wide).collect();
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        rules.insert(call, vec![only_if(0, SeccompCmpOp::Ne, &families)?]);
    }
    rules.insert(libc::SYS_personality, vec![only_if(0, SeccompCmpOp::Ne, ALLOWED_PERSONALITIES)?]);
    let typing_for_others = [libc::TIOCSTI, libc::TIOCLINUX]
        .into_iter()
        .map(|request| only_if(1, SeccompCmpOp::Eq, &[request]))
        .collect::<Result<_, _>>()?;
    rules.insert(libc::SYS_ioctl, typing_for_others);
    close_other_abi(&mut rules);
    compile(rules, libc::EPERM)
}

/// Its flags lie in memory, where a filter cannot look. Without it, libraries fall back to `clone`.
fn clone3_is_absent() -> Result<BpfProgram, Failure> {
    compile(Rules::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)
}

#[cfg(target_arch = "x86_64")]
pub(crate) fn close_other_abi(rules: &mut Rules) {
    // Calls with their own number there (linux/asm/unistd_x32.h), in one stretch.
    const OWN_NUMBERS: std::ops::RangeInclusive<i64> = 512..=547;
    let shared: Vec<i64> = rules.keys().copied().collect();
    for number in shared.into_iter().chain(OWN_NUMBERS) {
        rules.insert(number | OTHER_ABI_BIT, Vec::new());
    }
    rules.insert(libc::SYS_clone3 | OTHER_ABI_BIT, Vec::new());
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn close_other_abi(_rules: &mut Rules) {}

/// Matches when the argument compares so with every one of the values.
pub(crate) fn only_if(argument: u8, operator: SeccompCmpOp, values: &[u64]) -> Result<SeccompRule, Failure> {
    let conditions: Vec<_> = values.iter().map(|value| (argument, operator.clone(), *value)).collect();
    only_if_all(&conditions)
}

/// Matches when all the arguments compare so, each with its value.
pub(crate) fn only_if_all(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, Failure> {
    let condition = |(argument, operator, value): &(u8, SeccompCmpOp, u64)| {
        SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, operator.clone(), *value)
    };
    let conditions = conditions.iter().map(condition).collect::<Result<_, _>>();
    SeccompRule::new(conditions.step("write a system call filter", NEXT)?).step("write a system call filter", NEXT)
}

/// Matches when the whole argument, an address for example, compares so.
pub(crate) fn only_if_wide(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, Failure> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Qword, operator, value);
    SeccompRule::new(vec![condition.step("write a system call filter", NEXT)?]).step("write a system call filter", NEXT)
}

pub(crate) fn compile(rules: Rules, answer: i32) -> Result<BpfProgram, Failure> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)
        .step("filter system calls", "use a 64-bit x86, ARM or RISC-V host")?;
    // A call of another architecture ends the process: seccompiler puts that check first.
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(answer.unsigned_abs()), architecture)
        .and_then(BpfProgram::try_from)
        .step("write a system call filter", NEXT)
}

pub(crate) fn wide(number: i32) -> u64 {
    u64::from(number.cast_unsigned())
}
