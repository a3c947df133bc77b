//! HTTP forwarding. Knows no identity: who may pass is decided before a request gets here.
//!
//! What holds here:
//! - Bodies stream in both directions; nothing is collected, so memory does not depend on size.
//! - Headers that concern one hop only are removed in both directions. They go when an
//!   [`Outbound`] is made, before the caller adds headers of its own, so that a client cannot have
//!   those removed by naming them in `Connection`.
//! - A tunnel is opened for WebSocket requests only, and only after the upstream agreed (101).
//! - A request is sent a second time only when it cannot have had an effect, or when it is
//!   idempotent, has no body, and was lost on a connection that had been kept for reuse.
//! - A request that two servers could read differently is refused before an upstream sees any of it;
//!   one whose body turns out to be of that kind is broken off.
//! - Connections are counted, tunnels among them: neither all clients nor one of them can take up
//!   more than a given number. Nor does one stay who sends too slowly, or takes nothing of what is
//!   sent to it.
//! - When the client leaves, the upstream sees it; when the upstream's answer is cut, the client
//!   sees it cut.

mod body;
mod connection;
mod framing;
#[cfg(fuzzing)]
pub mod fuzzing;
mod hop_by_hop;
mod http1;
mod http2;
mod outbound;
mod pool;
mod room;
mod server;
mod small_writes;
mod spare;
mod translation;
mod tunnel;
mod upstream;
mod watch;
mod wire;

pub use body::{Body, BoxError};
pub use outbound::{NotForwardable, Outbound};
pub use server::{Limits, Listener, serve};
pub use upstream::{Address, ForwardError, Timeouts, Upstream};
pub use watch::ClientWatch;
