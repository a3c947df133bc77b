//! The app made has one port, so only one test at a time has an app.

use std::fs::File;

use rustix::fs::{FlockOperation, flock};

/// Where every app made listens.
pub const APP: &str = "http://127.0.0.1:3000/";

/// The right to start an app, among all tests on this machine; given back when it is dropped.
pub struct AppPort(#[expect(dead_code, reason = "it is held")] File);

impl AppPort {
    pub async fn alone() -> Self {
        let taken = tokio::task::spawn_blocking(|| {
            let file = File::create(std::env::temp_dir().join("ai-diy-app-port.lock")).unwrap();
            flock(&file, FlockOperation::LockExclusive).unwrap();
            file
        });
        Self(taken.await.unwrap())
    }
}
