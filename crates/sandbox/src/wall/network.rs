//! Which network a walled command has in the end, given what this machine offers.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;

use nix::sched::CloneFlags;
use nix::unistd::geteuid;

use super::Network;
use crate::{ids, loopback};

/// What the kernel chooses from when nobody says otherwise.
const USUAL_EPHEMERAL: RangeInclusive<u16> = 32_768..=60_999;

/// What is within reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    /// No socket of the internet at all.
    Nothing,
    /// A network of its own, in which everything is its own.
    OwnNetwork,
    /// These ports; Landlock keeps it to them.
    Ports { connect: BTreeSet<u16>, listen: BTreeSet<u16> },
}

impl Reach {
    /// Takes this process out of the machine's network where that is asked and possible.
    pub(super) fn of(network: &Network) -> Self {
        match network {
            Network::None => Self::Nothing,
            Network::Ports { connect, listen } => Self::Ports { connect: connect.clone(), listen: listen.clone() },
            Network::Loopback { .. } if leave_for_an_own_network() => Self::OwnNetwork,
            Network::Loopback { except } if machine_has_no_way_out() => {
                let connect: BTreeSet<u16> = ephemeral().filter(|port| !except.contains(port)).collect();
                // Port 0 stands for one that the kernel chooses.
                let listen = connect.iter().copied().chain([0]).collect();
                Self::Ports { connect, listen }
            }
            Network::Loopback { .. } => Self::Nothing,
        }
    }
}

/// Whether this process now has a network of its own with nothing but a loopback. If it fails on
/// the way, this process is left with less than before, never with more.
pub(super) fn leave_for_an_own_network() -> bool {
    let left = match geteuid().is_root() {
        true => ids::leave(CloneFlags::CLONE_NEWNET),
        false => ids::enter_user_namespace(CloneFlags::CLONE_NEWNET),
    };
    left.and_then(|()| loopback::up()).is_ok()
}

/// Whether loopback is the only device of this network. What cannot be read counts as a way out.
pub(super) fn machine_has_no_way_out() -> bool {
    let Ok(devices) = fs::read_to_string("/proc/net/dev") else { return false };
    only_loopback(&devices)
}

fn only_loopback(devices: &str) -> bool {
    let mut names = devices.lines().filter_map(|line| Some(line.split_once(':')?.0.trim()));
    names.all(|name| name == "lo")
}

fn ephemeral() -> RangeInclusive<u16> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = range.split_whitespace().map(str::parse);
    match (ends.next(), ends.next()) {
        (Some(Ok(first)), Some(Ok(last))) if first >= 1024 => first..=last,
        _ => USUAL_EPHEMERAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_device_beside_loopback_is_a_way_out() {
        let head = "Inter-|   Receive\n face |bytes    packets\n";
        assert!(only_loopback(&format!("{head}    lo: 0 0\n")));
        assert!(!only_loopback(&format!("{head}    lo: 0 0\n  eth0: 0 0\n")));
    }
}
