//! A guard as it runs: the real program, between a main instance and an application that the test
//! plays over real sockets.

pub mod app;
pub mod client;
pub mod forge;
pub mod house;
pub mod main_instance;
pub mod traffic;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use access::{ListState, MemberList, MembersKey};
use domain::InstanceId;
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

pub use app::{App, Tap};
pub use client::{ask, ask_with};
pub use forge::{ADA, AUDIENCE, Forge, ISSUER, bearer};
pub use main_instance::{Certs, MainInstance};

pub const PATIENCE: Duration = Duration::from_secs(20);
pub const TOKEN: &str = "instance-token-1";

/// Fails the test instead of hanging it.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("never happened: {what}"))
}

/// Waits for a condition that nothing announces.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    soon(what, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Everything around a guard.
pub struct Town {
    pub forge: Forge,
    pub main: MainInstance,
    pub app: App,
    pub key: MembersKey,
    pub folder: tempfile::TempDir,
}

impl Town {
    /// A main instance that lists Ada, and an application.
    pub async fn new() -> Self {
        let forge = Forge::new();
        let key = MembersKey::generate().unwrap();
        let main = MainInstance::start(forge.key_set()).await;
        let town = Self { forge, main, app: App::start().await, key, folder: tempfile::tempdir().unwrap() };
        town.list(1, ListState::Active, &["ada@example.com"]);
        town
    }

    /// Makes the main instance answer with this list.
    pub fn list(&self, serial: u64, state: ListState, members: &[&str]) -> String {
        let list = MemberList {
            instance: instance(),
            serial,
            state,
            guests: Vec::new(),
            members: members.iter().map(|member| member.parse().unwrap()).collect(),
        };
        let signed = serde_json::to_string(&self.key.sign(&list)).unwrap();
        self.main.set_members(&signed);
        signed
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The environment of a guard that takes signed lists.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("GUARD_LISTEN", "127.0.0.1:0".into()),
            ("GUARD_UPSTREAM", format!("http://{}", self.app.address)),
            ("GUARD_ISSUER", ISSUER.into()),
            ("GUARD_AUDIENCE", AUDIENCE.into()),
            ("GUARD_CERTS_URL", format!("http://{}/cdn-cgi/access/certs", self.main.address)),
            ("GUARD_MAIN_URL", format!("http://{}", self.main.address)),
            ("GUARD_INSTANCE_TOKEN", TOKEN.into()),
            ("GUARD_MAIN_KEY", self.key.public().unwrap().to_string()),
            ("GUARD_INSTANCE", instance().to_string()),
            ("GUARD_STATE", self.state().display().to_string()),
            ("GUARD_SERVICE_TOKENS", "deploy.access".into()),
            ("GUARD_PUBLIC_PATHS", "/robots.txt".into()),
        ]
    }

    /// The same, with one of them different.
    pub fn settings_with(&self, name: &'static str, value: impl Into<String>) -> Vec<(&'static str, String)> {
        let mut settings = self.settings_without(name);
        settings.push((name, value.into()));
        settings
    }

    /// The same, without one of them.
    pub fn settings_without(&self, name: &str) -> Vec<(&'static str, String)> {
        let mut settings = self.settings();
        settings.retain(|(known, _)| *known != name);
        settings
    }

    /// The environment of a guard whose members are in a file.
    pub fn settings_with_file(&self, file: &Path) -> Vec<(&'static str, String)> {
        let mut settings = self.settings();
        let of_main = ["GUARD_MAIN_KEY", "GUARD_MAIN_URL", "GUARD_INSTANCE_TOKEN", "GUARD_INSTANCE"];
        settings.retain(|(name, _)| !of_main.contains(name));
        settings.push(("GUARD_MEMBERS", file.display().to_string()));
        settings
    }

    pub async fn guard(&self) -> Guard {
        Guard::start(&self.settings(), &[]).await
    }

    pub fn ada(&self) -> String {
        self.forge.token("ada@example.com")
    }
}

/// Pushes a member list as the main instance does.
pub async fn push(address: &str, list: &str) -> client::Answer {
    let proof = format!("Authorization: Bearer {}", access::pushed::proof(TOKEN));
    ask_with(address, "PUT", "/-/members", &[&proof], list).await
}

pub fn instance() -> InstanceId {
    InstanceId::new(Timestamp::UNIX_EPOCH, [7; 10])
}

pub fn command(settings: &[(&'static str, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spinoff-guard"));
    command.env_clear().envs(settings.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
    command
}

/// A running `spinoff-guard`.
pub struct Guard {
    pub process: Child,
    pub address: String,
}

impl Guard {
    pub async fn start(settings: &[(&'static str, String)], arguments: &[&str]) -> Self {
        let mut command = command(settings);
        command.args(arguments).stdin(Stdio::null());
        Self::wait_until_ready(command).await
    }

    pub async fn wait_until_ready(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line =
            soon("the ready line", lines.next_line()).await.unwrap().expect("the guard ended before it was ready");
        let address = line.strip_prefix("ready http://").expect("the ready line").to_owned();
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { process, address }
    }

    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = i32::try_from(self.process.id().unwrap()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).unwrap();
    }

    pub async fn end(mut self) -> std::process::ExitStatus {
        self.signal(nix::sys::signal::Signal::SIGTERM);
        self.ended().await
    }

    pub async fn ended(&mut self) -> std::process::ExitStatus {
        soon("the end of the guard", self.process.wait()).await.unwrap()
    }
}

/// A guard that does not start: its exit code and what it says.
pub async fn refused_start(settings: &[(&'static str, String)]) -> (Option<i32>, String) {
    let mut process = command(settings).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut says = String::new();
    soon("its complaint", process.stderr.take().unwrap().read_to_string(&mut says)).await.unwrap();
    (soon("its end", process.wait()).await.unwrap().code(), says)
}
