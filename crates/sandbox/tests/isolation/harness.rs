//! One instance: a data folder, a guard's wall and an application's wall.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::unistd::geteuid;
use sandbox::{Access, Identity, Limits, SUBCOMMAND, Spec};

const NOBODY: u32 = 65_534;

/// Who runs the server in this round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Root,
    Nobody,
    Myself,
}

/// Runs a test body for every kind of server this user can be.
pub fn for_every_server(body: impl Fn(Server)) {
    let servers: &[Server] = if geteuid().is_root() { &[Server::Root, Server::Nobody] } else { &[Server::Myself] };
    for server in servers {
        println!("server: {server:?}");
        body(*server);
    }
}

pub struct Instance {
    folder: tempfile::TempDir,
    server: Server,
    uid: u32,
    pub limits: Limits,
}

pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Instance {
    pub fn new(server: Server) -> Self {
        Self::with_slot(server, 0)
    }

    /// Slots keep the user ids of several instances of one test apart.
    pub fn with_slot(server: Server, slot: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let uid = 150_000 + (std::process::id() % 10_000) * 4 + slot;
        let tool = folder.path().join("sandbox-run");
        // Written by another process: a child that some other test forks meanwhile would hold a copy of
        // this process's open file, and a file open for writing cannot be run.
        assert!(Command::new("cp").arg(env!("CARGO_BIN_EXE_sandbox-run")).arg(&tool).status().unwrap().success());
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["data", "instance"] {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            match server {
                Server::Root => chown(&path, Some(uid), Some(uid)).unwrap(),
                Server::Nobody => chown(&path, Some(NOBODY), Some(NOBODY)).unwrap(),
                Server::Myself => {}
            }
        }
        // Root's own folder stays closed to everybody else, as its data folder would be.
        let mode = match server {
            Server::Nobody => 0o755,
            _ => 0o700,
        };
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        Self { folder, server, uid, limits: Limits::default() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn guard_spec(&self) -> Spec {
        let identity = match self.server {
            Server::Root => Identity::Uid(self.uid),
            _ => Identity::Namespace,
        };
        Spec::guard("acme", identity)
            .bind(self.path("sandbox-run"), "/spinoff", Access::Read)
            .bind(self.path("data"), "/data", Access::Write)
            .bind(self.path("instance"), "/instance", Access::Write)
            .env("PATH", "/usr/bin:/bin")
    }

    pub fn application_spec(&self) -> Spec {
        Spec::application("acme", "/data")
            .bind("/data", "/data", Access::Write)
            .bind("/spinoff", "/tool", Access::Read)
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", "/data")
            .limits(self.limits)
            .linger_seconds(1)
    }

    /// A command in the guard's place.
    pub fn guarded(&self, spec: &Spec, command: &[&str]) -> Command {
        let mut run = Command::new(self.path("sandbox-run"));
        if self.server == Server::Nobody {
            run.uid(NOBODY).gid(NOBODY);
        }
        run.arg(SUBCOMMAND)
            .arg(spec.to_argument())
            .arg("--")
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        run
    }

    /// A shell script in the application's place, behind both walls.
    pub fn application(&self, script: &str) -> Command {
        let inner = self.application_spec().to_argument();
        self.guarded(&self.guard_spec(), &["/spinoff", SUBCOMMAND, &inner, "--", "/bin/sh", "-c", script])
    }

    pub fn run(&self, script: &str) -> Done {
        done(&mut self.application(script))
    }

    /// Starts a script that must create `/data/ready`, and waits for it.
    pub fn start(&self, script: &str) -> Child {
        let child = self.application(script).spawn().unwrap();
        eventually("the application is ready", || self.path("data/ready").exists());
        child
    }
}

pub fn done(command: &mut Command) -> Done {
    let output = command.output().unwrap();
    let done = Done {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    println!("{}\n{}\n{}", done.code, done.out, done.err);
    done
}

/// Waits until something holds; fails after a bound no healthy machine reaches.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let bound = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < bound, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The host's processes whose command line has `mark` in it.
pub fn processes_with(mark: &str) -> Vec<i32> {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            String::from_utf8_lossy(&line).replace('\0', " ").contains(mark).then_some(pid)
        })
        .collect()
}

/// A number no other test uses, long enough to be found in command lines.
pub fn mark(server: Server) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}{:06}{count:02}", 77_700 + server as u32, std::process::id())
}

pub fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
