//! Who may do what. Whoever comes first owns the workspace; whoever comes later may edit, until an
//! owner says otherwise. Who gets in at all is the business of the guard in front.

mod rights;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::folder::{Folder, Found};
use crate::visitor::Visitor;
#[cfg(test)]
pub use rights::CHANGES;
pub use rights::{Right, admit};

const FILE: &str = "members.json";

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Look at everything.
    Viewer,
    /// Change everything but settings and members.
    Editor,
    /// Change everything.
    Owner,
}

impl Standing {
    /// All of them, the most powerful first.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Editor, Self::Viewer];

    /// The word in files and forms.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    /// The standing of that word, if there is one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.word() == word)
    }
}

/// Why a standing could not be given.
#[derive(Debug, thiserror::Error)]
pub enum MembersError {
    /// Nobody could change settings and members any more.
    #[error("One owner must remain. Make somebody else an owner first.")]
    LastOwner,
    /// Nobody of that name was ever here.
    #[error("Nobody of that address has been here yet. They are listed once they have signed in.")]
    Unknown,
    /// The file holds something else.
    #[error("members.json in the data folder cannot be understood ({0}); mend it, or move it away")]
    Malformed(String),
    /// The disk failed or is full.
    #[error("the members cannot be saved: {0}")]
    Disk(#[from] io::Error),
}

/// The members there are; cheap to clone.
#[derive(Clone)]
pub struct Members(Arc<Inner>);

struct Inner {
    root: PathBuf,
    known: RwLock<BTreeMap<String, Standing>>,
}

impl Members {
    /// The members in the data folder `root`.
    ///
    /// # Errors
    /// [`MembersError::Malformed`] and [`MembersError::Disk`].
    pub fn open(root: &Path) -> Result<Self, MembersError> {
        let known = read(&Folder::open(root)?)?;
        Ok(Self(Arc::new(Inner { root: root.to_owned(), known: RwLock::new(known) })))
    }

    /// What a visitor may do, if they were here before.
    #[must_use]
    pub fn known(&self, visitor: &Visitor) -> Option<Standing> {
        match visitor {
            Visitor::You => Some(Standing::Owner),
            Visitor::Member(email) => {
                self.0.known.read().unwrap_or_else(PoisonError::into_inner).get(&folded(email)).copied()
            }
        }
    }

    /// What a visitor may do; who is here for the first time is written down.
    ///
    /// # Errors
    /// [`MembersError`].
    pub fn welcome(&self, visitor: &Visitor) -> Result<Standing, MembersError> {
        let Visitor::Member(email) = visitor else { return Ok(Standing::Owner) };
        let mut standing = Standing::Editor;
        self.change(|known| {
            let newcomers = if known.is_empty() { Standing::Owner } else { Standing::Editor };
            standing = *known.entry(folded(email)).or_insert(newcomers);
            Ok(())
        })?;
        Ok(standing)
    }

    /// Everybody who was ever here, by address.
    #[must_use]
    pub fn all(&self) -> Vec<(String, Standing)> {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(email, standing)| (email.clone(), *standing)).collect()
    }

    /// Gives somebody another standing.
    ///
    /// # Errors
    /// [`MembersError`]; nothing is changed then.
    pub fn set(&self, email: &str, standing: Standing) -> Result<(), MembersError> {
        self.change(|known| {
            *known.get_mut(&folded(email)).ok_or(MembersError::Unknown)? = standing;
            let has_owner = known.values().any(|standing| *standing == Standing::Owner);
            if has_owner { Ok(()) } else { Err(MembersError::LastOwner) }
        })
    }

    /// Adds people who are not known yet, each with a standing.
    ///
    /// # Errors
    /// [`MembersError`]; nothing is changed then.
    pub fn add(&self, newcomers: &BTreeMap<String, Standing>) -> Result<(), MembersError> {
        self.change(|known| {
            for (email, standing) in newcomers {
                known.entry(folded(email)).or_insert(*standing);
            }
            Ok(())
        })
    }

    fn change(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Standing>) -> Result<(), MembersError>,
    ) -> Result<(), MembersError> {
        let folder = Folder::open(&self.0.root)?;
        folder.lock()?;
        let before = read(&folder)?;
        let mut known = before.clone();
        change(&mut known)?;
        if known != before {
            folder.replace(FILE, &serde_json::to_vec_pretty(&known).map_err(io::Error::other)?)?;
        }
        *self.0.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }
}

/// As the guard compares addresses: byte by byte, after lower-casing ASCII letters.
fn folded(email: &str) -> String {
    email.to_ascii_lowercase()
}

fn read(folder: &Folder) -> Result<BTreeMap<String, Standing>, MembersError> {
    match folder.read(FILE)? {
        Found::File(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| MembersError::Malformed(error.to_string()))
        }
        Found::Unreadable(why) => Err(MembersError::Malformed(why)),
        Found::Nothing => Ok(BTreeMap::new()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn member(email: &str) -> Visitor {
        Visitor::Member(email.to_owned())
    }

    #[test]
    fn who_comes_first_owns_and_who_comes_later_edits_also_after_a_restart() {
        let home = tempfile::tempdir().unwrap();
        let members = Members::open(home.path()).unwrap();
        assert_eq!(members.known(&member("Ada@example.com")), None);
        assert_eq!(members.welcome(&member("Ada@example.com")).unwrap(), Standing::Owner);
        assert_eq!(members.welcome(&member("bob@example.com")).unwrap(), Standing::Editor);
        let again = Members::open(home.path()).unwrap();
        assert_eq!(again.known(&member("ada@EXAMPLE.com")), Some(Standing::Owner));
        assert_eq!(again.welcome(&member("bob@example.com")).unwrap(), Standing::Editor);
        assert_eq!(again.known(&Visitor::You), Some(Standing::Owner));
    }

    #[test]
    fn an_owner_always_remains() {
        let home = tempfile::tempdir().unwrap();
        let members = Members::open(home.path()).unwrap();
        members.welcome(&member("ada@example.com")).unwrap();
        members.welcome(&member("bob@example.com")).unwrap();
        assert!(matches!(members.set("ada@example.com", Standing::Viewer), Err(MembersError::LastOwner)));
        assert!(matches!(members.set("eve@example.com", Standing::Owner), Err(MembersError::Unknown)));
        members.set("bob@example.com", Standing::Owner).unwrap();
        members.set("ada@example.com", Standing::Viewer).unwrap();
        assert_eq!(members.known(&member("ada@example.com")), Some(Standing::Viewer));
    }
}
