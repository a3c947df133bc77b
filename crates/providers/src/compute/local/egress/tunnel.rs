//! What goes through a tunnel, once it is open.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::sleep;

const PIECE: usize = 16 << 10;

/// How much went through, in bytes; kept also when the tunnel breaks.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) sent: AtomicU64,
    pub(super) received: AtomicU64,
}

impl Traffic {
    fn total(&self) -> u64 {
        self.sent.load(Ordering::Relaxed) + self.received.load(Ordering::Relaxed)
    }
}

/// Copies both ways until both sides have finished, one fails, or nothing came for a while.
pub(super) async fn carry(mut inside: UnixStream, mut outside: TcpStream, traffic: &Traffic, silence: Duration) {
    let (from_inside, to_inside) = inside.split();
    let (from_outside, to_outside) = outside.split();
    let both = async {
        tokio::try_join!(
            one_way(from_inside, to_outside, &traffic.sent),
            one_way(from_outside, to_inside, &traffic.received)
        )
    };
    tokio::select! {
        // A side that broke off is as done as one that finished: it shows in what was carried.
        _ = both => {}
        () = until_silent(traffic, silence) => {}
    }
}

/// The end of one direction is passed on; the other goes on.
async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    count: &AtomicU64,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..length]).await?;
        count.fetch_add(length as u64, Ordering::Relaxed);
    }
}

/// A peer that vanished without a word would hold its tunnel for ever.
async fn until_silent(traffic: &Traffic, silence: Duration) {
    loop {
        let before = traffic.total();
        sleep(silence).await;
        if traffic.total() == before {
            return;
        }
    }
}
