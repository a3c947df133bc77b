//! What fuzzers get to see of the inside: the very functions that decide, with no decision of its
//! own. Not part of any build but theirs.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser as _;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use hyper::service::service_fn;
use proxy::{Limits, Listener, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub use crate::app_site::{DotSegments, Place, Way};
pub use crate::headers::Assertion;

use crate::activity::application_report;
use crate::emergency::basic::{self, Basic};
use crate::headers;
use crate::peers::Peer;
use crate::run::{HTTP2_STREAMS, Parts, assemble};
use crate::settings::{Environment, Settings};
use crate::{Args, cookies};

/// A stranger's address: one of those that documents are written with.
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

/// For an answer to begin. What has none by then waits for more of its request, which does not come.
const QUIET: Duration = Duration::from_millis(2);

/// A whole guard, as its options make it, without a socket of its own.
pub struct Door {
    runtime: Runtime,
    parts: Parts,
}

/// Takes one connection and no other.
struct Once(Mutex<Option<DuplexStream>>);

impl Door {
    /// A guard with these options.
    ///
    /// # Errors
    /// When they can't be run.
    pub fn new(options: &[&str]) -> anyhow::Result<Self> {
        let args = Args::try_parse_from(std::iter::once(&"spinoff-guard").chain(options))?;
        let settings = Settings::check(args, &Environment::default())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let parts = {
            let _within = runtime.enter();
            assemble(&settings, &CancellationToken::new())?.0
        };
        Ok(Self { runtime, parts })
    }

    /// Where a request for this host and target leads.
    ///
    /// # Errors
    /// [`DotSegments`].
    pub fn place(&self, host: &HeaderValue, target: &Uri) -> Result<Place, DotSegments> {
        self.parts.guard.app_site.place(host, target)
    }

    /// A request as it is to be seen there; `None` where it can't be put so.
    #[must_use]
    pub fn inward(&self, place: Place, request: Request<()>) -> Option<Request<()>> {
        self.parts.guard.app_site.inward(place, request).ok()
    }

    /// An answer's headers as whoever asked the app is to see them.
    pub fn outward(&self, way: Way, host: &HeaderValue, headers: &mut HeaderMap) {
        self.parts.guard.app_site.outward(way, Some(host), headers);
    }

    /// What a stranger gets who sends these bytes on one connection and then leaves.
    ///
    /// # Errors
    /// When the connection breaks, which one in memory does not.
    pub fn converse(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.runtime.block_on(async {
            let (mut client, server) = tokio::io::duplex(64 * 1024);
            let stop = CancellationToken::new();
            let limits = Limits { http2_streams: Some(HTTP2_STREAMS), ..Limits::default() };
            let serving = serve(Once(Mutex::new(Some(server))), limits, stop.clone(), |peer| {
                let guard = Arc::clone(&self.parts.guard);
                service_fn(move |request| {
                    let guard = Arc::clone(&guard);
                    async move { Ok::<_, Infallible>(guard.serve(peer, request).await) }
                })
            });
            let talking = async {
                let mut answer = Vec::new();
                // A server that has heard enough reads no further.
                let _ = client.write_all(bytes).await;
                while let Ok(read) = tokio::time::timeout(QUIET, client.read_buf(&mut answer)).await {
                    if read? == 0 {
                        break;
                    }
                }
                client.shutdown().await?;
                client.read_to_end(&mut answer).await?;
                drop(client);
                stop.cancel();
                Ok(answer)
            };
            tokio::join!(serving, talking).1
        })
    }
}

impl Listener for Once {
    type Io = DuplexStream;
    type Peer = Peer;

    async fn accept(&self) -> io::Result<(DuplexStream, Peer)> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match connection {
            Some(connection) => {
                Ok((connection, Peer { address: SocketAddr::new(STRANGER, 50_000), is_trusted: false }))
            }
            None => pending().await,
        }
    }

    fn address(peer: &Peer) -> Option<IpAddr> {
        Some(peer.address.ip())
    }
}

/// Finds the assertion.
#[must_use]
pub fn assertion(headers: &HeaderMap) -> Assertion<'_> {
    headers::assertion(headers)
}

/// Removes everything by which a client could pose as somebody else.
pub fn strip(headers: &mut HeaderMap) {
    headers::strip(headers);
}

/// Removes cookies from an answer that would pass for the platform's.
pub fn strip_answer(headers: &mut HeaderMap) {
    cookies::strip_answer(headers);
}

/// User and password, where a request brings exactly one of each that can be read.
#[must_use]
pub fn basic(headers: &HeaderMap) -> Option<(Vec<u8>, Vec<u8>)> {
    match basic::sent(headers) {
        Basic::One(credentials) => Some((credentials.user().to_vec(), credentials.password().to_vec())),
        Basic::None | Basic::Unreadable => None,
    }
}

/// Removes credentials of this user.
pub fn conceal(headers: &mut HeaderMap, user: &[u8]) {
    basic::conceal(headers, user);
}

/// Whether this is taken for the application's own report of use.
#[must_use]
pub fn is_report(peer: SocketAddr, target: &Uri, headers: &HeaderMap) -> bool {
    application_report::is_report(peer, &Method::POST, target, headers)
}
