//! Whether the app's hostname is open to everybody.
//!
//! What holds here:
//! - Closed is the default, and what anything unreadable means. Only the operator's leave
//!   (`--app-sharing`) and the application's word together open it.
//! - It is that very hostname's: under another name, or where the operator takes the leave back, it
//!   begins closed again.
//! - What was opened is on disk before anybody is let in for it; what is closed is closed at once,
//!   whatever the disk does, and ends what visitors had open.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use access::app_site::SHARING_RECORD;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::disk;

/// Whether the app is shared, and whether it may be.
pub(crate) struct Sharing {
    /// `None` where nobody can open it.
    record: Option<Record>,
    now: Mutex<Now>,
}

struct Record {
    file: PathBuf,
    host: String,
}

#[derive(Default)]
struct Now {
    is_shared: bool,
    visits: Option<Visits>,
}

/// What visitors have open: it ends with the sharing, and with what it was opened under.
struct Visits {
    under: Arc<CancellationToken>,
    stay: Arc<CancellationToken>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    host: String,
    shared: bool,
}

impl Sharing {
    /// As it was left, for this hostname; closed for good where there is none, and what was open before
    /// does not come back with the next one.
    pub(crate) fn open(state: &Path, host: Option<&str>) -> Self {
        let file = state.join(SHARING_RECORD);
        let Some(host) = host else {
            if let Err(error) = remove(&file) {
                tracing::warn!(%error, path = %file.display(), "What says that the app was shared could not be removed");
            }
            return Self::never();
        };
        let is_shared = is_shared(&file, host);
        if is_shared {
            tracing::info!("The app at {host} is shared with everybody");
        }
        let record = Some(Record { file, host: host.to_owned() });
        Self { record, now: Mutex::new(Now { is_shared, visits: None }) }
    }

    /// Closed, and nobody can open it.
    pub(crate) fn never() -> Self {
        Self { record: None, now: Mutex::default() }
    }

    /// Whether the application may open it.
    pub(crate) fn is_allowed(&self) -> bool {
        self.record.is_some()
    }

    /// Whether it is open.
    pub(crate) fn is_shared(&self) -> bool {
        self.now().is_shared
    }

    /// Opens or closes it. The same again changes nothing.
    ///
    /// # Errors
    /// When it could not be kept: then it is closed, and may have to be closed again after a restart.
    pub(crate) fn set(&self, shared: bool) -> io::Result<()> {
        let Some(record) = &self.record else { return Ok(()) };
        let mut now = self.now();
        let was = now.is_shared;
        if !shared {
            now.close();
        }
        record.keep(shared)?;
        if was != shared {
            let what = if shared { "shared with everybody" } else { "for members only" };
            tracing::info!("The app at {} is {what} from now on", record.host);
        }
        now.is_shared = shared;
        Ok(())
    }

    /// Cancelled when visitors have to leave: when it is closed, or `under` is cancelled. `None` when it
    /// is closed already.
    pub(crate) fn stay(&self, under: Arc<CancellationToken>) -> Option<Arc<CancellationToken>> {
        let mut now = self.now();
        if !now.is_shared {
            return None;
        }
        if let Some(visits) = now.visits.as_ref().filter(|visits| Arc::ptr_eq(&visits.under, &under)) {
            return Some(Arc::clone(&visits.stay));
        }
        let stay = Arc::new(under.child_token());
        now.visits = Some(Visits { under, stay: Arc::clone(&stay) });
        Some(stay)
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Now {
    fn close(&mut self) {
        self.is_shared = false;
        if let Some(visits) = self.visits.take() {
            visits.stay.cancel();
        }
    }
}

impl Record {
    fn keep(&self, shared: bool) -> io::Result<()> {
        let stored = Stored { host: self.host.clone(), shared };
        let written = disk::replace(&self.file, &serde_json::to_vec(&stored)?);
        // A full disk still lets go of files.
        if written.is_err() && !shared { remove(&self.file) } else { written }
    }
}

fn is_shared(file: &Path, host: &str) -> bool {
    let stored = disk::read(file).and_then(|bytes| match bytes {
        Some(bytes) => Ok(Some(serde_json::from_slice::<Stored>(&bytes)?)),
        None => Ok(None),
    });
    match stored {
        Ok(stored) => stored.is_some_and(|stored| stored.shared && stored.host == host),
        Err(error) => {
            tracing::error!(%error, path = %file.display(), "Whether the app is shared can't be read: it is for members only");
            false
        }
    }
}

fn remove(file: &Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HOST: Option<&str> = Some("acme-app.test");

    #[test]
    fn it_stays_open_over_a_restart_at_its_very_hostname_and_nowhere_else() {
        let state = tempfile::tempdir().unwrap();
        let open = |host| Sharing::open(state.path(), host);
        assert!(!open(HOST).is_shared(), "closed at first");
        open(HOST).set(true).unwrap();
        assert!(open(HOST).is_shared());
        assert!(!open(Some("other-app.test")).is_shared(), "another name");
        assert!(!open(None).is_shared() && !open(None).is_allowed());
        assert!(!open(HOST).is_shared(), "leave that comes back opens nothing by itself");
        open(HOST).set(true).unwrap();
        open(HOST).set(false).unwrap();
        assert!(!open(HOST).is_shared());
    }

    #[test]
    fn what_cannot_be_read_is_closed() {
        let state = tempfile::tempdir().unwrap();
        let file = state.path().join(SHARING_RECORD);
        for text in ["", "{", "true", r#"{"shared":true}"#, r#"{"host":"acme-app.test","shared":true,"until":"x"}"#] {
            std::fs::write(&file, text).unwrap();
            assert!(!Sharing::open(state.path(), HOST).is_shared(), "{text}");
        }
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        let sharing = Sharing::open(state.path(), HOST);
        assert!(sharing.set(true).is_err() && !sharing.is_shared(), "not on disk is not open");
    }

    #[test]
    fn visits_end_with_the_sharing_and_with_the_instance() {
        let state = tempfile::tempdir().unwrap();
        let sharing = Sharing::open(state.path(), HOST);
        let instance = Arc::new(CancellationToken::new());
        assert!(sharing.stay(Arc::clone(&instance)).is_none());
        sharing.set(true).unwrap();
        let stay = sharing.stay(Arc::clone(&instance)).unwrap();
        assert!(Arc::ptr_eq(&stay, &sharing.stay(Arc::clone(&instance)).unwrap()));
        sharing.set(false).unwrap();
        assert!(stay.is_cancelled() && !instance.is_cancelled());
        sharing.set(true).unwrap();
        let stay = sharing.stay(Arc::clone(&instance)).unwrap();
        assert!(!stay.is_cancelled());
        instance.cancel();
        assert!(stay.is_cancelled());
        let next = sharing.stay(Arc::default()).unwrap();
        assert!(!next.is_cancelled(), "open again");
    }
}
