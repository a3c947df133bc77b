//! The one way out of an instance, where the operator lists destinations: a proxy in the server,
//! behind a Unix socket of the instance's own, that opens tunnels (HTTP `CONNECT`) and nothing else.
//!
//! What holds here:
//! - Names are judged as the application says them, addresses as they were resolved, and the
//!   address that was judged is the one connected to.
//! - A name leads only to addresses elsewhere on the Internet. This machine and its neighbourhood
//!   are reached where the operator listed the very address.
//! - What goes through is neither read nor logged.

mod address;
mod head;
mod refusal;
mod rule;
mod tunnel;

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::InstanceId;
use nix::sys::resource::{Resource, getrlimit};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::folder::Folder;
use super::seats::lock;
use head::Head;
use refusal::Refusal;
use rule::{Destination, Host};
pub use rule::{EgressRule, EgressRuleError};
use tunnel::Traffic;

/// Connections of one instance, those that are still asking or being refused included. More wait.
const CONNECTIONS: usize = 128;
const AFTER_A_FAULT: Duration = Duration::from_millis(200);
const OPENED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
const NO_ROOM: &[u8] =
    b"HTTP/1.1 503 The server has no room for more tunnels\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
/// How many different refused destinations of one instance are logged.
const REFUSALS_LOGGED: usize = 50;

/// What one instance may use up on its way out.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    tunnels: usize,
    /// A resolver may hang; each look-up holds a thread meanwhile.
    lookups: usize,
    /// For sending a request.
    asking: Duration,
    resolving: Duration,
    connecting: Duration,
    /// After so long without a byte a tunnel ends.
    silence: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            tunnels: 64,
            lookups: 4,
            asking: Duration::from_secs(10),
            resolving: Duration::from_secs(10),
            connecting: Duration::from_secs(10),
            silence: Duration::from_secs(30 * 60),
        }
    }
}

/// The open way out of one running instance. Closes, with every tunnel, when it is dropped.
#[derive(Debug)]
pub(super) struct Egress {
    socket: PathBuf,
    _serving: AbortOnDropHandle<()>,
}

impl Egress {
    /// Opens the socket in the project's folder, in place of one that an earlier run left.
    pub(super) fn open(
        folder: &Folder,
        instance: InstanceId,
        rules: Vec<EgressRule>,
        room: Arc<Semaphore>,
    ) -> io::Result<Self> {
        let listener = listen(folder.path(), &folder.egress())?;
        let gateway = Arc::new(Gateway::new(instance, rules, Bounds::default()));
        let serving = tokio::spawn(serve(listener, gateway, room));
        Ok(Self { socket: folder.egress(), _serving: AbortOnDropHandle::new(serving) })
    }
}

impl Drop for Egress {
    fn drop(&mut self) {
        // One that stays leads nowhere, and the next run replaces it.
        let _ = fs::remove_file(&self.socket);
    }
}

/// Connections of all instances together. Each takes up to two descriptors, and half of what the
/// server may open stays for its other work, whatever instances do.
pub(super) fn room() -> Arc<Semaphore> {
    let open_files = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(now, _)| now);
    let connections = usize::try_from(open_files / 4).unwrap_or(usize::MAX);
    Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS)))
}

/// The path of a socket may have 107 bytes and folders may be deeper, so the folder is named by
/// its descriptor.
fn listen(folder: &Path, socket: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(socket) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        _ => {}
    }
    let opened = File::open(folder)?;
    let name = socket.strip_prefix(folder).map_err(io::Error::other)?;
    let short = Path::new("/proc/self/fd").join(opened.as_raw_fd().to_string()).join(name);
    let listener = UnixListener::bind(short)?;
    // Guards run as users of their own; the folder around the socket keeps everybody else away.
    fs::set_permissions(socket, Permissions::from_mode(0o666))?;
    Ok(listener)
}

async fn serve(listener: UnixListener, gateway: Arc<Gateway>, room: Arc<Semaphore>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => match Arc::clone(&room).try_acquire_owned() {
                    Ok(place) => {
                        let gateway = Arc::clone(&gateway);
                        connections.spawn(async move {
                            gateway.attend(stream).await;
                            drop(place);
                        });
                    }
                    Err(_) => {
                        gateway.log_refusal("no more destinations", "the server has no room for more tunnels");
                        // Waiting for the request would take the room that is missing.
                        let _ = stream.try_write(NO_ROOM);
                    }
                },
                Err(cause) => {
                    tracing::warn!(instance.id = %gateway.instance, "No tunnel can be opened: {cause}");
                    sleep(AFTER_A_FAULT).await;
                }
            },
        }
    }
}

/// Decides for one instance.
struct Gateway {
    instance: InstanceId,
    rules: Vec<EgressRule>,
    bounds: Bounds,
    tunnels: Semaphore,
    lookups: Arc<Semaphore>,
    refused: Mutex<BTreeSet<String>>,
}

impl Gateway {
    fn new(instance: InstanceId, rules: Vec<EgressRule>, bounds: Bounds) -> Self {
        Self {
            instance,
            rules,
            bounds,
            tunnels: Semaphore::new(bounds.tunnels),
            lookups: Arc::new(Semaphore::new(bounds.lookups)),
            refused: Mutex::default(),
        }
    }

    async fn attend(&self, mut inside: UnixStream) {
        let asked = timeout(self.bounds.asking, head::read(&mut inside)).await;
        let head = match asked {
            Ok(Ok(Some(head))) => head,
            Ok(Ok(None)) => return,
            Ok(Err(refusal)) => return refusal.tell(&mut inside).await,
            Err(_) => return Refusal::new(408, "the request for a tunnel took too long").tell(&mut inside).await,
        };
        let Ok(_tunnel) = self.tunnels.try_acquire() else {
            let reason = format!("{} tunnels are open already; close some", self.bounds.tunnels);
            return Refusal::new(503, reason).tell(&mut inside).await;
        };
        match self.connect(&head.destination).await {
            Ok(outside) => self.carry(inside, outside, head).await,
            Err(refusal) => {
                self.log_refusal(&head.destination.to_string(), &refusal.reason);
                refusal.tell(&mut inside).await;
            }
        }
    }

    async fn carry(&self, mut inside: UnixStream, mut outside: TcpStream, head: Head) {
        let (instance, destination) = (self.instance, head.destination);
        tracing::debug!(instance.id = %instance, %destination, "{instance} opens a tunnel to {destination}");
        let traffic = Traffic::default();
        traffic.sent.store(head.early.len() as u64, Ordering::Relaxed);
        let begun = async {
            inside.write_all(OPENED).await?;
            outside.write_all(&head.early).await
        };
        if let Ok(Ok(())) = timeout(self.bounds.silence, begun).await {
            tunnel::carry(inside, outside, &traffic, self.bounds.silence).await;
        }
        let (sent, received) = (traffic.sent.into_inner(), traffic.received.into_inner());
        tracing::info!(
            instance.id = %instance, %destination, sent, received,
            "The tunnel of {instance} to {destination} closed after {sent} bytes out and {received} in"
        );
    }

    async fn connect(&self, destination: &Destination) -> Result<TcpStream, Refusal> {
        if !self.is_listed(destination) {
            return Err(not_listed(destination));
        }
        let found = match &destination.host {
            Host::Address(address) => vec![SocketAddr::new(*address, destination.port)],
            Host::Name(name) => self.resolve(name, destination.port).await?,
        };
        let allowed = self.allowed(destination, found)?;
        match timeout(self.bounds.connecting, TcpStream::connect(allowed.as_slice())).await {
            Ok(Ok(stream)) => {
                // Only costs delay where it cannot be set.
                let _ = stream.set_nodelay(true);
                Ok(stream)
            }
            Ok(Err(cause)) => Err(Refusal::new(502, format!("{destination} cannot be reached: {}", cause.kind()))),
            Err(_) => Err(Refusal::new(504, format!("{destination} did not answer in time"))),
        }
    }

    fn is_listed(&self, destination: &Destination) -> bool {
        self.rules.iter().any(|rule| rule.allows(destination))
    }

    async fn resolve(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>, Refusal> {
        let looked_up = async {
            let permit = Arc::clone(&self.lookups).acquire_owned().await.map_err(io::Error::other)?;
            let name = name.to_owned();
            let lookup = tokio::task::spawn_blocking(move || {
                // Held until the resolver returns, even when nobody waits for it any more.
                let _permit = permit;
                (name.as_str(), port).to_socket_addrs().map(Iterator::collect)
            });
            lookup.await.map_err(io::Error::other)?
        };
        match timeout(self.bounds.resolving, looked_up).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(_)) => Err(Refusal::new(502, format!("the name {name} is not known"))),
            Err(_) => Err(Refusal::new(504, format!("the name {name} was not resolved in time"))),
        }
    }

    /// Those that may be connected to.
    fn allowed(&self, destination: &Destination, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refusal> {
        let first = found.first().copied();
        let is_allowed = |found: &SocketAddr| {
            let host = Host::Address(found.ip().to_canonical());
            address::is_elsewhere(found.ip()) || self.is_listed(&Destination { host, port: found.port() })
        };
        let allowed: Vec<SocketAddr> = found.into_iter().filter(is_allowed).collect();
        match (allowed.is_empty(), first) {
            (false, _) => Ok(allowed),
            (true, None) => Err(Refusal::new(502, format!("{destination} has no address"))),
            (true, Some(first)) => Err(Refusal::new(
                403,
                format!("{destination} is at {first}, not a public address: list {first} in [compute] egress too"),
            )),
        }
    }

    /// Once for each destination: an application may try again without end.
    fn log_refusal(&self, destination: &str, reason: &str) {
        let mut refused = lock(&self.refused);
        if refused.len() < REFUSALS_LOGGED && refused.insert(destination.to_owned()) {
            let instance = self.instance;
            tracing::info!(instance.id = %instance, %destination, "{instance} gets no tunnel: {reason}");
        }
    }
}

fn not_listed(destination: &Destination) -> Refusal {
    Refusal::new(403, format!("{destination} is not listed in [compute] egress of spinoff.toml (or --app-egress)"))
}

#[cfg(test)]
mod tests;
