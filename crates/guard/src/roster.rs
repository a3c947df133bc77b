//! Who belongs to this instance, now.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use access::{Guest, ListState, MemberList, MemberRule, MembersPublicKey, SignatureError, SignedMembers};
use arc_swap::ArcSwap;
use domain::{Email, InstanceId};
use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use world::Clock;

use crate::disk;
use crate::members_file::MembersFile;
use crate::settings::MembersFrom;

/// How long the first visitors wait for the first list.
const VISITOR_WAITS: Duration = Duration::from_secs(4);

/// Members who were let in are not looked through for those who have left below this number.
const FEWEST_SWEPT: usize = 64;

/// The current answer to "does this person belong?".
pub(crate) struct Roster {
    source: Source,
    clock: Clock,
    now: ArcSwap<Standing>,
    /// Whether a list is known.
    known: watch::Sender<bool>,
    /// A visitor came, and there was no list to judge by.
    missed: Notify,
    stays: Mutex<Stays>,
}

/// Who has been let in since they last were not, with what ends when they are let go.
#[derive(Default)]
struct Stays {
    members: HashMap<Email, Arc<CancellationToken>>,
    others: Arc<CancellationToken>,
    /// With so many members, those that nothing rests on any more are forgotten.
    sweep_at: usize,
}

enum Source {
    /// Nobody belongs.
    Nowhere,
    File(MembersFile),
    Signed {
        key: MembersPublicKey,
        instance: InstanceId,
        cache: PathBuf,
    },
}

#[derive(Debug)]
struct Standing {
    serial: u64,
    state: ListState,
    exact: HashSet<Email>,
    domains: HashSet<String>,
    guests: HashMap<Email, Leave>,
    /// Nothing can be said: no list yet, or one that cannot be read.
    unknown: bool,
}

/// How far a guest may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leave {
    pub(crate) until: Timestamp,
    pub(crate) may_change: bool,
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
    pub(crate) fn open(from: MembersFrom, cache: PathBuf, clock: Clock) -> anyhow::Result<Self> {
        let (source, standing) = match from {
            MembersFrom::Nowhere => (Source::Nowhere, Standing::of(Vec::new())),
            MembersFrom::File(path) => {
                let (file, members) = MembersFile::open(path)?;
                (Source::File(file), Standing::of(members))
            }
            MembersFrom::Signed { key, instance } => {
                let standing = kept_list(&key, instance, &cache).unwrap_or_else(Standing::unknown);
                (Source::Signed { key, instance, cache }, standing)
            }
        };
        Ok(Self::new(source, standing, clock))
    }

    fn new(source: Source, standing: Standing, clock: Clock) -> Self {
        let known = watch::Sender::new(!standing.unknown);
        Self {
            source,
            clock,
            now: ArcSwap::from_pointee(standing),
            known,
            missed: Notify::new(),
            stays: Mutex::default(),
        }
    }

    /// Whether the instance is open, suspended or being deleted; open while nobody has said.
    pub(crate) fn state(&self) -> ListState {
        self.now.load().state
    }

    /// Whether somebody has said in which state the instance is. Waits a moment for the first list
    /// after a cold start. A file says nothing of it, so there an unreadable one changes nothing.
    pub(crate) async fn knows_state(&self) -> bool {
        self.wait_for_first_list().await;
        !self.takes_signed_lists() || self.is_known()
    }

    /// The number of the list in force; 0 for those that have none.
    pub(crate) fn serial(&self) -> u64 {
        self.now.load().serial
    }

    /// Whether `email` belongs. Waits a moment for the first list after a cold start.
    pub(crate) async fn belongs(&self, email: &Email) -> Belonging {
        match &self.source {
            Source::File(file) => {
                if let Some(changed) = file.changed(self.clock.now()) {
                    self.enforce_file(changed);
                }
            }
            Source::Signed { .. } => self.wait_for_first_list().await,
            Source::Nowhere => {}
        }
        let now = self.now.load();
        if now.unknown {
            Belonging::Unknown
        } else if now.includes(email) || now.guest(email).is_some_and(|leave| self.clock.now() < leave.until) {
            Belonging::Member
        } else {
            Belonging::Stranger
        }
    }

    /// How far somebody who belongs may go; `None` for members, who may do everything.
    pub(crate) fn leave_of(&self, email: &Email) -> Option<Leave> {
        self.now.load().guest(email)
    }

    /// Follows a members file, so that who is let go while a download or a stream of theirs is open
    /// is cut off then. Never ends by itself; without a file there is nothing to follow.
    pub(crate) async fn follow(&self) {
        let Source::File(file) = &self.source else { return };
        let watched = file.watch(|| self.clock.now(), |changed| self.enforce_file(changed));
        if let Err(error) = watched.await {
            tracing::warn!(%error, "No notice comes when the members file changes: {error}. It is looked at with each request");
        }
    }

    /// Cancelled when `member` no longer belongs, or, for `None`, for whoever else was let in, when
    /// the instance closes. For what outlasts a decision.
    pub(crate) fn stay(&self, member: Option<&Email>) -> Arc<CancellationToken> {
        let mut stays = self.stays();
        let stay = stays.of(member);
        // Judged with the lock held: a list that came since the decision, and ended all stays before
        // this one was noted, is in force by now.
        if !self.now.load().lets_stay(member) {
            stay.cancel();
            stays.forget(member);
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

    /// Resolves when a visitor had, or has since the last time, no list to be judged by.
    pub(crate) async fn missed(&self) {
        self.missed.notified().await;
    }

    async fn wait_for_first_list(&self) {
        // A file that cannot be read is not one that is on its way.
        if !self.takes_signed_lists() || self.is_known() {
            return;
        }
        self.missed.notify_one();
        let mut known = self.known.subscribe();
        let _ = tokio::time::timeout(VISITOR_WAITS, known.wait_for(|known| *known)).await;
    }

    fn enforce_file(&self, read: anyhow::Result<Vec<MemberRule>>) {
        self.enforce(read.map_or_else(
            |error| {
                // The unreadable part might be the removal of somebody: nobody enters until it is
                // readable again.
                tracing::error!(%error, "The members file cannot be read: nobody may enter");
                Standing::unknown()
            },
            Standing::of,
        ));
    }

    fn enforce(&self, standing: Standing) {
        let is_known = !standing.unknown;
        self.now.store(Arc::new(standing));
        self.known.send_replace(is_known);
        let now = self.now.load();
        self.stays().end_unless(|member| now.lets_stay(member));
    }

    fn stays(&self) -> MutexGuard<'_, Stays> {
        self.stays.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stays {
    fn of(&mut self, member: Option<&Email>) -> Arc<CancellationToken> {
        let Some(member) = member else { return Arc::clone(&self.others) };
        if let Some(stay) = self.members.get(member) {
            return Arc::clone(stay);
        }
        if self.members.len() >= self.sweep_at {
            self.members.retain(|_, stay| Arc::strong_count(stay) > 1);
            self.sweep_at = FEWEST_SWEPT.max(self.members.len() * 2);
        }
        Arc::clone(self.members.entry(member.clone()).or_default())
    }

    fn forget(&mut self, member: Option<&Email>) {
        match member {
            Some(member) => drop(self.members.remove(member)),
            None => self.others = Arc::default(),
        }
    }

    fn end_unless(&mut self, stays: impl Fn(Option<&Email>) -> bool) {
        let ended = self.members.extract_if(|member, _| !stays(Some(member)));
        ended.for_each(|(_, stay)| stay.cancel());
        if !stays(None) {
            std::mem::take(&mut self.others).cancel();
        }
    }
}

impl Standing {
    fn of(rules: Vec<MemberRule>) -> Self {
        let mut standing = Self { unknown: false, ..Self::unknown() };
        for rule in rules {
            match rule {
                MemberRule::Exact(email) => drop(standing.exact.insert(email)),
                MemberRule::Domain(domain) => drop(standing.domains.insert(domain.as_str().to_owned())),
            }
        }
        standing
    }

    fn unknown() -> Self {
        let (exact, domains) = (HashSet::new(), HashSet::new());
        Self { serial: 0, state: ListState::Active, exact, domains, guests: HashMap::new(), unknown: true }
    }

    fn includes(&self, email: &Email) -> bool {
        self.exact.contains(email) || self.domains.contains(email.domain())
    }

    /// Whoever is a member as well is no guest.
    fn guest(&self, email: &Email) -> Option<Leave> {
        self.guests.get(email).filter(|_| !self.includes(email)).copied()
    }

    /// A guest's end comes with the time, which is seen to where what has no end of its own is given one.
    fn lets_stay(&self, member: Option<&Email>) -> bool {
        let belongs = |member: &Email| self.includes(member) || self.guests.contains_key(member);
        self.state == ListState::Active && member.is_none_or(|member| !self.unknown && belongs(member))
    }
}

impl From<MemberList> for Standing {
    fn from(list: MemberList) -> Self {
        let leave = |guest: Guest| (guest.email, Leave { until: guest.until, may_change: guest.may_change });
        let guests = list.guests.into_iter().map(leave).collect();
        Self { serial: list.serial, state: list.state, guests, ..Self::of(list.members) }
    }
}

fn kept_list(key: &MembersPublicKey, instance: InstanceId, cache: &Path) -> Option<Standing> {
    let json = disk::read(cache).ok()??;
    let signed: SignedMembers = serde_json::from_slice(&json).ok()?;
    let list = key.open(&signed).ok().filter(|list| list.instance == instance)?;
    Some(list.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use access::MembersKey;
    use jiff::SignedDuration;

    use super::*;

    fn instance(number: u8) -> InstanceId {
        InstanceId::new(Timestamp::UNIX_EPOCH, [number; 10])
    }

    fn list(serial: u64, members: &[&str]) -> MemberList {
        let members = members.iter().map(|member| member.parse().unwrap()).collect();
        MemberList { instance: instance(1), serial, state: ListState::Active, members, guests: Vec::new() }
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
            Roster::open(from, cache.clone(), Clock::System).unwrap()
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
        let roster = Roster::open(from, folder.path().join("members.json"), Clock::System).unwrap();
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
        assert!(roster.stays().members.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_guest_belongs_until_the_moment_that_was_set_whoever_is_away() {
        let folder = tempfile::tempdir().unwrap();
        let key = MembersKey::generate().unwrap();
        let clock = Clock::at(Timestamp::UNIX_EPOCH);
        let from = MembersFrom::Signed { key: key.public().unwrap(), instance: instance(1) };
        let roster = Roster::open(from, folder.path().join("members.json"), clock.clone()).unwrap();
        let (helper, ada) = (email("helper@shop.org"), email("ada@x.org"));
        let until = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        let guest = |email: &Email| Guest { email: email.clone(), until, may_change: false };
        let with_guests = MemberList { guests: vec![guest(&helper), guest(&ada)], ..list(1, &["ada@x.org"]) };
        roster.apply(&key.sign(&with_guests)).unwrap();
        assert_eq!(roster.belongs(&helper).await, Belonging::Member);
        assert_eq!(roster.leave_of(&helper), Some(Leave { until, may_change: false }));
        assert_eq!(roster.leave_of(&ada), None, "a member stays one");
        let stay = roster.stay(Some(&helper));
        assert!(!stay.is_cancelled());

        clock.advance(SignedDuration::from_hours(1));
        assert_eq!(roster.belongs(&helper).await, Belonging::Stranger, "no list said so, and none had to");
        assert_eq!(roster.belongs(&ada).await, Belonging::Member);
        roster.apply(&key.sign(&list(2, &["ada@x.org"]))).unwrap();
        assert!(stay.is_cancelled(), "ended before its time");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_file_that_cannot_be_read_and_it_closes_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("members");
        std::fs::write(&file, "ada@x.org").unwrap();
        let roster = Roster::open(MembersFrom::File(file), folder.path().join("members.json"), Clock::System).unwrap();
        assert_eq!(roster.belongs(&email("ada@x.org")).await, Belonging::Member);
        roster.enforce_file(Err(anyhow::anyhow!("half of it")));
        let asked = tokio::time::Instant::now();
        assert_eq!(roster.belongs(&email("ada@x.org")).await, Belonging::Unknown);
        assert!(roster.knows_state().await && !roster.is_known());
        assert_eq!(asked.elapsed(), Duration::ZERO);
        assert!(!roster.stay(None).is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_before_the_first_list_waits_a_moment_for_what_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let key = MembersKey::generate().unwrap();
        let from = MembersFrom::Signed { key: key.public().unwrap(), instance: instance(1) };
        let roster = Roster::open(from, folder.path().join("members.json"), Clock::System).unwrap();
        let asked = tokio::time::Instant::now();
        assert!(!roster.knows_state().await);
        assert_eq!(asked.elapsed(), VISITOR_WAITS);
        let list = key.sign(&list(1, &[]));
        let applied = async {
            tokio::task::yield_now().await;
            roster.apply(&list)
        };
        let (knows, applied) = tokio::join!(roster.knows_state(), applied);
        assert!(knows && applied.is_ok());
        assert_eq!(asked.elapsed(), VISITOR_WAITS, "no longer than that");
    }

    #[test]
    fn those_who_have_left_are_forgotten_in_time() {
        let mut stays = Stays::default();
        let held = stays.of(Some(&email("ada@x.org")));
        for number in 0..10_000 {
            stays.of(Some(&email(&format!("visitor{number}@x.org"))));
        }
        assert!(stays.members.len() <= FEWEST_SWEPT + 1, "{}", stays.members.len());
        stays.end_unless(|_| false);
        assert!(held.is_cancelled(), "whoever is still there is not forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn lists_of_others_are_not_taken_wherever_they_lie() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("members.json");
        let (key, stranger) = (MembersKey::generate().unwrap(), MembersKey::generate().unwrap());
        let from = MembersFrom::Signed { key: key.public().unwrap(), instance: instance(1) };
        let forged = stranger.sign(&list(9, &["eve@x.org"]));
        std::fs::write(&cache, serde_json::to_vec(&forged).unwrap()).unwrap();
        let roster = Roster::open(from, cache, Clock::System).unwrap();
        assert_eq!(roster.belongs(&email("eve@x.org")).await, Belonging::Unknown, "a forged file is no list");
        assert_eq!(roster.apply(&forged), Err(NotTaken::Signature(SignatureError::Signature)));
        let other = MemberList { instance: instance(2), ..list(9, &["eve@x.org"]) };
        assert_eq!(roster.apply(&key.sign(&other)), Err(NotTaken::OtherInstance));
    }
}
