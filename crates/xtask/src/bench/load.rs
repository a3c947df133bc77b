use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::table::{Measure, median};
use crate::http::Connection;
use crate::product::{Product, free_address, wait_until_served};
use crate::temporary::TemporaryFolder;

const CONNECTIONS: usize = 16;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);

/// A small answer and a page, each asked for in turns through edge and guard and from the application itself.
pub fn measure(binary: &Path) -> Result<Vec<Measure>> {
    let data = TemporaryFolder::new("bench")?;
    let product = Product::start(binary, data.path())?;
    let instance = product.provision("ada@example.com", "acme")?;
    let cookie = product.sign_in(&instance.subdomain, &instance.owner)?;
    let bare = Bare::start(binary, data.path())?;
    let guarded = Target { address: product.address, host: product.host(&instance.subdomain), cookie };
    let direct =
        Target { address: bare.address, host: format!("localhost:{}", bare.address.port()), cookie: String::new() };

    let mut measures = Vec::new();
    for (what, path) in [("a small answer", "/health"), ("a page", "/")] {
        let (mut through, mut without) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            through.push(guarded.rate(path)?);
            without.push(direct.rate(path)?);
        }
        let name = format!("{what} through edge and guard, {CONNECTIONS} connections");
        measures.push(Measure::new(name, median(&through), "requests/s").against("without them", median(&without)));
    }
    Ok(measures)
}

/// The bundled application alone.
struct Bare {
    process: Child,
    address: SocketAddr,
}

impl Bare {
    fn start(binary: &Path, data: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(binary);
        command.args(["workspace", "--listen", &address.to_string(), "--data"]).arg(data.join("bare"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().context("can't start the application alone")?;
        let mut bare = Self { process, address };
        wait_until_served(&mut bare.process, address, "/health", Instant::now())?;
        Ok(bare)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Target {
    address: SocketAddr,
    host: String,
    cookie: String,
}

impl Target {
    /// Requests answered in a second, all connections together, each waiting for its answer.
    fn rate(&self, path: &str) -> Result<f64> {
        let begin = Instant::now();
        let answered = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(|| self.ask_on(path, begin + ROUND))).collect();
            let counts = threads.into_iter().map(|thread| match thread.join() {
                Ok(count) => count,
                Err(_) => bail!("a connection's thread ended early"),
            });
            counts.sum::<Result<u32>>()
        })?;
        Ok(f64::from(answered) / begin.elapsed().as_secs_f64())
    }

    fn ask_on(&self, path: &str, end: Instant) -> Result<u32> {
        let mut connection = Connection::open(self.address, &self.host)?;
        if !self.cookie.is_empty() {
            connection = connection.with("Cookie", &self.cookie);
        }
        let mut answered = 0;
        while Instant::now() < end {
            connection.get(path)?.expect(200)?;
            answered += 1;
        }
        Ok(answered)
    }
}
