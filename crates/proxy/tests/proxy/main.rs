//! The proxy between real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backpressure;
mod draining;
mod forwarding;
mod framing;
mod http2;
mod limits;
mod support;
mod tls;
mod websocket;
