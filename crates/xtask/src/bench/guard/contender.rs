use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::processor::{self, Cores};
use super::tokens::{AUDIENCE, ISSUER, Tokens, certs_url};
use super::traffic::{PATIENCE, Traffic};
use crate::bench::idle::{descendants, memory};
use crate::product::free_address;
use crate::services::{OtherProxy, find_proxy};
use crate::shell;
use crate::temporary::TemporaryFolder;

/// What can stand between a visitor and the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contender {
    /// Only carries requests on.
    Nginx(PathBuf),
    /// Only carries requests on.
    Haproxy(PathBuf),
    /// Lets nobody pass without an assertion that it has verified.
    HaproxyJwtVerify(PathBuf),
    Guard(PathBuf),
}

/// A contender that runs on the core under test and carries requests. It is stopped when this value goes.
pub struct Running {
    process: Child,
    pub address: SocketAddr,
    /// Holds its configuration and its log.
    _folder: TemporaryFolder,
}

/// Megabytes that all processes of a contender hold; the second counts shared pages in part only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    pub resident: f64,
    pub proportional: f64,
}

impl Contender {
    /// The guard, and the others as far as they are there or can be installed; what is missing is said.
    pub fn all(guard: &Path) -> (Vec<Self>, Vec<String>) {
        let (mut all, mut missing) = (Vec::new(), Vec::new());
        match find_proxy(OtherProxy::Nginx) {
            Ok(program) => all.push(Self::Nginx(program)),
            Err(error) => missing.push(format!("not compared with nginx: {error:#}")),
        }
        match find_proxy(OtherProxy::Haproxy) {
            Ok(program) => all.extend([Self::Haproxy(program.clone()), Self::HaproxyJwtVerify(program)]),
            Err(error) => missing.push(format!("not compared with HAProxy, with or without jwt_verify: {error:#}")),
        }
        all.push(Self::Guard(guard.to_owned()));
        (all, missing)
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Nginx(_) => "nginx",
            Self::Haproxy(_) => "HAProxy",
            Self::HaproxyJwtVerify(_) => "HAProxy jwt_verify",
            Self::Guard(_) => "spinoff-guard",
        }
    }

    /// What the program calls itself, with its version.
    pub fn version(&self) -> String {
        let (program, option) = match self {
            Self::Nginx(program) | Self::Haproxy(program) | Self::HaproxyJwtVerify(program) => (program, "-v"),
            Self::Guard(program) => (program, "--version"),
        };
        let said = Command::new(program).arg(option).stdin(Stdio::null()).output();
        // nginx says it where others complain.
        let said = said.map(|said| [said.stdout, said.stderr].concat()).unwrap_or_default();
        let line = String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_owned();
        line.split(" - ").next().unwrap_or_default().trim_start_matches("nginx version: ").to_owned()
    }

    /// Whether it decides who may pass.
    pub fn checks(&self) -> bool {
        matches!(self, Self::HaproxyJwtVerify(_) | Self::Guard(_))
    }

    /// Starts it in front of the application, and waits until it carries the first request.
    pub fn start(&self, cores: Cores, traffic: &mut Traffic, tokens: &Tokens) -> Result<Running> {
        let folder = TemporaryFolder::new("bench")?;
        let application = traffic.address()?;
        let address = free_address()?;
        let mut command = match self {
            Self::Nginx(program) => nginx(program, folder.path(), address, application)?,
            Self::Haproxy(program) => haproxy(program, folder.path(), address, application, None)?,
            Self::HaproxyJwtVerify(program) => {
                haproxy(program, folder.path(), address, application, Some(&tokens.public_key_pem))?
            }
            Self::Guard(program) => guard(program, folder.path(), address, application)?,
        };
        let log = fs::File::create(folder.path().join("log")).context("making a log")?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let process = cores.on_tested(|| command.spawn().with_context(|| format!("can't start {}", self.name())))?;
        let mut running = Running { process, address, _folder: folder };
        running.wait_until_it_carries(traffic, tokens).with_context(|| format!("starting {}", self.name()))?;
        Ok(running)
    }

    /// Makes sure that it lets pass what it should and nothing else: without this, no comparison means anything.
    pub fn prove(&self, cores: Cores, traffic: &mut Traffic, tokens: &Tokens) -> Result<()> {
        let running = self.start(cores, traffic, tokens)?;
        if !self.checks() {
            return Ok(());
        }
        for (what, request) in &tokens.bad {
            let status = traffic.ask(running.address, request)?;
            if status != 401 && status != 403 {
                bail!("{} answered a request {what} with {status}, not with a refusal", self.name());
            }
        }
        Ok(())
    }
}

impl Running {
    pub fn memory(&self) -> Result<Memory> {
        let pids = self.pids()?;
        let sum = |field| pids.iter().map(|pid| memory(*pid, field)).sum::<Result<f64>>();
        Ok(Memory { resident: sum("Rss")?, proportional: sum("Pss")? })
    }

    /// Seconds of processor time that all its processes have taken so far.
    pub fn processor_seconds(&self) -> Result<f64> {
        processor::seconds_of(&self.pids()?)
    }

    /// All its processes.
    pub fn pids(&self) -> Result<Vec<u32>> {
        descendants(self.process.id())
    }

    fn wait_until_it_carries(&mut self, traffic: &mut Traffic, tokens: &Tokens) -> Result<()> {
        let good = tokens.requests.first().context("no assertion")?;
        let begin = Instant::now();
        loop {
            let last = match traffic.ask(self.address, good) {
                Ok(200) => return Ok(()),
                Ok(status) => format!("it answers {status}"),
                Err(error) => format!("{error:#}"),
            };
            let log = || fs::read_to_string(self._folder.path().join("log")).unwrap_or_default();
            if let Some(status) = self.process.try_wait()? {
                bail!("it ended with {status} and said:\n{}", log());
            }
            if begin.elapsed() > PATIENCE {
                bail!("it carries no request after {} s ({last}) and said:\n{}", PATIENCE.as_secs(), log());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // nginx's worker outlives a master that is killed.
        shell::signal("TERM", self.process.id());
        let _ = self.process.wait();
    }
}

/// From the beginning of the guard's process to its `ready` line, on the core under test.
pub fn guard_start(program: &Path, cores: Cores, application: SocketAddr) -> Result<Duration> {
    let folder = TemporaryFolder::new("bench")?;
    let mut command = guard(program, folder.path(), free_address()?, application)?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let begin = Instant::now();
    let mut process = cores.on_tested(|| command.spawn().context("can't start the guard"))?;
    let mut line = String::new();
    let read = process.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
    let took = begin.elapsed();
    process.kill()?;
    process.wait()?;
    read.transpose()?;
    if !line.starts_with("ready ") {
        bail!("the guard said `{}` instead of being ready", line.trim());
    }
    Ok(took)
}

/// As it is shipped; what it logs goes to a file.
fn guard(program: &Path, folder: &Path, address: SocketAddr, application: SocketAddr) -> Result<Command> {
    let members = folder.join("members");
    fs::write(&members, "@example.com\n").context("writing the guard's members")?;
    let mut command = Command::new(program);
    // The product's executable has the guard as one of its commands.
    if program.file_name().is_some_and(|name| name == "spinoff") {
        command.arg("guard");
    }
    command.args(["--issuer", ISSUER, "--audience", AUDIENCE, "--certs-url", &certs_url(application)]);
    command.args(["--listen", &address.to_string(), "--upstream", &format!("http://{application}"), "--members"]);
    command.arg(members).arg("--state").arg(folder.join("state"));
    Ok(command)
}

fn nginx(program: &Path, folder: &Path, address: SocketAddr, application: SocketAddr) -> Result<Command> {
    let configuration = filled(
        include_str!("nginx.conf"),
        &[
            ("FOLDER", &folder.display().to_string()),
            ("ADDRESS", &address.to_string()),
            ("APPLICATION", &application.to_string()),
        ],
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration).context("writing nginx's configuration")?;
    let mut command = Command::new(program);
    command.arg("-e").arg("stderr").arg("-p").arg(folder).arg("-c").arg(file);
    Ok(command)
}

fn haproxy(
    program: &Path,
    folder: &Path,
    address: SocketAddr,
    application: SocketAddr,
    key: Option<&str>,
) -> Result<Command> {
    let rules = match key {
        Some(pem) => {
            let key = folder.join("key.pem");
            fs::write(&key, pem).context("writing the public key")?;
            let key = key.display().to_string();
            filled(include_str!("jwt_verify.cfg"), &[("KEY", &key), ("ISSUER", ISSUER), ("AUDIENCE", AUDIENCE)])
        }
        None => String::new(),
    };
    let configuration = filled(
        include_str!("haproxy.cfg"),
        &[("RULES", &rules), ("ADDRESS", &address.to_string()), ("APPLICATION", &application.to_string())],
    );
    let file = folder.join("haproxy.cfg");
    fs::write(&file, configuration).context("writing HAProxy's configuration")?;
    let mut command = Command::new(program);
    command.arg("-db").arg("-f").arg(file);
    Ok(command)
}

/// A configuration with its names in capitals replaced.
fn filled(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_blank_of_a_configuration_is_filled() {
        let filled = filled("listen ADDRESS; to APPLICATION; ADDRESS", &[("ADDRESS", "a"), ("APPLICATION", "b")]);
        assert_eq!(filled, "listen a; to b; a");
    }
}
