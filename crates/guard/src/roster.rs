//! Who belongs to this instance, now.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use access::{ListState, MemberList, MemberRule, MembersPublicKey, SignatureError, SignedMembers};
use arc_swap::ArcSwap;
use domain::{Email, InstanceId};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::disk;
use crate::settings::MembersFrom;

/// A members file is looked at no more often than this: well under the second within which a
/// change takes effect.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long the first visitors wait for the first list.
const VISITOR_WAITS: Duration = Duration::from_secs(4);

/// The current answer to "does this person belong?".
pub(crate) struct Roster {
    source: Source,
    now: ArcSwap<Standing>,
    /// Whether a list is known.
    known: watch::Sender<bool>,
    stays: Mutex<Stays>,
}

/// Who has been let in since they last were not, with what ends when they are let go.
type Stays = HashMap<Option<Email>, CancellationToken>;

enum Source {
    Nowhere,
    File(MembersFile),
    Signed { key: MembersPublicKey, instance: InstanceId, cache: PathBuf },
}

struct MembersFile {
    path: PathBuf,
    look: Mutex<Look>,
}

struct Look {
    at: Instant,
    seen: Option<Stamp>,
}

/// What changes when a file does.
type Stamp = (u64, u64, i64, i64, i64, i64);

#[derive(Clone, Debug)]
struct Standing {
    serial: u64,
    state: ListState,
    members: Vec<MemberRule>,
    /// Nothing can be said: no list yet, or one that cannot be read.
    unknown: bool,
}

/// What the roster says about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belonging {
    Member,
    Stranger,
    /// There is no list to judge by.
    Unknown,
}

/// Why a signed list was not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTaken {
    #[error("this guard takes no signed lists")]
    NotConfigured,
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error("the list is for another instance")]
    OtherInstance,
    #[error("the list is older than the one in force")]
    Older,
    #[error("the list could not be kept on disk")]
    Disk,
}

impl Roster {
    /// Starts with what is on disk.
    ///
    /// # Errors
    /// When a members file is configured and cannot be read in full.
    pub(crate) fn open(from: MembersFrom, cache: PathBuf) -> anyhow::Result<Self> {
        let mut standing = Standing { serial: 0, state: ListState::Active, members: Vec::new(), unknown: false };
        let source = match from {
            MembersFrom::Nowhere => Source::Nowhere,
            MembersFrom::File(path) => {
                let seen = stamp(&path);
                standing.members = read_file(&path)?;
                Source::File(MembersFile { path, look: Mutex::new(Look { at: Instant::now(), seen }) })
            }
            MembersFrom::Signed { key, instance } => {
                standing = kept_list(&key, instance, &cache).unwrap_or(Standing { unknown: true, ..standing });
                Source::Signed { key, instance, cache }
            }
        };
        let known = watch::Sender::new(!standing.unknown);
        Ok(Self { source, now: ArcSwap::from_pointee(standing), known, stays: Mutex::default() })
    }

    /// Whether the instance is open, suspended or being deleted.
    pub(crate) fn state(&self) -> ListState {
        self.now.load().state
    }

    /// Whether `email` belongs. Waits a moment for the first list after a cold start.
    pub(crate) async fn belongs(&self, email: &Email) -> Belonging {
        if let Source::File(file) = &self.source {
            self.reread_if_changed(file);
        }
        if matches!(self.source, Source::Signed { .. }) {
            let mut known = self.known.subscribe();
            let _ = tokio::time::timeout(VISITOR_WAITS, known.wait_for(|known| *known)).await;
        }
        let now = self.now.load();
        if now.unknown {
            return Belonging::Unknown;
        }
        let belongs = now.members.iter().any(|rule| rule.admits(email));
        if belongs { Belonging::Member } else { Belonging::Stranger }
    }

    /// Cancelled when `member` no longer belongs, or, for `None`, for whoever else was let in, when
    /// the instance closes. For what outlasts a decision. A members file is looked at when somebody
    /// asks, so a removal in one ends stays at the next request.
    pub(crate) fn stay(&self, member: Option<&Email>) -> CancellationToken {
        let mut stays = self.stays();
        let stay = stays.entry(member.cloned()).or_default().clone();
        // Judged with the lock held: a list that came since the decision, and ended all stays before
        // this one was noted, is in force by now.
        if !self.now.load().lets_stay(member) {
            stay.cancel();
            stays.remove(&member.cloned());
        }
        stay
    }

    /// Takes a list that the main instance signed. The same serial again changes nothing.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub(crate) fn apply(&self, signed: &SignedMembers) -> Result<(), NotTaken> {
        let Source::Signed { key, instance, cache } = &self.source else { return Err(NotTaken::NotConfigured) };
        let list = key.open(signed)?;
        if list.instance != *instance {
            return Err(NotTaken::OtherInstance);
        }
        let now = self.now.load();
        if !now.unknown && list.serial < now.serial {
            return Err(NotTaken::Older);
        }
        if !now.unknown && list.serial == now.serial {
            return Ok(());
        }
        // On disk first: a restart must not bring back somebody who was let go.
        let json = serde_json::to_vec(signed).map_err(|_| NotTaken::Disk)?;
        if let Err(error) = disk::replace(cache, &json) {
            tracing::error!(%error, path = %cache.display(), "A member list could not be kept");
            return Err(NotTaken::Disk);
        }
        tracing::info!(serial = list.serial, state = ?list.state, members = list.members.len(), "New member list");
        self.enforce(list.into());
        Ok(())
    }

    /// Whether lists come from the main instance, signed.
    pub(crate) fn takes_signed_lists(&self) -> bool {
        matches!(self.source, Source::Signed { .. })
    }

    /// Whether there is a list to judge by.
    pub(crate) fn is_known(&self) -> bool {
        *self.known.borrow()
    }

    fn reread_if_changed(&self, file: &MembersFile) {
        let mut look = file.look.lock().unwrap_or_else(PoisonError::into_inner);
        if look.at.elapsed() < LOOK_EVERY {
            return;
        }
        look.at = Instant::now();
        let seen = stamp(&file.path);
        // A file that is not there is looked for each time.
        if seen == look.seen && seen.is_some() {
            return;
        }
        look.seen = seen;
        let standing = match read_file(&file.path) {
            Ok(members) => Standing { serial: 0, state: ListState::Active, members, unknown: false },
            Err(error) => {
                // The unreadable part might be the removal of somebody: nobody enters until it is
                // readable again.
                tracing::error!(%error, "The members file cannot be read: nobody may enter");
                Standing { serial: 0, state: ListState::Active, members: Vec::new(), unknown: true }
            }
        };
        self.enforce(standing);
    }

    fn enforce(&self, standing: Standing) {
        self.now.store(Arc::new(standing));
        self.known.send_replace(true);
        let now = self.now.load();
        self.stays().retain(|member, stay| {
            let stays = now.lets_stay(member.as_ref());
            if !stays {
                stay.cancel();
            }
            stays
        });
    }

    fn stays(&self) -> MutexGuard<'_, Stays> {
        self.stays.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    fn lets_stay(&self, member: Option<&Email>) -> bool {
        let belongs = |member| !self.unknown && self.members.iter().any(|rule| rule.admits(member));
        self.state == ListState::Active && member.is_none_or(belongs)
    }
}

impl From<MemberList> for Standing {
    fn from(list: MemberList) -> Self {
        Self { serial: list.serial, state: list.state, members: list.members, unknown: false }
    }
}

fn kept_list(key: &MembersPublicKey, instance: InstanceId, cache: &Path) -> Option<Standing> {
    let json = disk::read(cache).ok()??;
    let signed: SignedMembers = serde_json::from_slice(&json).ok()?;
    let list = key.open(&signed).ok().filter(|list| list.instance == instance)?;
    Some(list.into())
}

fn read_file(path: &Path) -> anyhow::Result<Vec<MemberRule>> {
    let text = std::fs::read_to_string(path).map_err(|error| anyhow::anyhow!("members {}: {error}", path.display()))?;
    access::parse_members_file(&text).map_err(|error| anyhow::anyhow!("members {}: {error}", path.display()))
}

fn stamp(path: &Path) -> Option<Stamp> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use access::MembersKey;
    use jiff::Timestamp;

    use super::*;

    fn instance(number: u8) -> InstanceId {
        InstanceId::new(Timestamp::UNIX_EPOCH, [number; 10])
    }

    fn list(serial: u64, members: &[&str]) -> MemberList {
        let members = members.iter().map(|member| member.parse().unwrap()).collect();
        MemberList { instance: instance(1), serial, state: ListState::Active, members }
    }

    fn email(text: &str) -> Email {
        Email::parse(text).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn signed_lists_only_go_forward_also_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("members.json");
        let key = MembersKey::generate().unwrap();
        let open = || {
            let from = MembersFrom::Signed { key: key.public().unwrap(), instance: instance(1) };
            Roster::open(from, cache.clone()).unwrap()
        };
        let roster = open();
        assert_eq!(roster.belongs(&email("ada@x.org")).await, Belonging::Unknown);
        roster.apply(&key.sign(&list(5, &["ada@x.org"]))).unwrap();
        assert_eq!(roster.belongs(&email("ada@x.org")).await, Belonging::Member);

        roster.apply(&key.sign(&list(5, &[]))).unwrap();
        assert_eq!(roster.belongs(&email("ada@x.org")).await, Belonging::Member, "the same serial changes nothing");
        assert_eq!(roster.apply(&key.sign(&list(4, &["eve@x.org"]))), Err(NotTaken::Older));

        roster.apply(&key.sign(&list(6, &["@y.org"]))).unwrap();
        assert_eq!(roster.belongs(&email("ada@x.org")).await, Belonging::Stranger);
        let again = open();
        assert_eq!(again.belongs(&email("eve@y.org")).await, Belonging::Member);
        assert_eq!(again.apply(&key.sign(&list(5, &["ada@x.org"]))), Err(NotTaken::Older));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stay_ends_with_what_it_rests_on_also_when_that_ended_just_before() {
        let folder = tempfile::tempdir().unwrap();
        let key = MembersKey::generate().unwrap();
        let from = MembersFrom::Signed { key: key.public().unwrap(), instance: instance(1) };
        let roster = Roster::open(from, folder.path().join("members.json")).unwrap();
        let (ada, bob) = (email("ada@x.org"), email("bob@y.org"));
        roster.apply(&key.sign(&list(1, &["ada@x.org", "@y.org"]))).unwrap();
        let (adas, bobs, robots) = (roster.stay(Some(&ada)), roster.stay(Some(&bob)), roster.stay(None));
        roster.apply(&key.sign(&list(2, &["@y.org"]))).unwrap();
        assert!(adas.is_cancelled() && !bobs.is_cancelled() && !robots.is_cancelled());
        assert!(roster.stay(Some(&ada)).is_cancelled(), "decided before the list came, noted after it");

        roster.apply(&key.sign(&list(3, &["ada@x.org", "@y.org"]))).unwrap();
        assert!(!roster.stay(Some(&ada)).is_cancelled(), "whoever comes back may stay again");
        let closed = MemberList { state: ListState::Suspended, ..list(4, &["ada@x.org", "@y.org"]) };
        roster.apply(&key.sign(&closed)).unwrap();
        assert!(bobs.is_cancelled() && robots.is_cancelled());
        assert!(roster.stays().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn lists_of_others_are_not_taken_wherever_they_lie() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("members.json");
        let (key, stranger) = (MembersKey::generate().unwrap(), MembersKey::generate().unwrap());
        let from = MembersFrom::Signed { key: key.public().unwrap(), instance: instance(1) };
        let forged = stranger.sign(&list(9, &["eve@x.org"]));
        std::fs::write(&cache, serde_json::to_vec(&forged).unwrap()).unwrap();
        let roster = Roster::open(from, cache).unwrap();
        assert_eq!(roster.belongs(&email("eve@x.org")).await, Belonging::Unknown, "a forged file is no list");
        assert_eq!(roster.apply(&forged), Err(NotTaken::Signature(SignatureError::Signature)));
        let other = MemberList { instance: instance(2), ..list(9, &["eve@x.org"]) };
        assert_eq!(roster.apply(&key.sign(&other)), Err(NotTaken::OtherInstance));
    }
}
