//! What exists outside the store: processes, folders, ports and control groups.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::until::until;

const SETTLED: Duration = Duration::from_secs(20);
const GROUPS: &str = "/sys/fs/cgroup";
const GROUPS_DEPTH: usize = 4;

/// What belongs to one data folder.
#[derive(Debug, Clone)]
pub struct World {
    data: PathBuf,
    server: Option<u32>,
}

impl World {
    pub fn of(data: &Path, server: Option<u32>) -> Self {
        Self { data: data.to_owned(), server }
    }

    /// The processes of all instances, or of one.
    pub fn processes(&self, subdomain: Option<&str>) -> BTreeSet<u32> {
        let mark = match subdomain {
            Some(subdomain) => format!("{}/instances/ai-diy-{subdomain}/", self.data.display()),
            None => format!("{}/instances/", self.data.display()),
        };
        all_processes().filter(|pid| Some(*pid) != self.server && belongs(*pid, &mark)).collect()
    }

    /// The command lines of an instance's processes.
    pub fn commands(&self, subdomain: &str) -> Vec<String> {
        let pids = self.processes(Some(subdomain));
        pids.into_iter().map(|pid| text(&format!("/proc/{pid}/cmdline")).replace('\0', " ")).collect()
    }

    /// How many guards run for an instance: one, when there is one set of processes.
    pub fn guards(&self, subdomain: &str) -> usize {
        self.commands(subdomain).iter().filter(|command| command.starts_with("/spinoff guard ")).count()
    }

    /// What lies in the folder of all projects, half-removed ones included.
    pub fn folders(&self) -> Vec<String> {
        let listed = fs::read_dir(self.data.join("instances")).into_iter().flatten().flatten();
        let mut names: Vec<String> = listed.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The ports on which the server and its instances listen.
    pub fn ports(&self) -> BTreeSet<u16> {
        let listening = listening();
        let pids = self.processes(None).into_iter().chain(self.server);
        let sockets: BTreeSet<String> = pids.flat_map(sockets).collect();
        listening.into_iter().filter(|(_, inode)| sockets.contains(inode)).map(|(port, _)| port).collect()
    }

    /// Waits until nothing of a former instance is left: no process, folder, port or group.
    pub async fn is_rid_of(&self, subdomain: &str, instance: &str, port: Option<u16>) {
        let name = format!("ai-diy-{subdomain}");
        until(&format!("nothing of {subdomain} is left"), SETTLED, async || {
            let gone = self.processes(Some(subdomain)).is_empty()
                && !self.folders().iter().any(|folder| folder.contains(&name))
                && groups(&format!("spinoff-{instance}")).is_empty()
                && port.is_none_or(|port| !self.ports().contains(&port));
            gone.then_some(())
        })
        .await;
    }

    /// Waits until no instance has a process.
    pub async fn is_still(&self) {
        until("no process of any instance is left", SETTLED, async || self.processes(None).is_empty().then_some(()))
            .await;
    }

    /// Removes what a killed server leaves until its next start: there is none.
    pub fn sweep(&self) {
        let begun = Instant::now();
        while !self.processes(None).is_empty() && begun.elapsed() < SETTLED {
            for pid in self.processes(None) {
                let pid = nix::unistd::Pid::from_raw(pid.cast_signed());
                let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        for folder in self.folders() {
            let note = text(&self.data.join("instances").join(folder).join("project.json").display().to_string());
            let project: serde_json::Value = serde_json::from_str(&note).unwrap_or_default();
            let Some(instance) = project["instance"].as_str() else { continue };
            for group in groups(&format!("spinoff-{instance}")) {
                let _ = fs::remove_dir(group);
            }
        }
    }
}

/// The port of an instance's guard, as its project says.
pub fn guard_port(project: &Path) -> u16 {
    let note = text(&project.join("project.json").display().to_string());
    let project: serde_json::Value = serde_json::from_str(&note).unwrap();
    project["port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap()
}

/// Control groups of a name.
pub fn groups(name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![(PathBuf::from(GROUPS), 0)];
    while let Some((folder, depth)) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if entry.file_name() == name {
                found.push(entry.path());
            } else if depth < GROUPS_DEPTH {
                open.push((entry.path(), depth + 1));
            }
        }
    }
    found
}

/// A process belongs to whom its file system shows a folder of, or whom its command line names.
fn belongs(pid: u32, mark: &str) -> bool {
    // Processes that are dead and not yet waited for have neither.
    let shown = text(&format!("/proc/{pid}/mountinfo"));
    let mark_inside = mark.trim_end_matches('/');
    let sees = shown.lines().any(|line| {
        let root = line.split(' ').nth(3).unwrap_or_default();
        format!("{root}/").contains(mark) || root.ends_with(mark_inside)
    });
    sees || text(&format!("/proc/{pid}/cmdline")).contains(mark)
}

fn all_processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Listening TCP ports and the sockets behind them.
fn listening() -> Vec<(u16, String)> {
    const LISTEN: &str = "0A";
    let table = text("/proc/net/tcp");
    let read = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let port = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()?;
        (*state == LISTEN).then(|| (port, (*inode).to_owned()))
    };
    table.lines().filter_map(read).collect()
}

fn sockets(pid: u32) -> Vec<String> {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    files
        .filter_map(|file| {
            let target = fs::read_link(file.path()).ok()?;
            let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect()
}

fn text(path: &str) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
