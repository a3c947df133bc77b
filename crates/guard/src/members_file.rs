//! Members in a file that somebody edits: reread when it changes, by notice of the system where
//! there is one, and by a look at the file when somebody asks.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
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
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        if look.at.elapsed() < LOOK_EVERY {
            return None;
        }
        look.at = Instant::now();
        let seen = stamp(&self.path);
        let is_fresh =
            |stamp: &Stamp| (SignedDuration::ZERO..SETTLED_AFTER).contains(&now.duration_since(stamp.modified));
        if seen.as_ref().is_some_and(is_fresh) { None } else { self.take(&mut look, seen) }
    }

    /// The same, when somebody has just finished with it.
    pub(crate) fn changed_now(&self) -> Option<anyhow::Result<Vec<MemberRule>>> {
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        self.take(&mut look, stamp(&self.path))
    }

    fn take(&self, look: &mut Look, seen: Option<Stamp>) -> Option<anyhow::Result<Vec<MemberRule>>> {
        // A file that is not there is looked for each time.
        if seen == look.seen && seen.is_some() {
            return None;
        }
        look.seen = seen;
        Some(read(&self.path))
    }

    /// Calls back whenever anything happens in the file's folder, for as long as it is polled. The
    /// folder and not the file is watched, because files are replaced by renaming others over them.
    ///
    /// # Errors
    /// When the system gives no notices.
    pub(crate) async fn watch(&self, mut on_event: impl FnMut()) -> std::io::Result<()> {
        let notices = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let events = WatchFlags::CLOSE_WRITE | WatchFlags::DELETE | WatchFlags::MOVE;
        inotify::add_watch(&notices, self.folder(), events)?;
        // Read as the pipe that it isn't: all that counts is that something comes.
        let notices = pipe::Receiver::from_owned_fd_unchecked(notices)?;
        // Changes between the reading and the watching.
        on_event();
        let mut unread = [0; 4096];
        loop {
            notices.readable().await?;
            match notices.try_read(&mut unread) {
                Ok(_) => on_event(),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<MemberRule>> {
    let text = std::fs::read_to_string(path).map_err(|error| anyhow::anyhow!("members {}: {error}", path.display()))?;
    access::parse_members_file(&text).map_err(|error| anyhow::anyhow!("members {}: {error}", path.display()))
}

fn stamp(path: &Path) -> Option<Stamp> {
    let meta = std::fs::metadata(path).ok()?;
    let modified = Timestamp::new(meta.mtime(), i32::try_from(meta.mtime_nsec()).ok()?).ok()?;
    let changed = (meta.ctime(), meta.ctime_nsec());
    Some(Stamp { inode: meta.ino(), bytes: meta.len(), modified, changed })
}
