//! What the application keeps, in the hands of the main instance: it alone may have the application rest, have what it
//! keeps backed up or replaced, or sent for its customer's download. It reaches the guard past the edge, and each of its
//! orders proves itself (`access::orders`).
//!
//! A backup is sealed here, for a recipient that the order names; the main instance gets what it can't read. Nothing of
//! this runs, and no memory is held for it, until an order comes.

mod arriving;
mod book;
mod life;
mod rest;
mod sending;
mod swap;

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use access::orders::{self, BackUpTerms, ExportTerms, Order, RestoreTerms};
use archive::{Archive, Contents, Identity, Recipient, Trouble, Volume, export, pack, seal, unpack};
use bytes::Bytes;
use domain::InstanceId;
use http::{Request, Response, StatusCode};
use hyper::body::Body as HttpBody;
use proxy::{Body, BoxError};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use world::Clock;

use crate::answers::{Form, Notice, bare, json_answer};
use crate::app_site::Sharing;
use crate::server::Outcome;
use arriving::Arriving;
use book::{Book, NotTaken};
use sending::Sending;
use swap::{Exchange, WORKSHOP};

use life::Leash;
pub(crate) use life::Life;
pub(crate) use rest::RestRecord;

/// The file system's own folder at the top of a volume.
const LOST_AND_FOUND: &str = "lost+found";
/// So long an order to wake waits for work that is being broken off.
const WORK_ENDS_WITHIN: Duration = Duration::from_secs(20);
const RETRY_SECONDS: u8 = 5;
const TITLE: &str = "The order was not carried out";

/// Takes the main instance's orders.
pub(crate) struct Custody {
    instance: InstanceId,
    token: SecretString,
    place: Option<Place>,
    book: Book,
    leash: Leash,
    exports: Arc<Semaphore>,
    /// How often what the application keeps was replaced.
    replaced: Arc<AtomicU64>,
    /// Of the app, which does not outlast what it was opened with.
    sharing: Arc<Sharing>,
    clock: Clock,
}

/// Where the application keeps what it keeps.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    volume: Volume,
    exchange: Exchange,
}

/// Held while somebody works on what the application keeps: one at a time, and the application is not woken meanwhile.
struct Work {
    leash: Leash,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Work {
    fn drop(&mut self) {
        // However long it took, whoever ordered it has all the time again for what is next.
        self.leash.rest_on();
    }
}

impl Place {
    /// The folder `data`, without what in it is the guard's or the file system's.
    pub(crate) fn new(data: &Path, state: &Path) -> Self {
        let own = state.strip_prefix(data).ok().and_then(|below| below.components().next());
        let own = own.map(|first| first.as_os_str().to_owned());
        let apart: Vec<OsString> = own.into_iter().chain([WORKSHOP.into(), LOST_AND_FOUND.into()]).collect();
        let exchange = Exchange::new(data, &apart);
        Self { volume: Volume { data: data.to_owned(), apart, spool: state.to_owned() }, exchange }
    }

    pub(crate) fn exchange(&self) -> Exchange {
        self.exchange.clone()
    }
}

impl Custody {
    pub(crate) fn new(
        (instance, token): (InstanceId, SecretString),
        place: Option<Place>,
        leash: Leash,
        sharing: Arc<Sharing>,
        clock: Clock,
    ) -> Self {
        let (exports, replaced) = (Arc::new(Semaphore::new(1)), Arc::default());
        Self { instance, token, place, book: Book::open(clock.now()), leash, exports, replaced, sharing, clock }
    }

    /// Whether the application rests, so that its visitors wait.
    pub(crate) fn rests(&self) -> bool {
        self.leash.rests()
    }

    /// Carries out an order, if it is one.
    pub(crate) async fn answer<B>(&self, order: Order, request: Request<B>) -> Outcome
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let whose = (self.instance, &self.token);
        let proven = match self.book.take(request.headers(), order, whose, self.clock.now()) {
            Ok(proven) => proven,
            Err(why) => return not_taken(why),
        };
        let mut arriving = Arriving::new(request.into_body());
        let Some(terms) = arriving.terms().await.filter(|terms| proven.is_with(terms)) else {
            return refused(
                StatusCode::BAD_REQUEST,
                "order-unreadable",
                "Its terms are not those that it was given with.",
            );
        };
        let Some(place) = &self.place else {
            let why = "This guard was not told where its application keeps its data (--data).";
            return refused(StatusCode::NOT_FOUND, "order-without-data", why);
        };
        match order {
            Order::Rest => self.rest().await,
            Order::Wake => self.wake().await,
            Order::BackUp => self.back_up(place, &terms),
            Order::Restore => self.restore(place, &terms, arriving).await,
            Order::Export => self.export(place, &terms),
        }
    }

    async fn rest(&self) -> Outcome {
        match self.leash.rest().await {
            Ok(()) => Outcome::own(bare(StatusCode::NO_CONTENT)),
            Err(life::OutOfReach) => out_of_reach(),
        }
    }

    async fn wake(&self) -> Outcome {
        let works = Arc::clone(&self.leash.works).acquire_owned();
        let Ok(Ok(_permit)) = tokio::time::timeout(WORK_ENDS_WITHIN, works).await else { return busy() };
        match self.leash.wake().await {
            Ok(()) => Outcome::own(bare(StatusCode::NO_CONTENT)),
            Err(life::OutOfReach) => out_of_reach(),
        }
    }

    fn back_up(&self, place: &Place, terms: &[u8]) -> Outcome {
        let Some(terms) = read::<BackUpTerms>(terms) else { return unreadable() };
        let Ok(recipient) = Recipient::parse(&terms.recipient) else { return unreadable() };
        let Some(work) = self.work() else { return busy() };
        let (volume, (tell, told)) = (place.volume.clone(), oneshot::channel());
        let archive = Archive::written_by(move |sink| {
            let _work = work;
            let kept = seal(&recipient, sink, |sink| pack(&volume, sink))?;
            tracing::info!("A backup was sealed: {}", in_words(&kept.contents));
            let _ = tell.send(serde_json::to_vec(&kept)?);
            Ok(())
        });
        sent(Sending::new("A backup", archive, told))
    }

    fn export(&self, place: &Place, terms: &[u8]) -> Outcome {
        let Some(terms) = read::<ExportTerms>(terms).filter(|terms| is_plain_name(&terms.top)) else {
            return unreadable();
        };
        let Ok(permit) = Arc::clone(&self.exports).try_acquire_owned() else { return busy() };
        let (volume, replaced, (tell, told)) = (place.volume.clone(), Arc::clone(&self.replaced), oneshot::channel());
        let before = replaced.load(Ordering::SeqCst);
        let archive = Archive::written_by(move |sink| {
            let _permit = permit;
            export(&volume, &terms.top, sink)?;
            if replaced.load(Ordering::SeqCst) != before {
                return Err(io::Error::other("what the application keeps was replaced meanwhile"));
            }
            tracing::info!("A download was packed");
            let _ = tell.send(Vec::new());
            Ok(())
        });
        sent(Sending::new("A download", archive, told))
    }

    async fn restore<B>(&self, place: &Place, terms: &[u8], arriving: Arriving<B>) -> Outcome
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let Some(terms) = read::<RestoreTerms>(terms) else { return unreadable() };
        let identity = orders::open(&terms.identity, &self.token).and_then(|secret| Identity::parse(&secret).ok());
        let Some(identity) = identity else { return unreadable() };
        let Some(work) = self.work() else { return busy() };
        if !self.leash.rests() {
            let why = "The application runs, and would write to what is being replaced. Let it rest first.";
            return refused(StatusCode::CONFLICT, "order-while-it-runs", why);
        }
        let (place, replaced, sharing) = (place.clone(), Arc::clone(&self.replaced), Arc::clone(&self.sharing));
        let (sender, archive) = Archive::fed();
        let putting_back = tokio::task::spawn_blocking(move || {
            let _work = work;
            put_back(&place, archive, &identity, &terms, (&replaced, &sharing))
        });
        let ((), outcome) = tokio::join!(arriving.hand_on(sender), putting_back);
        match outcome {
            Ok(Ok(contents)) => {
                tracing::info!("A backup was put back: {}", in_words(&contents));
                Outcome::own(json_answer(StatusCode::OK, &json!(contents)))
            }
            Ok(Err(trouble)) => {
                tracing::warn!("A backup was not put back: {trouble}");
                let (status, rule) = trouble.means();
                refused(status, rule, &format!("It was not put back: {trouble}"))
            }
            Err(cause) => {
                tracing::error!("A backup was not put back: {cause}");
                refused(StatusCode::INTERNAL_SERVER_ERROR, "not-put-back", "The work was broken off.")
            }
        }
    }

    fn work(&self) -> Option<Work> {
        let permit = Arc::clone(&self.leash.works).try_acquire_owned().ok()?;
        Some(Work { leash: self.leash.clone(), _permit: permit })
    }
}

/// Why a backup was not put back.
#[derive(Debug, thiserror::Error)]
enum NotPutBack {
    #[error(transparent)]
    NotOpened(#[from] Trouble),
    #[error("there is no room for it: it takes {needed} bytes at least, and {free} are free")]
    NoRoom { needed: u64, free: u64 },
    #[error("{0}")]
    Disk(#[source] io::Error),
}

impl NotPutBack {
    fn means(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotOpened(Trouble::Damaged(_) | Trouble::OtherKey) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "backup-not-what-it-was")
            }
            Self::NotOpened(Trouble::Fetching(_)) => (StatusCode::BAD_REQUEST, "backup-cut-off"),
            Self::NoRoom { .. } => (StatusCode::INSUFFICIENT_STORAGE, "no-room"),
            Self::NotOpened(Trouble::Unpacking(cause)) | Self::Disk(cause)
                if matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) =>
            {
                (StatusCode::INSUFFICIENT_STORAGE, "no-room")
            }
            Self::NotOpened(Trouble::Unpacking(_)) | Self::Disk(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "not-put-back")
            }
        }
    }
}

/// Beside the present data first; in its place only once all of it is there and proven whole.
fn put_back(
    place: &Place,
    sealed: Archive,
    identity: &Identity,
    terms: &RestoreTerms,
    (replaced, sharing): (&AtomicU64, &Sharing),
) -> Result<Contents, NotPutBack> {
    let new = place.exchange.prepare().map_err(NotPutBack::Disk)?;
    let outcome = unpacked(place, &new, sealed, identity, terms);
    let contents = match outcome {
        Ok(contents) => contents,
        Err(why) => {
            if let Err(cause) = place.exchange.finish() {
                tracing::warn!("What was unpacked in part is removed later: {cause}");
            }
            return Err(why);
        }
    };
    // Nobody has said of what comes back that all may see it.
    sharing.set(false).map_err(NotPutBack::Disk)?;
    replaced.fetch_add(1, Ordering::SeqCst);
    place.exchange.begin().map_err(NotPutBack::Disk)?;
    Ok(contents)
}

fn unpacked(
    place: &Place,
    new: &Path,
    sealed: Archive,
    identity: &Identity,
    terms: &RestoreTerms,
) -> Result<Contents, NotPutBack> {
    let disk = rustix::fs::statvfs(&place.volume.data).map_err(|cause| NotPutBack::Disk(cause.into()))?;
    let (needed, free) = (terms.bytes, disk.f_bavail.saturating_mul(disk.f_frsize));
    if free < needed {
        return Err(NotPutBack::NoRoom { needed, free });
    }
    let owner = owner_of(&place.volume.data).map_err(NotPutBack::Disk)?;
    let sealed = sealed.into_reader();
    Ok(archive::open(sealed, identity, &terms.sha256, |packed| unpack(new, owner, packed))?)
}

/// To whom what is put back belongs, where that is not the guard's own user.
fn owner_of(data: &Path) -> io::Result<Option<u32>> {
    use std::os::unix::fs::MetadataExt as _;
    let (owner, own) = (std::fs::metadata(data)?.uid(), rustix::process::geteuid().as_raw());
    Ok((own == 0 && owner != own).then_some(owner))
}

fn sent(sending: Sending) -> Outcome {
    let mut answer = Response::new(Body::stream(sending));
    let headers = answer.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/octet-stream"));
    headers.insert(http::header::CACHE_CONTROL, http::HeaderValue::from_static("no-store, no-transform"));
    Outcome::own(answer)
}

fn read<T: DeserializeOwned>(terms: &[u8]) -> Option<T> {
    serde_json::from_slice(terms).ok()
}

/// Whether it is one name, and nothing that leads anywhere.
fn is_plain_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !name.is_empty() && name.len() <= 200 && name.bytes().all(is_plain)
}

fn in_words(contents: &Contents) -> String {
    format!("{} files, {} bytes, {} left out", contents.files, contents.bytes, contents.left_out)
}

fn not_taken(why: NotTaken) -> Outcome {
    match why {
        NotTaken::Unproven => {
            let why = "Orders are taken from the main instance only, which proves what it is.";
            refused(StatusCode::FORBIDDEN, "order-unproven", why)
        }
        NotTaken::Stale => {
            let why = "It is too old, was carried out before, or is from before this guard's start. Give it anew.";
            refused(StatusCode::TOO_EARLY, "order-stale", why)
        }
    }
}

fn unreadable() -> Outcome {
    refused(StatusCode::BAD_REQUEST, "order-unreadable", "Its terms can't be read.")
}

fn busy() -> Outcome {
    let notice = Notice::new(StatusCode::TOO_MANY_REQUESTS, TITLE, "Another one is being carried out.");
    Outcome::refused(notice.retrying(RETRY_SECONDS).answer(Form::Json), "order-beside-another")
}

fn out_of_reach() -> Outcome {
    let why = "This guard does not start the application, or is about to stop, so that it can't let it rest.";
    refused(StatusCode::CONFLICT, "order-out-of-reach", why)
}

fn refused(status: StatusCode, rule: &'static str, why: &str) -> Outcome {
    Outcome::refused(Notice::new(status, TITLE, why).answer(Form::Json), rule)
}
