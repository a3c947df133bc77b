//! What is kept of a rest, so that a restart of the same deployment goes on resting, and one of another does not.

use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::disk;

/// So long an application rests at most when nobody says anything more: a main instance that is lost must not leave a
/// customer without their application. Longer than it takes to deploy.
pub(crate) const LONGEST_REST: SignedDuration = SignedDuration::from_mins(30);

/// The record of a rest, in the guard's state.
pub(crate) struct RestRecord {
    file: PathBuf,
    /// Which deployment this is: another one's rest is over.
    deployment: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    deployment: String,
    /// None once it was woken.
    until: Option<Timestamp>,
}

impl RestRecord {
    pub(crate) fn new(state: &Path, deployment: &str) -> Self {
        Self { file: state.join("rest.json"), deployment: deployment.to_owned() }
    }

    /// Until when it rests, as it begins. `begins` says that this deployment was made to rest until it is woken.
    ///
    /// # Errors
    /// When the record can't be read or written.
    pub(crate) fn at_start(&self, begins: bool, now: Timestamp) -> io::Result<Option<Timestamp>> {
        let kept = disk::read(&self.file)?.and_then(|bytes| serde_json::from_slice::<Stored>(&bytes).ok());
        match kept.filter(|kept| kept.deployment == self.deployment) {
            // Whatever was written there, or the clock does, it is no longer than a rest is.
            Some(kept) => Ok(kept.until.filter(|until| now < *until).map(|until| until.min(now + LONGEST_REST))),
            None if begins => self.rest(now).map(Some),
            None => Ok(None),
        }
    }

    /// It rests from now on, or longer than it was to. Gives the end.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn rest(&self, now: Timestamp) -> io::Result<Timestamp> {
        let until = now + LONGEST_REST;
        self.write(Some(until))?;
        Ok(until)
    }

    /// It does not rest any more.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn wake(&self) -> io::Result<()> {
        self.write(None)
    }

    fn write(&self, until: Option<Timestamp>) -> io::Result<()> {
        let stored = Stored { deployment: self.deployment.clone(), until };
        disk::replace(&self.file, &serde_json::to_vec(&stored)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn now() -> Timestamp {
        "2026-11-30T03:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_rest_outlives_a_restart_and_neither_its_end_nor_its_deployment() {
        let state = tempfile::tempdir().unwrap();
        let record = |deployment| RestRecord::new(state.path(), deployment);
        assert_eq!(record("one").at_start(false, now()).unwrap(), None);
        let until = record("one").rest(now()).unwrap();
        assert_eq!(until, now() + LONGEST_REST);
        assert_eq!(record("one").at_start(false, now()).unwrap(), Some(until));
        assert_eq!(record("one").at_start(false, until).unwrap(), None, "its end came");
        assert_eq!(record("two").at_start(false, now()).unwrap(), None, "another deployment");
        let before = now() - SignedDuration::from_hours(24);
        assert_eq!(record("one").at_start(false, before).unwrap(), Some(before + LONGEST_REST), "a clock that was set");
        record("one").wake().unwrap();
        assert_eq!(record("one").at_start(false, now()).unwrap(), None, "it was woken");
    }

    #[test]
    fn a_deployment_that_begins_at_rest_does_so_until_it_is_woken_and_once() {
        let state = tempfile::tempdir().unwrap();
        let record = RestRecord::new(state.path(), "one");
        let until = record.at_start(true, now()).unwrap();
        assert_eq!(until, Some(now() + LONGEST_REST));
        let later = now() + SignedDuration::from_mins(10);
        assert_eq!(record.at_start(true, later).unwrap(), until, "a restart does not make it longer");
        assert_eq!(record.at_start(true, now() + LONGEST_REST).unwrap(), None);
        record.wake().unwrap();
        assert_eq!(record.at_start(true, now()).unwrap(), None);
    }
}
