//! The thread that starts instances. The kernel ends a sandbox when the *thread* that started it
//! ends, and the threads of an async runtime come and go; this one stays as long as the driver.

use std::io;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

type Order = (Command, oneshot::Sender<io::Result<Child>>);

/// Starts programs that live no longer than it, nor than this process.
#[derive(Debug)]
pub struct Spawner(mpsc::Sender<Order>);

impl Spawner {
    /// Must be called inside a Tokio runtime, which will watch the programs.
    ///
    /// # Errors
    /// When there can be no such thread.
    pub fn start() -> io::Result<Self> {
        let (orders, inbox) = mpsc::channel::<Order>();
        let runtime = Handle::current();
        std::thread::Builder::new().name("spawner".to_owned()).spawn(move || {
            let _context = runtime.enter();
            for (mut command, answer) in inbox {
                // A caller that no longer waits drops the child, which kills it.
                let _ = answer.send(command.kill_on_drop(true).spawn());
            }
        })?;
        Ok(Self(orders))
    }

    /// Starts a program.
    ///
    /// # Errors
    /// When it can't be started.
    pub async fn spawn(&self, command: Command) -> io::Result<Child> {
        let (answer, started) = oneshot::channel();
        let gone = || io::Error::other("the thread that starts instances is gone");
        self.0.send((command, answer)).map_err(|_| gone())?;
        started.await.map_err(|_| gone())?
    }
}
