//! A program's data folder with a project in it, and a command behind the wall.

use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sandbox::{Ending, Wall};

pub const SECRET: &str = "the-key-of-the-workspace";

/// A place with something to steal, and a process beside it that has the same in its environment.
pub struct House {
    folder: tempfile::TempDir,
    neighbour: Child,
    pub mark: String,
}

pub struct Done {
    pub ending: Ending,
    pub out: String,
    pub err: String,
}

pub struct Running {
    child: Child,
    stream: UnixStream,
}

impl House {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mark = format!("66{:06}{:03}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        for name in ["project", "project/src", "temporary", "data", "git"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let secret = folder.path().join("data/key");
        fs::write(&secret, SECRET).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let neighbour = Command::new("sleep").arg("600").env("API_KEY", SECRET).stdin(Stdio::null()).spawn().unwrap();
        Self { folder, neighbour, mark }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn neighbour(&self) -> u32 {
        self.neighbour.id()
    }

    pub fn neighbour_lives(&mut self) -> bool {
        self.neighbour.try_wait().unwrap().is_none()
    }

    pub fn wall(&self) -> Wall {
        Wall::around(self.path("project"), self.path("temporary"))
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.path("temporary").to_str().unwrap())
            .env("TMPDIR", self.path("temporary").to_str().unwrap())
            .seconds(Some(60))
            .linger_seconds(1)
    }

    pub fn run(&self, script: &str) -> Done {
        self.start(&self.wall(), script).finish()
    }

    pub fn start(&self, wall: &Wall, script: &str) -> Running {
        start(wall, &["/bin/sh", "-c", script])
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.neighbour.kill();
        let _ = self.neighbour.wait();
    }
}

pub fn start(wall: &Wall, command: &[&str]) -> Running {
    let command: Vec<OsString> = command.iter().map(OsString::from).collect();
    let (mut starting, stream) = wall.command(Path::new(env!("CARGO_BIN_EXE_sandbox-run")), &command).unwrap();
    let child = starting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    Running { child, stream }
}

impl Running {
    /// Asks it to stop by itself.
    pub fn ask_to_stop(&mut self) {
        self.stream.write_all(&[sandbox::STOP]).unwrap();
    }

    /// What whoever started it does when it dies.
    pub fn let_go(self) -> Child {
        drop(self.stream);
        self.child
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn finish(mut self) -> Done {
        let output = self.child.wait_with_output().unwrap();
        let mut told = String::new();
        self.stream.read_to_string(&mut told).unwrap();
        let done = Done {
            ending: serde_json::from_str(&told).unwrap(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        println!("{:?}\n{}\n{}", done.ending, done.out, done.err);
        done
    }
}

/// Waits until something holds; fails after a bound no healthy machine reaches.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let bound = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < bound, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Processes of the machine whose command line has `mark` in it.
pub fn processes_with(mark: &str) -> Vec<i32> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        String::from_utf8_lossy(&line).contains(mark).then_some(pid)
    })
    .collect()
}
