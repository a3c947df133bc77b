//! Whether the app that the application makes is running: once a minute, whether its port takes a
//! connection. Nothing of that leaves this machine.

use std::net::SocketAddr;
use std::time::Duration;

use domain::Signal;
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use super::Meter;

const EVERY: Duration = Duration::from_secs(60);
/// A connection on this machine is taken at once or not at all.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks until `stop`. The first look comes at once: apps may run when the guard starts.
pub(crate) async fn look(app: SocketAddr, meter: Meter, stop: CancellationToken) {
    let mut looks = interval_at(Instant::now(), EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Ok(Ok(_)) = timeout(PATIENCE, TcpStream::connect(app)).await {
            meter.seen(Signal::AppRunning, None);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use access::ListState;
    use tokio::net::TcpListener;

    use super::*;
    use crate::activity::meter::tests::Instance;

    #[tokio::test(start_paused = true)]
    async fn an_app_that_takes_connections_is_running_and_one_that_does_not_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let instance = Instance::open(folder.path());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (app, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let looking = tokio::spawn(look(app, instance.meter.clone(), stop.clone()));
        for _ in 0..3 {
            listener.accept().await.unwrap();
        }
        drop(listener);
        let begun = Instant::now();
        tokio::time::sleep(EVERY * 10).await;
        stop.cancel();
        looking.await.unwrap();
        assert!(begun.elapsed() >= EVERY * 10);
        let reports = instance.meter.ledger().unsent();
        let evidence = &reports[0].report.evidence;
        assert_eq!((reports.len(), evidence.len(), evidence[0].signal), (1, 1, Signal::AppRunning));
        assert_eq!(evidence[0].count, 3, "gone is gone");
    }

    #[tokio::test(start_paused = true)]
    async fn an_app_that_runs_on_in_a_closed_instance_is_no_use() {
        let folder = tempfile::tempdir().unwrap();
        let mut instance = Instance::open(folder.path());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (app, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        instance.enter(ListState::Suspended);
        let looking = tokio::spawn(look(app, instance.meter.clone(), stop.clone()));
        for _ in 0..3 {
            listener.accept().await.unwrap();
        }
        stop.cancel();
        looking.await.unwrap();
        assert_eq!(instance.noted(), 0);
    }
}
