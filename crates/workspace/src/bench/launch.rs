//! A command on its way behind the wall.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sandbox::{Network, STOP, Wall};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::output::Said;
use super::watcher::Watcher;
use super::{Bench, BenchError, Ended, Job, Reach};

/// Where programs are searched after the tools' own folders.
const SEARCHED: &str = "/usr/local/bin:/usr/bin:/bin";

/// The longest word on how a command ended.
const LONGEST_ENDING: u64 = 64 * 1024;

/// A command that runs.
pub struct Launched {
    /// What holds it: dropped, and everything of it is killed.
    pub leash: Leash,
    /// What it says.
    pub output: Said,
    /// What it says on standard error.
    pub errors: Said,
    /// What is to be cleared away after it.
    pub rest: Rest,
}

/// What a command leaves for this program to clear away.
pub struct Rest {
    child: Child,
    /// The folder for what it needs only while it runs.
    pub temporary: PathBuf,
    watcher: Watcher,
}

/// What holds a running command.
pub struct Leash(UnixStream);

impl Leash {
    /// How it ended, once it has.
    pub async fn ending(&mut self) -> Ended {
        let mut told = Vec::new();
        let read = (&mut self.0).take(LONGEST_ENDING).read_to_end(&mut told).await;
        match read.ok().and_then(|_| serde_json::from_slice(&told).ok()) {
            Some(ending) => Ended::Told(ending),
            None => Ended::Vanished,
        }
    }

    /// Asks the command to stop by itself; it is killed if it does not within a few seconds.
    pub async fn ask_to_stop(&mut self) {
        // An error means that it has ended, which is what was asked.
        let _ = self.0.write_all(&[STOP]).await;
    }
}

impl Rest {
    /// Waits until nothing of the command is left, after killing what is.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub async fn end(self, leash: Leash) -> io::Result<()> {
        let Self { mut child, temporary, watcher } = self;
        drop(leash);
        child.wait().await?;
        watcher.forget();
        let removed = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(temporary)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%error, "A temporary folder could not be removed: {error}");
        }
        Ok(())
    }
}

impl Bench {
    /// Starts a command; it is not on record.
    ///
    /// # Errors
    /// When this machine cannot wall it off, or has no room for it.
    pub fn launch(&self, job: &Job) -> Result<Launched, BenchError> {
        if !self.0.promises.suffice() {
            return Err(BenchError::NoWall(self.0.promises.broken().join(" ")));
        }
        let temporary = self.temporary_folder()?;
        let wall = self.wall(job, &temporary);
        let command: Vec<OsString> = job.command.iter().map(OsString::from).collect();
        let (mut starting, leash) = wall.command(&self.0.executable, &command)?;
        let (output, output_end) = io::pipe()?;
        let (errors, errors_end) = io::pipe()?;
        match job.purpose {
            Some(_) => starting.stdout(output_end.try_clone()?).stderr(output_end),
            None => starting.stdout(output_end).stderr(errors_end),
        };
        let mut starting = Command::from(starting);
        let child = starting.spawn()?;
        // This holds the far ends, which must not keep the near ones open.
        drop(starting);
        let watcher = Watcher::note(&self.0.folder, child.id())?;
        leash.set_nonblocking(true)?;
        let leash = Leash(UnixStream::from_std(leash)?);
        let (output, errors) = (Said::from(OwnedFd::from(output))?, Said::from(OwnedFd::from(errors))?);
        Ok(Launched { leash, output, errors, rest: Rest { child, temporary, watcher } })
    }

    fn wall(&self, job: &Job, temporary: &Path) -> Wall {
        let home = temporary.display().to_string();
        let mut wall = Wall::around(&job.folder, temporary)
            .env("PATH", self.search_path())
            .env("HOME", home.clone())
            .env("TMPDIR", home)
            .env("LANG", "C.UTF-8")
            .env("CI", "true")
            .env("NO_COLOR", "1")
            .network(self.network(job.reach))
            .limits(sandbox::Limits {
                processes: job.limits.processes,
                file_bytes: job.limits.disk,
                open_files: 1024,
                // The memory in use is watched; this only keeps one process from running ahead of that.
                memory_bytes: Some(job.limits.memory.saturating_mul(2)),
            })
            .memory_in_all(Some(job.limits.memory))
            .seconds(job.limits.time.map(|time| time.as_secs()));
        let tools = &self.0.tools;
        wall = tools.programs.iter().chain(&tools.readable).chain(&job.readable).fold(wall, Wall::read_only);
        wall = job.writable.iter().fold(wall, Wall::writable);
        wall = job.env.iter().fold(wall, |wall, (name, value)| wall.env(*name, value.clone()));
        if let (Reach::Registries, Some(gate)) = (job.reach, self.0.gate.get()) {
            let proxy = format!("http://127.0.0.1:{}", gate.port);
            wall = ["HTTPS_PROXY", "https_proxy"].into_iter().fold(wall, |wall, name| wall.env(name, proxy.clone()));
        }
        if job.changes_folder { wall } else { wall.project_read_only() }
    }

    fn network(&self, reach: Reach) -> Network {
        match reach {
            Reach::Nowhere => Network::None,
            Reach::Itself => Network::Loopback { except: self.0.tools.taken_ports.iter().copied().collect() },
            Reach::Registries => match self.0.gate.get() {
                Some(gate) => Network::Ports { connect: [gate.port].into(), listen: [].into() },
                None => Network::None,
            },
            Reach::Serve(port) => Network::Ports { connect: [].into(), listen: [port].into() },
        }
    }

    fn search_path(&self) -> String {
        let own = self.0.tools.programs.iter().map(|folder| folder.display().to_string());
        own.chain([SEARCHED.to_owned()]).collect::<Vec<_>>().join(":")
    }

    /// Numbers count from the start of the program, which begins with an empty place for them.
    fn temporary_folder(&self) -> io::Result<PathBuf> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = self.0.folder.join("temporary").join(number.to_string());
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}
