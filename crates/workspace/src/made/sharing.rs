//! Who sees the app: members, until an owner lets everybody see it. The guard in front keeps that door,
//! and is asked how it stands; this program only says what an owner wants, and who wanted it.
//!
//! Nothing here opens it by itself: not a start, not a restart, not data that come back from a backup.

use std::io;

use tokio::sync::MutexGuard;

use super::{DoorError, Entry, Made, Open, Wish};
use crate::history::Signature;

/// Why the app was not shared, or not made private.
#[derive(Debug, thiserror::Error)]
pub enum SharingError {
    /// Nobody here can share it.
    #[error("The app cannot be shared here: whoever runs this service does not offer it.")]
    NotOffered,
    /// The guard did not do it.
    #[error("It could not be switched: {0}. Who sees the app is as it was; try again in a moment.")]
    Door(DoorError),
    /// The guard did not do it, and the app may be open.
    #[error("It could not be switched: {0}. Everybody may still see the app. Stop it, then try again.")]
    StillOpen(DoorError),
    /// The disk failed or is full.
    #[error("That somebody wants it could not be written down ({0}), so nothing was switched. Make room on the disk.")]
    Disk(#[from] io::Error),
}

impl Made {
    /// Whether it can be shared at all.
    #[must_use]
    pub fn can_be_shared(&self) -> bool {
        self.0.shown.door.is_some()
    }

    /// Whether everybody sees it, as the guard says.
    ///
    /// # Errors
    /// When the guard does not say.
    pub async fn is_shared(&self) -> Result<bool, DoorError> {
        match &self.0.shown.door {
            Some(door) => door.is_open().await,
            None => Ok(false),
        }
    }

    /// Who switched it last.
    #[must_use]
    pub fn last_switched(&self) -> Option<Wish> {
        self.0.diary.switched()
    }

    /// To be held while it is switched: one at a time, together with its decision.
    pub async fn switching(&self) -> MutexGuard<'_, ()> {
        self.0.switching.lock().await
    }

    /// Lets everybody see it, or members only. What was wanted before has to be settled.
    ///
    /// # Errors
    /// [`SharingError`]
    pub async fn share(&self, shared: bool, by: &Signature) -> Result<(), SharingError> {
        let door = self.0.shown.door.as_ref().ok_or(SharingError::NotOffered)?;
        self.0.diary.write(&Entry::Asked { at: by.at, by: by.by.to_string(), shared })?;
        let switched = door.set_open(shared).await;
        let is_so = match &switched {
            Ok(()) => Ok(true),
            // It may have been done, and the answer lost.
            Err(_) => door.is_open().await.map(|open| open == shared),
        };
        // Where the guard does not say, it is settled later.
        if let Ok(is_so) = is_so {
            self.note(shared, is_so, "the guard did not do it");
        }
        self.tell();
        match switched {
            Err(error) if !matches!(is_so, Ok(true)) && shared => Err(SharingError::Door(error)),
            Err(error) if !matches!(is_so, Ok(true)) => Err(SharingError::StillOpen(error)),
            _ => Ok(()),
        }
    }

    /// Finds out what became of a wish that was under way when this program ended. Gives it if it was
    /// fulfilled and the decision is not written down.
    ///
    /// # Errors
    /// When the guard does not say how it stands.
    pub async fn settle(&self) -> Result<Option<Wish>, DoorError> {
        if let Some(Open::Unknown(wish)) = self.0.diary.open_wish() {
            let is_so = self.is_shared().await? == wish.shared;
            self.note(wish.shared, is_so, "the workspace ended before it was done");
        }
        Ok(match self.0.diary.open_wish() {
            Some(Open::Undecided(wish)) => Some(wish),
            _ => None,
        })
    }

    /// The decision about it is written down.
    pub fn decided(&self) {
        self.write_down(&Entry::Decided);
    }

    fn note(&self, shared: bool, is_so: bool, why_not: &str) {
        self.write_down(&match is_so {
            true => Entry::Switched { shared },
            false => Entry::NotSwitched { why: why_not.to_owned() },
        });
    }

    /// What cannot be written down now is found out again later.
    fn write_down(&self, entry: &Entry) {
        if let Err(error) = self.0.diary.write(entry) {
            tracing::warn!(%error, "What became of sharing the app could not be written down: {error}");
        }
    }
}
