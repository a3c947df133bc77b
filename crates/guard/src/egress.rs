//! The application's way out: connections to a loopback address go, byte for byte, to a Unix
//! socket, behind which a proxy outside the walls decides about each.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinSet;

use crate::settings;

/// Connections under way. More wait until one ends.
const CONNECTIONS: usize = 128;
/// When the system has no room for one more connection.
const AFTER_A_FAULT: Duration = Duration::from_millis(200);
const AWAY: &[u8] =
    b"HTTP/1.1 502 The way out of this instance is closed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// An open way out that nobody walks yet.
pub(crate) struct Egress {
    listener: TcpListener,
    socket: PathBuf,
}

impl Egress {
    /// Takes the address.
    ///
    /// # Errors
    /// When it is in use.
    pub(crate) async fn open(settings: &settings::Egress) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(|error| anyhow::anyhow!("--egress-listen {}: {error}", settings.listen))?;
        Ok(Self { listener, socket: settings.socket.clone() })
    }

    /// Passes connections on until it is dropped, which ends them all.
    pub(crate) async fn serve(self) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Some(_) = connections.join_next() => {}
                accepted = self.listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                    Ok((inside, _)) => {
                        connections.spawn(splice(inside, self.socket.clone()));
                    }
                    Err(error) => {
                        tracing::warn!("The application's way out is blocked: {error}");
                        tokio::time::sleep(AFTER_A_FAULT).await;
                    }
                },
            }
        }
    }
}

/// Ends of one direction are passed on; a broken side breaks the other.
async fn splice(mut inside: TcpStream, socket: PathBuf) {
    // Only costs delay where it cannot be set.
    let _ = inside.set_nodelay(true);
    let passed = match UnixStream::connect(&socket).await {
        Ok(mut outside) => copy_bidirectional(&mut inside, &mut outside).await.map(drop),
        Err(error) => {
            tracing::warn!("The way out behind {} is closed: {error}", socket.display());
            refuse(&mut inside).await
        }
    };
    if let Err(error) = passed {
        tracing::debug!("A connection out broke off: {error}");
    }
}

async fn refuse(inside: &mut TcpStream) -> io::Result<()> {
    inside.write_all(AWAY).await?;
    inside.shutdown().await
}
