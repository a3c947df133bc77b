//! The local compute driver with real processes. As root, instances run as users of their own;
//! otherwise in user namespaces.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backups;
mod deleting;
mod egress;
mod harness;
mod lifecycle;
mod limits;
mod restarts;
