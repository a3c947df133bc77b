//! Signals as messages: a stage that waits blocks them and reads them one by one.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::failure::{Failure, SEE_DOCTOR, Step};

/// Asks to stop, and word of ended children.
pub(crate) struct Signals(SignalFd);

impl Signals {
    /// From here on, these signals wait to be read. Children inherit the block and must
    /// [`unblock_all`].
    pub(crate) fn block() -> Result<Self, Failure> {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGCHLD] {
            set.add(signal);
        }
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&set), None).step("block signals", SEE_DOCTOR)?;
        SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map(Self)
            .step("listen for signals", SEE_DOCTOR)
    }

    /// What becomes readable when a signal waits.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// The next signal; `None` after `timeout` (none: waits for ever).
    pub(crate) fn next(&self, timeout: Option<Timespec>) -> Result<Option<Signal>, Failure> {
        let mut waited = [PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN)];
        match poll(&mut waited, timeout.as_ref()) {
            Ok(0) => return Ok(None),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(cause) => return Err(Failure::new("wait for signals", cause, SEE_DOCTOR)),
        }
        let read = self
            .0
            .read_signal()
            .step("read a signal", SEE_DOCTOR)?
            .and_then(|info| Signal::try_from(info.ssi_signo.cast_signed()).ok());
        match read {
            Some(signal) => Ok(Some(signal)),
            None => self.next(timeout),
        }
    }
}

/// Gives a program the signal mask it expects.
pub(crate) fn unblock_all() -> Result<(), Failure> {
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None).step("unblock signals", SEE_DOCTOR)
}
