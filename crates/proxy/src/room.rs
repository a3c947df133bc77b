//! How many connections may be open at once, in all and of one peer.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How often at most the log says that there is no room.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// Places for connections.
pub(crate) struct Room {
    most: usize,
    places: Arc<Semaphore>,
    most_of_one: usize,
    peers: Peers,
    said: Option<Instant>,
}

/// A free place, not yet anybody's.
pub(crate) struct Place {
    _permit: Option<OwnedSemaphorePermit>,
}

/// The place that a connection takes up. It is free again when this is dropped.
pub(crate) struct Seat {
    _place: Place,
    _share: Option<Share>,
}

/// One of a peer's connections.
struct Share {
    network: IpAddr,
    peers: Peers,
}

#[derive(Clone, Default)]
struct Peers(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Room {
    pub(crate) fn for_connections(most: usize, most_of_one: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        Self { most, places: Arc::new(Semaphore::new(most)), most_of_one, peers: Peers::default(), said: None }
    }

    /// Waits until there is a place.
    pub(crate) async fn place(&mut self) -> Place {
        if self.places.available_permits() == 0 && self.said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            self.said = Some(Instant::now());
            tracing::warn!(connections = self.most, "All {} connections are taken; others wait", self.most);
        }
        // The semaphore is never closed, so there always is a permit in the end.
        Place { _permit: Arc::clone(&self.places).acquire_owned().await.ok() }
    }

    /// Gives the place to a connection, unless its peer has as many as one may.
    pub(crate) fn seat(&self, place: Place, peer: Option<IpAddr>) -> Option<Seat> {
        let share = match peer.map(|address| address.to_canonical()).filter(|address| !address.is_loopback()) {
            Some(address) => Some(self.peers.share(network(address), self.most_of_one)?),
            None => None,
        };
        Some(Seat { _place: place, _share: share })
    }
}

impl Peers {
    fn share(&self, network: IpAddr, most: usize) -> Option<Share> {
        let mut counts = self.lock();
        let count = counts.get(&network).copied().unwrap_or(0);
        if count >= most {
            tracing::debug!(%network, "{network} has {count} connections open; another one was closed");
            return None;
        }
        counts.insert(network, count + 1);
        Some(Share { network, peers: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut counts = self.peers.lock();
        match counts.get_mut(&self.network) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.network)),
        }
    }
}

/// Whoever has one address of an IPv6 network of 64 bits has all of them.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[tokio::test]
    async fn one_peer_takes_only_its_share_and_gives_it_back() {
        let mut room = Room::for_connections(100, 2);
        let seat = async |room: &mut Room, peer: &str| {
            let place = room.place().await;
            room.seat(place, Some(peer.parse().unwrap()))
        };
        let first = seat(&mut room, "203.0.113.9").await.unwrap();
        let _second = seat(&mut room, "::ffff:203.0.113.9").await.unwrap();
        assert!(seat(&mut room, "203.0.113.9").await.is_none());
        assert!(seat(&mut room, "203.0.113.10").await.is_some(), "a neighbour is not refused with it");
        drop(first);
        assert!(seat(&mut room, "203.0.113.9").await.is_some());

        let _of_a_network =
            (seat(&mut room, "2001:db8::1").await.unwrap(), seat(&mut room, "2001:db8::2").await.unwrap());
        assert!(seat(&mut room, "2001:db8::3").await.is_none());
        let mut local = Vec::new();
        for _ in 0..5 {
            local.push(seat(&mut room, "127.0.0.1").await.unwrap());
        }
        drop((local, _second, _of_a_network));
        assert!(room.peers.lock().is_empty(), "peers without connections are forgotten");
    }
}
