//! The one network device of an instance. A new network namespace has it, switched off.

use std::io::Error;
use std::os::fd::AsRawFd;

use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};

use crate::failure::{Failure, Step};

const NEXT: &str = "run `spinoff doctor`: this kernel lacks network namespaces";

// Numbers of the kernel's route netlink protocol (linux/netlink.h, linux/rtnetlink.h, linux/if.h).
const RTM_NEWLINK: u16 = 16;
const NLMSG_ERROR: u16 = 2;
const NLM_F_REQUEST_ACK: u16 = 0x1 | 0x4;
const IFF_UP: u32 = 1;
/// The loopback device is the first of every network namespace.
const LOOPBACK: i32 = 1;
const HEADER_BYTES: usize = 16;
const LINK_BYTES: usize = 16;

/// Switches the loopback device on.
pub(crate) fn up() -> Result<(), Failure> {
    let step = "switch the private network's loopback on";
    let kernel = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)
        .step(step, NEXT)?;
    let to_kernel = NetlinkAddr::new(0, 0);
    sendto(kernel.as_raw_fd(), &set_up_message(), &to_kernel, MsgFlags::empty()).step(step, NEXT)?;
    let mut answer = [0_u8; 256];
    let length = recv(kernel.as_raw_fd(), &mut answer, MsgFlags::empty()).step(step, NEXT)?;
    verdict(&answer[..length.min(answer.len())]).step(step, NEXT)
}

/// A header (length, kind, flags, sequence, sender), then the link (family, kind, index, flags,
/// which flags to change).
fn set_up_message() -> Vec<u8> {
    let length = u32::try_from(HEADER_BYTES + LINK_BYTES).unwrap_or(u32::MAX);
    let mut message = Vec::with_capacity(HEADER_BYTES + LINK_BYTES);
    message.extend(length.to_ne_bytes());
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(NLM_F_REQUEST_ACK.to_ne_bytes());
    message.extend(1_u32.to_ne_bytes());
    message.extend(0_u32.to_ne_bytes());
    message.extend([0; 4]);
    message.extend(LOOPBACK.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    message
}

/// An acknowledgement is an error message with the number 0.
fn verdict(answer: &[u8]) -> Result<(), Error> {
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    let number =
        answer.get(HEADER_BYTES..HEADER_BYTES + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, number) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(()),
        (Some(NLMSG_ERROR), Some(number)) => Err(Error::from_raw_os_error(-number)),
        _ => Err(Error::other("the kernel's answer was not understood")),
    }
}
