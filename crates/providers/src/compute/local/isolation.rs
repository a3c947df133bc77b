//! Whether this host can wall instances off; found out once, when it first matters.

use std::path::PathBuf;

use tokio::sync::OnceCell;

use super::{Isolation, LocalSettings};

pub(super) struct Walls {
    isolation: Isolation,
    executable: PathBuf,
    refusal: OnceCell<Option<String>>,
}

impl Walls {
    pub(super) fn new(settings: &LocalSettings) -> Self {
        Self { isolation: settings.isolation, executable: settings.executable.clone(), refusal: OnceCell::new() }
    }

    /// Why no instance may be started; `None` when they may.
    pub(super) async fn refusal(&self) -> Option<String> {
        if self.isolation == Isolation::InsecureNone {
            return None;
        }
        let executable = self.executable.clone();
        let probed = self.refusal.get_or_init(|| async {
            match tokio::task::spawn_blocking(move || sandbox::probe_with(&executable).refusal()).await {
                Ok(refusal) => refusal,
                Err(cause) => Some(format!("This host could not be probed: {cause}.")),
            }
        });
        probed.await.clone()
    }
}
