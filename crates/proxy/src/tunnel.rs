//! The bytes of an upgraded connection, carried both ways.

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::ClientWatch;

const BUFFER_BYTES: usize = 8 * 1024;

/// Carries bytes between both sides until both are done, or `end` comes.
pub(crate) async fn carry(
    client: OnUpgrade,
    upstream: OnUpgrade,
    watch: Option<Box<dyn ClientWatch>>,
    end: impl Future<Output = ()> + Send,
) {
    let (client, upstream) = match tokio::try_join!(client, upstream) {
        Ok(both) => both,
        Err(error) => {
            tracing::debug!(%error, "An agreed upgrade did not happen: {error}");
            return;
        }
    };
    tokio::select! {
        () = both_ways(client, upstream, watch) => {}
        () = end => {}
    }
}

async fn both_ways(client: Upgraded, upstream: Upgraded, watch: Option<Box<dyn ClientWatch>>) {
    let (mut client_reads, mut client_writes) = tokio::io::split(TokioIo::new(client));
    let (mut upstream_reads, mut upstream_writes) = tokio::io::split(TokioIo::new(upstream));
    let up = one_way(&mut client_reads, &mut upstream_writes, watch);
    let down = one_way(&mut upstream_reads, &mut client_writes, None);
    // An error in one direction means that a side is gone: nothing is left to wait for. An orderly
    // end leaves the other direction to finish.
    if let Err(error) = tokio::try_join!(up, down) {
        tracing::debug!(%error, "A tunnel broke off: {error}");
    }
}

async fn one_way(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut watch: Option<Box<dyn ClientWatch>>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut buffer).await?;
        let piece = buffer.get(..read).unwrap_or_default();
        if piece.is_empty() {
            if let Some(watch) = &mut watch {
                watch.client_done();
            }
            return to.shutdown().await;
        }
        if let Some(watch) = &mut watch {
            watch.client_sent(piece);
        }
        to.write_all(piece).await?;
        to.flush().await?;
    }
}
