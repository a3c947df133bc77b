//! Ports of guards: chosen once, below the range from which the kernel takes ports for outgoing
//! connections, and kept for as long as the project lives.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::ProviderError;

const HOW_MANY: u16 = 8000;

/// The address of a port on this machine's loopback.
pub(super) fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A port that no project has and nobody listens on.
pub(super) fn choose(first: u16, taken: &[u16]) -> Result<u16, ProviderError> {
    (first..=first.saturating_add(HOW_MANY))
        .filter(|port| !taken.contains(port))
        .find(|port| TcpListener::bind(address(*port)).is_ok())
        .ok_or_else(|| {
            ProviderError::refused(
                "choose a port for a new instance",
                format!("all of {HOW_MANY} ports from {first} are in use"),
                "free some, or configure another range",
            )
        })
}

/// A free port for a program that is not walled off, chosen anew at each start.
pub(super) fn any() -> std::io::Result<u16> {
    Ok(TcpListener::bind(address(0))?.local_addr()?.port())
}
