//! The way to package registries: a proxy on this machine's loopback that leads to listed hosts, and
//! to nothing else.
//!
//! The wall knows ports and no addresses, so whoever may connect to the proxy's port may connect to
//! that port anywhere. Where this machine has no network but loopback that is nowhere; elsewhere the
//! way is opened only if the operator insists.

use std::collections::BTreeSet;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Where the proxy listens: the first of these that is free. They are not ephemeral, so no command
/// that has a loopback reaches them by that.
const PORTS: std::ops::RangeInclusive<u16> = 3131..=3139;
/// What registries are asked over.
const HTTPS: u16 = 443;
/// The longest request for a connection, in bytes.
const LONGEST_HEAD: usize = 8 * 1024;
/// Connections at the same time.
const MOST: usize = 64;
const PATIENCE: Duration = Duration::from_secs(30);

/// The registries of the stacks that are known.
pub const USUAL: [&str; 5] =
    ["registry.npmjs.org", "pypi.org", "files.pythonhosted.org", "index.crates.io", "static.crates.io"];

/// Which registries there are, and the way to them.
#[derive(Debug, Clone, Default)]
pub struct Registries {
    /// Hosts, to the letter, in lower case.
    pub hosts: BTreeSet<String>,
    /// `host:port` of a proxy on the way; without one they are reached directly.
    pub through: Option<String>,
    /// Opens the way where this machine has a network of its own, too.
    pub insist: bool,
}

/// The open way; closed when it is dropped.
pub(super) struct Gate {
    pub(super) port: u16,
    server: JoinHandle<()>,
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Gate {
    /// Opens the way.
    ///
    /// # Errors
    /// When none of the ports is free.
    pub(super) async fn open(registries: Registries) -> io::Result<Self> {
        let mut refusal = io::Error::other("no port for the way to package registries is free");
        for port in PORTS {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                Ok(listener) => {
                    let server = tokio::spawn(serve(listener, Arc::new(registries)));
                    return Ok(Self { port, server });
                }
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }
}

async fn serve(listener: TcpListener, registries: Arc<Registries>) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((client, _)) = listener.accept().await else { continue };
        let registries = Arc::clone(&registries);
        tokio::spawn(async move {
            if let Err(error) = pass(client, &registries).await {
                tracing::debug!(%error, "A connection to a package registry broke off: {error}");
            }
            drop(place);
        });
    }
}

async fn pass(mut client: TcpStream, registries: &Registries) -> io::Result<()> {
    let head = timeout(PATIENCE, read_head(&mut client)).await??;
    let Some(host) = wanted(&head, &registries.hosts) else {
        tracing::info!("A command asked for a host that is no package registry");
        return client.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    };
    match timeout(PATIENCE, connect(host, registries.through.as_deref())).await {
        Ok(Ok(mut registry)) => {
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            copy_bidirectional(&mut client, &mut registry).await?;
            Ok(())
        }
        _ => client.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await,
    }
}

async fn connect(host: &str, through: Option<&str>) -> io::Result<TcpStream> {
    let Some(proxy) = through else { return TcpStream::connect((host, HTTPS)).await };
    let mut stream = TcpStream::connect(proxy).await?;
    stream.write_all(format!("CONNECT {host}:{HTTPS} HTTP/1.1\r\nhost: {host}:{HTTPS}\r\n\r\n").as_bytes()).await?;
    let answer = read_head(&mut stream).await?;
    let is_open = answer.split(' ').nth(1) == Some("200");
    is_open.then_some(stream).ok_or_else(|| io::Error::other("the proxy on the way to it refuses"))
}

/// Byte by byte, so that nothing after the head is taken from whoever comes next.
async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= LONGEST_HEAD {
            return Err(io::Error::other("the head of a request does not end"));
        }
        head.push(stream.read_u8().await?);
    }
    String::from_utf8(head).map_err(io::Error::other)
}

/// The registry that a request for a connection wants, if it is one.
fn wanted<'a>(head: &str, hosts: &'a BTreeSet<String>) -> Option<&'a str> {
    let mut words = head.lines().next()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let (host, port) = target.rsplit_once(':')?;
    let is_asked = method == "CONNECT" && version.starts_with("HTTP/1.") && words.next().is_none();
    let known = hosts.get(&host.to_ascii_lowercase())?;
    (is_asked && port == "443").then_some(known.as_str())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn usual() -> BTreeSet<String> {
        USUAL.map(str::to_owned).into()
    }

    #[test]
    fn only_a_connection_to_a_listed_host_is_given() {
        let hosts = usual();
        assert_eq!(wanted("CONNECT registry.npmjs.org:443 HTTP/1.1\r\n\r\n", &hosts), Some("registry.npmjs.org"));
        assert_eq!(wanted("CONNECT PyPI.org:443 HTTP/1.0\r\n\r\n", &hosts), Some("pypi.org"));
        for head in [
            "",
            "CONNECT\r\n",
            "CONNECT evil.example:443 HTTP/1.1\r\n",
            "CONNECT registry.npmjs.org:80 HTTP/1.1\r\n",
            "CONNECT registry.npmjs.org.evil.example:443 HTTP/1.1\r\n",
            "CONNECT evil.example/registry.npmjs.org:443 HTTP/1.1\r\n",
            "GET http://registry.npmjs.org:443/ HTTP/1.1\r\n",
            "CONNECT a@registry.npmjs.org:443 HTTP/1.1\r\n",
            "CONNECT registry.npmjs.org.:443 HTTP/1.1\r\n",
            "CONNECT registry.npmjs.org:443 HTTP/1.1 x\r\n",
            "connect registry.npmjs.org:443 HTTP/1.1\r\n",
            "CONNECT 127.0.0.1:443 HTTP/1.1\r\n",
        ] {
            assert_eq!(wanted(head, &hosts), None, "{head}");
        }
    }

    #[tokio::test]
    async fn what_is_listed_passes_through_the_proxy_on_the_way_and_the_rest_does_not() {
        let far = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let through = Some(far.local_addr().unwrap().to_string());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = far.accept().await.unwrap();
                let head = read_head(&mut stream).await.unwrap();
                assert!(head.starts_with("CONNECT pypi.org:443 "), "{head}");
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").await.unwrap();
            }
        });
        let gate = Gate::open(Registries { hosts: usual(), through, insist: false }).await.unwrap();
        let mut client = TcpStream::connect(("127.0.0.1", gate.port)).await.unwrap();
        client.write_all(b"CONNECT pypi.org:443 HTTP/1.1\r\n\r\n").await.unwrap();
        let mut said = String::new();
        client.read_to_string(&mut said).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 200 ") && said.ends_with("\r\n\r\nhello"), "{said}");
        let mut client = TcpStream::connect(("127.0.0.1", gate.port)).await.unwrap();
        client.write_all(b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n").await.unwrap();
        said.clear();
        client.read_to_string(&mut said).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 403 "), "{said}");
    }
}
