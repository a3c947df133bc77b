//! The application and all its visitors in one thread: what surrounds the program under test has one
//! core to itself, and must not be what ends first.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::retry_on_intr;

use super::answer::Head;

/// Where the key set is; every other path is answered alike.
pub const CERTS: &str = "/certs";

/// Larger than any request or answer here.
const BUFFER: usize = 16 * 1024;

/// No answer within this time is no slow proxy, but a broken one.
pub const PATIENCE: Duration = Duration::from_secs(10);

const LISTENER: u64 = u64::MAX;

/// Whether a registered number means one of the application's connections or a visitor's.
const OF_APPLICATION: u64 = 1 << 32;

/// The application, and the means to visit it.
pub struct Traffic {
    epoll: OwnedFd,
    listener: TcpListener,
    /// Connections to the application, by their registered number.
    served: Vec<Option<Peer>>,
    page: Vec<u8>,
    key_set: Vec<u8>,
    happened: Vec<Event>,
}

/// Connections that are kept open to one address.
pub struct Visitors {
    target: SocketAddr,
    peers: Vec<Peer>,
    /// Those with nothing under way.
    free: Vec<usize>,
}

/// What one answer was, whose, and when it was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    pub visitor: usize,
    pub status: u16,
    pub at: Instant,
}

struct Peer {
    stream: TcpStream,
    buffer: Box<[u8]>,
    filled: usize,
}

impl Traffic {
    /// An application that answers every request with the same small page, and one path with a key set.
    pub fn new(listener: TcpListener, key_set: &str) -> Result<Self> {
        listener.set_nonblocking(true)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC).context("making an epoll instance")?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        let page = r#"{"meeting":"mtg_01","title":"Planning","participants":["ada","bob"],"open":true}"#;
        let answer = |body: &str| {
            let length = body.len();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
            format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
        };
        let (page, key_set) = (answer(page), answer(key_set));
        Ok(Self { epoll, listener, served: Vec::new(), page, key_set, happened: Vec::with_capacity(256) })
    }

    /// Where the application listens.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Opens that many connections.
    pub fn visit(&self, target: SocketAddr, connections: usize) -> Result<Visitors> {
        let mut peers = Vec::with_capacity(connections);
        for number in 0..connections {
            let stream = TcpStream::connect(target).with_context(|| format!("connecting to {target}"))?;
            let peer = Peer::new(stream)?;
            epoll::add(&self.epoll, &peer.stream, EventData::new_u64(number as u64), EventFlags::IN)?;
            peers.push(peer);
        }
        Ok(Visitors { target, peers, free: (0..connections).rev().collect() })
    }

    /// The status that a single request is answered with, on a connection of its own.
    pub fn ask(&mut self, target: SocketAddr, request: &[u8]) -> Result<u16> {
        let mut visitors = self.visit(target, 1)?;
        visitors.send(request)?;
        let mut answered = Vec::new();
        while answered.is_empty() {
            self.turn(&mut visitors, PATIENCE, &mut answered)?;
        }
        Ok(answered.first().map_or(0, |answer| answer.status))
    }

    /// Serves those who visit from elsewhere, until told to stop.
    pub fn serve_others(&mut self, stop: &AtomicBool) -> Result<()> {
        let mut nobody = self.visit(self.address()?, 0)?;
        while !stop.load(Ordering::Relaxed) {
            self.turn(&mut nobody, Duration::from_millis(20), &mut Vec::new())?;
        }
        Ok(())
    }

    /// Waits until something happens and does what is due for it: the application answers, and what the
    /// visitors were answered is added to `answered`. Nothing happens until `due`: that is no fault, unless
    /// all patience ends.
    pub fn turn(&mut self, visitors: &mut Visitors, due: Duration, answered: &mut Vec<Answered>) -> Result<()> {
        let mut happened = std::mem::take(&mut self.happened);
        happened.clear();
        let begin = Instant::now();
        loop {
            // Under full load nobody here ever sleeps: a slow contender would pay for waking us up with
            // each answer, and a fast one would not.
            let asleep = if due >= PATIENCE { Duration::ZERO } else { due };
            let timeout = Timespec { tv_sec: asleep.as_secs().cast_signed(), tv_nsec: asleep.subsec_nanos().into() };
            // A machine that was paused shows as a wait that was interrupted.
            retry_on_intr(|| epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut happened), Some(&timeout)))?;
            if !happened.is_empty() || begin.elapsed() >= due {
                break;
            }
        }
        if happened.is_empty() && due >= PATIENCE {
            bail!("no answer from {} for {} s", visitors.target, PATIENCE.as_secs());
        }
        for event in &happened {
            match { event.data }.u64() {
                LISTENER => self.accept()?,
                number if number >= OF_APPLICATION => self.serve((number - OF_APPLICATION) as usize)?,
                number => answered.extend(visitors.receive(number as usize)?),
            }
        }
        self.happened = happened;
        Ok(())
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("accepting as the application"),
            };
            let free = self.served.iter().position(Option::is_none);
            let slot = free.unwrap_or(self.served.len());
            if free.is_none() {
                self.served.push(None);
            }
            let peer = Peer::new(stream)?;
            let number = EventData::new_u64(OF_APPLICATION + slot as u64);
            epoll::add(&self.epoll, &peer.stream, number, EventFlags::IN)?;
            if let Some(place) = self.served.get_mut(slot) {
                *place = Some(peer);
            }
        }
    }

    fn serve(&mut self, slot: usize) -> Result<()> {
        let Some(place) = self.served.get_mut(slot) else { return Ok(()) };
        let Some(peer) = place else { return Ok(()) };
        // A program that was stopped leaves its connections; that is for whoever asked to notice.
        if !peer.fill().unwrap_or(false) {
            *place = None;
            return Ok(());
        }
        let request = peer.buffer.get(..peer.filled).unwrap_or_default();
        if !request.ends_with(b"\r\n\r\n") {
            return Ok(());
        }
        let asks_keys = request.strip_prefix(b"GET ").is_some_and(|rest| rest.starts_with(CERTS.as_bytes()));
        peer.filled = 0;
        peer.stream
            .write_all(if asks_keys { &self.key_set } else { &self.page })
            .context("answering as the application")
    }
}

impl Visitors {
    /// Whether one of them has nothing under way.
    pub fn has_free(&self) -> bool {
        !self.free.is_empty()
    }

    /// Whether none of them has anything under way.
    pub fn all_free(&self) -> bool {
        self.free.len() == self.peers.len()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.peers.len()
    }

    /// Sends a request through one that is free, and says which that was.
    pub fn send(&mut self, request: &[u8]) -> Result<usize> {
        let visitor = self.free.pop().context("every connection waits for an answer")?;
        let peer = self.peers.get_mut(visitor).context("no such visitor")?;
        peer.stream.write_all(request).with_context(|| format!("sending a request to {}", self.target))?;
        Ok(visitor)
    }

    fn receive(&mut self, visitor: usize) -> Result<Option<Answered>> {
        let Some(peer) = self.peers.get_mut(visitor) else { return Ok(None) };
        if !peer.fill()? {
            bail!("{} closed a connection that was to be kept", self.target);
        }
        let received = peer.buffer.get(..peer.filled).unwrap_or_default();
        let Some(head) = Head::of(received).with_context(|| format!("reading an answer of {}", self.target))? else {
            return Ok(None);
        };
        if peer.filled < head.length {
            return Ok(None);
        }
        peer.filled = 0;
        self.free.push(visitor);
        Ok(Some(Answered { visitor, status: head.status, at: Instant::now() }))
    }
}

impl Peer {
    fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER].into_boxed_slice(), filled: 0 })
    }

    /// Reads what has come; false when the other side has closed.
    fn fill(&mut self) -> Result<bool> {
        let room = self.buffer.get_mut(self.filled..).filter(|room| !room.is_empty());
        let room = room.context("more than fits in the buffer")?;
        match self.stream.read(room) {
            Ok(0) => Ok(false),
            Ok(read) => {
                self.filled += read;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

/// What is left until a moment.
pub fn until(moment: Instant) -> Duration {
    moment.saturating_duration_since(Instant::now())
}
