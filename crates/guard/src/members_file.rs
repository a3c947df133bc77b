//! Members in a file that somebody edits: reread when it changes, by notice of the system where
//! there is one, and by a look at the file when somebody asks.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use access::MemberRule;
use jiff::{SignedDuration, Timestamp};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::net::unix::pipe;
use tokio::time::Instant;

/// Without notices, as on network folders, the file is looked at no more often than this: well
/// under the second within which a change takes effect.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A file written to a moment ago may not be written to its end, and half an address is another.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_millis(100);

/// The file and what of it has been seen.
pub(crate) struct MembersFile {
    path: PathBuf,
    look: Mutex<Look>,
}

struct Look {
    at: Instant,
    seen: Option<Stamp>,
}

/// What a look at the file showed.
enum Seen {
    Same,
    /// Something else, but perhaps not all of it.
    Unsettled,
    Changed(anyhow::Result<Vec<MemberRule>>),
}

/// What the system told.
enum Noticed {
    /// Somebody has just finished with the file.
    Finished,
    /// Something happened beside it, or nothing is known of what happened.
    Something,
}

/// What changes when a file does.
#[derive(PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    modified: Timestamp,
    changed: (i64, i64),
}

impl MembersFile {
    /// Reads the file for the first time.
    ///
    /// # Errors
    /// When it cannot be read in full.
    pub(crate) fn open(path: PathBuf) -> anyhow::Result<(Self, Vec<MemberRule>)> {
        let seen = stamp(&path);
        let members = read(&path)?;
        Ok((Self { path, look: Mutex::new(Look { at: Instant::now(), seen }) }, members))
    }

    /// What it says now, if it has changed since the last look, has settled, and the last look is
    /// not just over.
    pub(crate) fn changed(&self, now: Timestamp) -> Option<anyhow::Result<Vec<MemberRule>>> {
        let mut look = self.look();
        if look.at.elapsed() < LOOK_EVERY {
            return None;
        }
        match self.look_again(&mut look, now) {
            Seen::Changed(members) => Some(members),
            Seen::Same | Seen::Unsettled => None,
        }
    }

    /// Calls back with what the file says whenever that changes, for as long as it is polled. The
    /// folder and not the file is watched, because files are replaced by renaming others over them,
    /// and links by others of whatever name.
    ///
    /// # Errors
    /// When the system gives no notices.
    pub(crate) async fn watch(
        &self,
        now: impl Fn() -> Timestamp,
        mut on_change: impl FnMut(anyhow::Result<Vec<MemberRule>>),
    ) -> io::Result<()> {
        let notices = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let events = WatchFlags::CLOSE_WRITE | WatchFlags::DELETE | WatchFlags::MOVE;
        inotify::add_watch(&notices, self.folder(), events)?;
        // Read as the pipe that it isn't.
        let notices = pipe::Receiver::from_owned_fd_unchecked(notices)?;
        // Changes between the reading and the watching.
        let mut noticed = Noticed::Something;
        loop {
            let seen = match noticed {
                Noticed::Finished => self.take(&mut self.look(), stamp(&self.path)),
                Noticed::Something => self.look_again(&mut self.look(), now()),
            };
            let is_unsettled = matches!(seen, Seen::Unsettled);
            if let Seen::Changed(members) = seen {
                on_change(members);
            }
            noticed = tokio::select! {
                noticed = self.next_notice(&notices) => noticed?,
                () = tokio::time::sleep(SETTLED_AFTER.unsigned_abs()), if is_unsettled => Noticed::Something,
            };
        }
    }

    /// Waits for notices, and sums up those that are there.
    async fn next_notice(&self, notices: &pipe::Receiver) -> io::Result<Noticed> {
        let mut unread = [0; 4096];
        loop {
            notices.readable().await?;
            match notices.try_read(&mut unread) {
                Ok(read) => return Ok(self.sum_of(unread.get(..read).unwrap_or_default())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether one of the notices says that somebody is through with this very file. What is done to
    /// others says nothing of it: it may be half written.
    fn sum_of(&self, mut notices: &[u8]) -> Noticed {
        let own = self.path.file_name().map(OsStr::as_bytes);
        let finished = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::DELETE;
        while let Some((events, name, rest)) = first_notice(notices) {
            if Some(name) == own && events.intersects(finished) {
                return Noticed::Finished;
            }
            notices = rest;
        }
        Noticed::Something
    }

    fn look_again(&self, look: &mut Look, now: Timestamp) -> Seen {
        let seen = stamp(&self.path);
        let is_fresh =
            |stamp: &Stamp| (SignedDuration::ZERO..SETTLED_AFTER).contains(&now.duration_since(stamp.modified));
        if seen != look.seen && seen.as_ref().is_some_and(is_fresh) {
            look.at = Instant::now();
            return Seen::Unsettled;
        }
        self.take(look, seen)
    }

    fn take(&self, look: &mut Look, seen: Option<Stamp>) -> Seen {
        look.at = Instant::now();
        // A file that is not there is looked for each time.
        if seen == look.seen && seen.is_some() {
            return Seen::Same;
        }
        look.seen = seen;
        Seen::Changed(read(&self.path))
    }

    fn look(&self) -> MutexGuard<'_, Look> {
        self.look.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}

/// What happened to which name, and the notices after it (inotify(7): four numbers, and a name that
/// is filled up with zeros).
fn first_notice(notices: &[u8]) -> Option<(WatchFlags, &[u8], &[u8])> {
    let ([_watch, events, _cookie, length], rest) = notices.split_first_chunk::<16>().map(|(head, rest)| {
        let (numbers, _) = head.as_chunks::<4>();
        ([0, 1, 2, 3].map(|at| numbers.get(at).map_or(0, |bytes| u32::from_ne_bytes(*bytes))), rest)
    })?;
    let (name, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    Some((WatchFlags::from_bits_retain(events), name, rest))
}

/// All that the file says.
///
/// # Errors
/// When it cannot be read in full.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<MemberRule>> {
    let text = std::fs::read_to_string(path).map_err(|error| anyhow::anyhow!("members {}: {error}", path.display()))?;
    access::parse_members_file(&text).map_err(|error| anyhow::anyhow!("members {}: {error}", path.display()))
}

fn stamp(path: &Path) -> Option<Stamp> {
    let meta = std::fs::metadata(path).ok()?;
    let modified = Timestamp::new(meta.mtime(), i32::try_from(meta.mtime_nsec()).ok()?).ok()?;
    let changed = (meta.ctime(), meta.ctime_nsec());
    Some(Stamp { inode: meta.ino(), bytes: meta.len(), modified, changed })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::cell::{Cell, RefCell};
    use std::fs;
    use std::io::Write as _;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// What a followed file was found to say, and how often it was looked at.
    #[derive(Default)]
    struct Found {
        looks: Cell<usize>,
        said: RefCell<Vec<Vec<String>>>,
    }

    impl Found {
        /// Follows the file on a clock of the test's while `story` happens.
        async fn during(&self, file: &MembersFile, now: impl Fn() -> Timestamp, story: impl Future<Output = ()>) {
            let now = || {
                self.looks.set(self.looks.get() + 1);
                now()
            };
            let watched = file.watch(now, |members| {
                let members =
                    members.map_or_else(|error| vec![error.to_string()], |all| all.iter().map(shown).collect());
                self.said.borrow_mut().push(members);
            });
            tokio::select! {
                ended = watched => panic!("the watch ended: {ended:?}"),
                told = tokio::time::timeout(PATIENCE, story) => told.expect("it never happened"),
            }
        }

        async fn look_after(&self, looks: usize) {
            while self.looks.get() <= looks {
                tokio::task::yield_now().await;
            }
        }

        async fn last_is(&self, members: &[&str]) {
            while self.said.borrow().last().is_none_or(|said| said != members) {
                tokio::task::yield_now().await;
            }
        }
    }

    fn shown(rule: &MemberRule) -> String {
        match rule {
            MemberRule::Exact(email) => email.to_string(),
            MemberRule::Domain(domain) => format!("@{}", domain.as_str()),
        }
    }

    #[test]
    fn notices_are_told_apart_by_their_names() {
        let notice = |events: WatchFlags, name: &[u8]| {
            let length = u32::try_from(name.len()).unwrap();
            let numbers = [1, events.bits(), 0, length].map(u32::to_ne_bytes);
            [numbers.as_flattened(), name].concat()
        };
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("members"), "").unwrap();
        let (file, _) = MembersFile::open(folder.path().join("members")).unwrap();
        let (own, other) = (b"members\0\0\0\0\0\0\0\0\0", b"members2\0\0\0\0\0\0\0\0");
        let finished = |notices: &[Vec<u8>]| matches!(file.sum_of(&notices.concat()), Noticed::Finished);
        for events in [WatchFlags::CLOSE_WRITE, WatchFlags::MOVED_TO, WatchFlags::DELETE] {
            assert!(finished(&[notice(events, other), notice(WatchFlags::MOVED_FROM, own), notice(events, own)]));
            assert!(!finished(&[notice(events, other), notice(events, b""), notice(WatchFlags::MOVED_FROM, own)]));
            assert!(!finished(&[notice(events, own)[..20].to_vec()]));
        }
    }

    fn modified(path: &Path) -> Timestamp {
        stamp(path).map_or(Timestamp::UNIX_EPOCH, |stamp| stamp.modified)
    }

    #[tokio::test]
    async fn a_half_written_file_is_not_read_when_somebody_closes_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("members");
        fs::write(&path, "ada@example.com\n").unwrap();
        let (file, _) = MembersFile::open(path.clone()).unwrap();
        let found = Found::default();
        // To this clock whatever was written was written just now.
        found
            .during(&file, || modified(&path), async {
                found.look_after(0).await;
                let mut writing = fs::File::create(&path).unwrap();
                writing.write_all(b"eve@example.co").unwrap();
                let looks = found.looks.get();
                fs::write(folder.path().join("other"), "x").unwrap();
                found.look_after(looks + 1).await;
                assert_eq!(*found.said.borrow(), Vec::<Vec<String>>::new(), "eve@example.co is somebody else");
                writing.write_all(b"m.example.org\n").unwrap();
                drop(writing);
                found.last_is(&["eve@example.com.example.org"]).await;
            })
            .await;
        assert_eq!(found.said.borrow().len(), 1);
    }

    #[tokio::test]
    async fn a_file_behind_a_link_is_read_once_it_has_settled() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (version, member) in [("v1", "ada@example.com\n"), ("v2", "bob@example.com\n")] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("members"), member).unwrap();
        }
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, at(name)).unwrap();
        link("v1", "..data");
        link("..data/members", "members");
        let (file, _) = MembersFile::open(at("members")).unwrap();
        let found = Found::default();
        let is_old = Cell::new(false);
        let now = || modified(&at("members")) + SignedDuration::from_secs(i64::from(is_old.get()));
        found
            .during(&file, now, async {
                found.look_after(0).await;
                link("v2", "new");
                fs::rename(at("new"), at("..data")).unwrap();
                found.look_after(found.looks.get() + 1).await;
                assert!(found.said.borrow().is_empty());
                // Nothing more happens in the folder.
                is_old.set(true);
                found.last_is(&["bob@example.com"]).await;
            })
            .await;
    }

    #[tokio::test]
    async fn a_file_is_gone_at_once_and_there_again_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("members");
        fs::write(&path, "ada@example.com\n").unwrap();
        let (file, _) = MembersFile::open(path.clone()).unwrap();
        let found = Found::default();
        found
            .during(&file, || modified(&path), async {
                found.look_after(0).await;
                fs::remove_file(&path).unwrap();
                while found.said.borrow().last().is_none_or(|said| !said[0].contains("members")) {
                    tokio::task::yield_now().await;
                }
                fs::write(folder.path().join("draft"), "@example.org\n").unwrap();
                fs::rename(folder.path().join("draft"), &path).unwrap();
                found.last_is(&["@example.org"]).await;
            })
            .await;
    }
}
