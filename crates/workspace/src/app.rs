//! What every request shares.

use std::sync::Arc;

use tokio::sync::watch;

use crate::events::Changes;
use crate::history::Signature;
use crate::library::{Library, LibraryError};
use crate::moment;
use crate::visitor::Visitor;

/// The library, and who hears of changes to it.
#[derive(Clone)]
pub struct App {
    library: Arc<Library>,
    /// Tells open pages of changes.
    pub changes: Changes,
    /// Becomes true when the program is about to stop.
    pub closing: watch::Receiver<bool>,
}

impl App {
    /// An app on a library, until `closing`.
    #[must_use]
    pub fn new(library: Library, closing: watch::Receiver<bool>) -> Self {
        Self { library: Arc::new(library), changes: Changes::default(), closing }
    }

    /// Does work on the library where waiting for the disk holds up nobody else.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn library<T, E>(&self, work: impl FnOnce(&Library) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<LibraryError> + Send + 'static,
    {
        let library = Arc::clone(&self.library);
        let done = tokio::task::spawn_blocking(move || work(&library)).await;
        done.unwrap_or_else(|error| Err(LibraryError::Disk(std::io::Error::other(error)).into()))
    }

    /// The visitor's signature under a change made now.
    #[must_use]
    pub fn sign(&self, by: Visitor) -> Signature {
        Signature { by, at: moment::now() }
    }
}
