//! Where a sealed backup goes to, and where it comes from.

use std::io::{self, Read, Write};
use std::sync::Arc;

use archive::{Archive, open, seal};
use tokio::sync::oneshot;

use crate::ProviderError;
use crate::storage::{ObjectName, Storage};

pub use archive::{Contents, Identity, Kept, Recipient, Trouble, disclose, enclose};

/// Where a backup goes.
#[derive(Clone)]
pub struct Target {
    /// Keeps it.
    pub storage: Arc<dyn Storage>,
    /// As it is called there.
    pub name: ObjectName,
    /// For whom it is encrypted.
    pub recipient: Recipient,
}

/// Where a backup comes from.
#[derive(Clone)]
pub struct Source {
    /// Keeps it.
    pub storage: Arc<dyn Storage>,
    /// As it is called there.
    pub name: ObjectName,
    /// What opens it.
    pub identity: Identity,
    /// The SHA-256 of what is kept, as it was when it was put there.
    pub sha256: String,
    /// How many bytes are kept.
    pub bytes: u64,
}

impl Target {
    /// Keeps what `pack` writes, sealed: all of it or nothing. `pack` runs beside the async threads.
    ///
    /// # Errors
    /// Unavailable when it could not be packed or kept.
    pub async fn keep(
        &self,
        pack: impl FnOnce(&mut dyn Write) -> io::Result<Contents> + Send + 'static,
    ) -> Result<Kept, ProviderError> {
        let recipient = self.recipient.clone();
        let (tell, told) = oneshot::channel();
        let archive = Archive::written_by(move |sink| {
            // Nobody waits for it any more if this fails.
            let _ = tell.send(seal(&recipient, sink, pack)?);
            Ok(())
        });
        self.storage.put(&self.name, archive).await?;
        told.await.map_err(|_| ProviderError::unavailable(format!("pack {}", self.name), "it was broken off"))
    }
}

impl Source {
    /// Opens it and lets `unpack` read what was packed, beside the async threads. What `unpack` made of it may only be used
    /// once this has succeeded: that it is whole and unchanged shows at its end.
    ///
    /// # Errors
    /// Not found when it is not there; refused when it was changed, cut off, or is for another key; unavailable when
    /// the way to it failed, or `unpack` did.
    pub async fn read<T: Send + 'static>(
        &self,
        unpack: impl FnOnce(&mut dyn Read) -> io::Result<T> + Send + 'static,
    ) -> Result<T, ProviderError> {
        let archive = self.storage.get(&self.name).await?;
        let what = format!("open {}", self.name);
        let (identity, sum) = (self.identity.clone(), self.sha256.clone());
        let work = move || open(archive.into_reader(), &identity, &sum, unpack).map_err(|trouble| told(&trouble, what));
        match tokio::task::spawn_blocking(work).await {
            Ok(outcome) => outcome,
            Err(cause) => Err(ProviderError::unavailable(format!("open {}", self.name), cause)),
        }
    }
}

/// What it means for the next try.
pub(crate) fn told(trouble: &Trouble, what: String) -> ProviderError {
    match trouble {
        Trouble::Fetching(_) | Trouble::Unpacking(_) => ProviderError::unavailable(what, trouble),
        Trouble::Damaged(_) => ProviderError::refused(what, trouble, "use another backup"),
        Trouble::OtherKey => ProviderError::refused(what, trouble, "use a backup of the same instance"),
    }
}

#[cfg(test)]
mod tests;
