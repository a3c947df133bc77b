//! The product itself, run as its users run it: built, started, spoken to over HTTP, stopped.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::http::Connection;
use crate::shell::{self, cargo, step};

/// Longer than any start or provisioning takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. It is stopped when this value goes.
pub struct Product {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From the beginning of the process to its first answer.
    pub ready_after: Duration,
    token: String,
    /// Signs the operator in.
    pub admin_link: String,
}

/// An instance that was made through the API.
pub struct Instance {
    pub id: String,
    pub subdomain: String,
    pub owner: String,
}

impl Product {
    /// Builds the executable as it is released.
    pub fn build_release() -> Result<PathBuf> {
        step("building the release", || {
            shell::run(cargo().args(["build", "--quiet", "--release", "-p", "spinoff", "--bin", "spinoff"]))
        })?;
        Ok(shell::root().join("target/release/spinoff"))
    }

    /// Starts a server on a free port, and waits until it serves.
    pub fn start(binary: &Path, data: &Path) -> Result<Self> {
        Self::start_at(free_address()?, binary, data)
    }

    /// Starts a server that listens here, and waits until it serves.
    pub fn start_at(address: SocketAddr, binary: &Path, data: &Path) -> Result<Self> {
        let log = shell::root().join("target/product.log");
        let logged = fs::File::create(&log).with_context(|| format!("making {}", log.display()))?;
        let mut command = Command::new(binary);
        command.arg("--data").arg(data).args(["up", "--listen", &address.to_string()]);
        command.stdin(Stdio::null()).stdout(logged.try_clone()?).stderr(logged);
        let begin = Instant::now();
        let process = command.spawn().with_context(|| format!("can't start {}", binary.display()))?;
        let mut product =
            Self { process, address, ready_after: Duration::ZERO, token: String::new(), admin_link: String::new() };
        product.ready_after = wait_until_served(&mut product.process, address, "/-/ready", begin)
            .with_context(|| format!("what it said is in {}", log.display()))?;
        let file = wait_for("run/server.json in the data folder", || {
            Ok(fs::read(data.join("run/server.json")).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok()))
        })?;
        product.token = text(&file, "token")?;
        product.admin_link = text(&file, "admin_link")?;
        Ok(product)
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Name and port under which people reach something here; an empty subdomain is the site itself.
    pub fn host(&self, subdomain: &str) -> String {
        let port = self.address.port();
        if subdomain.is_empty() { format!("localhost:{port}") } else { format!("{subdomain}.localhost:{port}") }
    }

    /// A connection to the site.
    pub fn site(&self) -> Result<Connection> {
        Connection::open(self.address, &self.host(""))
    }

    /// A connection with the operator's token.
    pub fn api(&self) -> Result<Connection> {
        Ok(self.site()?.with("Authorization", &format!("Bearer {}", self.token)))
    }

    /// Makes an instance and waits until it is healthy.
    pub fn provision(&self, owner: &str, subdomain: &str) -> Result<Instance> {
        let mut api = self.api()?;
        let wanted = json!({ "customer_email": owner, "subdomain": subdomain });
        let accepted = api.post_json("/api/v1/instances", &wanted)?.expect(202)?.json()?;
        let instance =
            Instance { id: text(&accepted, "id")?, subdomain: subdomain.to_owned(), owner: owner.to_owned() };
        wait_for_state(&mut api, &instance, "active")?;
        Ok(instance)
    }

    /// Takes an instance down and waits until it is gone.
    pub fn delete(&self, instance: &Instance) -> Result<()> {
        let mut api = self.api()?;
        let body = json!({ "confirm": instance.subdomain }).to_string();
        let path = format!("/api/v1/instances/{}", instance.id);
        api.send("DELETE", &path, "application/json", body.as_bytes())?.expect(202)?;
        wait_for_state(&mut api, instance, "deleted")
    }

    /// The one-time code that was last mailed to an address, once there is one more than before.
    pub fn mailed_code(&self, to: &str, ask: impl FnOnce() -> Result<()>) -> Result<String> {
        let mut site = self.site()?;
        let mut codes = || -> Result<Vec<String>> {
            let messages = site.get("/mailbox/messages.json")?.expect(200)?.json()?;
            let subjects = messages.as_array().into_iter().flatten().filter(|message| message["to"] == to);
            let codes = subjects.filter_map(|message| message["subject"].as_str()?.split(' ').next());
            Ok(codes.filter(|word| word.len() == 6 && word.parse::<u32>().is_ok()).map(str::to_owned).collect())
        };
        let before = codes()?.len();
        ask()?;
        wait_for("a mail with a code", || {
            let now = codes()?;
            // The newest is the first.
            Ok(if now.len() > before { now.into_iter().next() } else { None })
        })
    }

    /// Signs somebody in at an instance, and gives the value of the `Cookie` header that proves it.
    pub fn sign_in(&self, subdomain: &str, email: &str) -> Result<String> {
        let mut door = Connection::open(self.address, &self.host(subdomain))?;
        let mut browser = String::new();
        let code = self.mailed_code(email, || {
            let asked = door.post_form("/cdn-cgi/access/login", &[("email", email)])?.expect(200)?;
            browser =
                format!("spinoff_sign_in={}", asked.cookie("spinoff_sign_in").context("no cookie to sign in with")?);
            Ok(())
        })?;
        let mut door = Connection::open(self.address, &self.host(subdomain))?.with("Cookie", &browser);
        let signed_in = door.post_form("/cdn-cgi/access/code", &[("email", email), ("code", &code)])?;
        let proof = signed_in.cookie("CF_Authorization").context("signing in gave no cookie")?;
        Ok(format!("CF_Authorization={proof}"))
    }

    /// Stops the server as a person would, and waits until it is gone.
    pub fn stop(mut self) -> Result<()> {
        shell::signal("TERM", self.pid());
        let status = self.process.wait()?;
        if !status.success() {
            bail!("the server ended with {status} when it was told to stop");
        }
        Ok(())
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            shell::signal("TERM", self.pid());
            let _ = self.process.wait();
        }
    }
}

/// An address on loopback that nobody listens on.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Waits until a process that began at `begin` gives its first good answer; tells how long it took.
pub fn wait_until_served(process: &mut Child, address: SocketAddr, path: &str, begin: Instant) -> Result<Duration> {
    loop {
        let answer =
            Connection::open(address, &format!("localhost:{}", address.port())).and_then(|mut it| it.get(path));
        if answer.is_ok_and(|answer| answer.status == 200) {
            return Ok(begin.elapsed());
        }
        if let Some(status) = process.try_wait()? {
            bail!("it ended with {status} instead of serving");
        }
        if begin.elapsed() > PATIENCE {
            bail!("it does not serve after {} s", PATIENCE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn wait_for_state(api: &mut Connection, instance: &Instance, state: &str) -> Result<()> {
    let path = format!("/api/v1/instances/{}", instance.id);
    wait_for(&format!("{} to be {state}", instance.subdomain), || {
        let seen = api.get(&path)?.expect(200)?.json()?;
        if seen["state"] == "failed" {
            bail!("{} failed", instance.subdomain);
        }
        Ok((seen["state"] == state).then_some(()))
    })
}

/// Waits until there is something to find.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        if let Some(found) = look()? {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    bail!("waited {} s in vain for {what}", PATIENCE.as_secs())
}

fn text(value: &Value, field: &str) -> Result<String> {
    value[field].as_str().map(str::to_owned).with_context(|| format!("no `{field}` in {value}"))
}
