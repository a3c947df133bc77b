//! Where this host keeps its groups, and how each generation of the interface spells a limit.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::with_path;

/// What all processes of a group may use up in sum; `None` is without limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupLimits {
    /// Memory in bytes, swap not counted.
    pub memory_bytes: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u64>,
    /// Processor time in thousandths of one core.
    pub cpu_thousandths: Option<u64>,
}

/// A kind of limit the kernel can keep for a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Controller {
    /// Bytes of memory.
    Memory,
    /// Number of processes and threads.
    Processes,
    /// Processor time.
    Cpu,
}

const ALL: &[Controller] = &[Controller::Memory, Controller::Processes, Controller::Cpu];
const PERIOD_MICROSECONDS: u64 = 100_000;
/// Where a server that owns its group moves itself: the second generation allows limits only for
/// groups whose parent holds no process.
const SERVER_LEAF: &str = "spinoff-server";

impl Controller {
    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Processes => "pids",
            Self::Cpu => "cpu",
        }
    }

    /// The file and text that set this limit, first for the generation given.
    fn setting(self, second: bool, limits: &CgroupLimits) -> Vec<(&'static str, String)> {
        match (self, second) {
            (Self::Memory, true) => number("memory.max", limits.memory_bytes),
            (Self::Memory, false) => number("memory.limit_in_bytes", limits.memory_bytes),
            (Self::Processes, _) => number("pids.max", limits.processes),
            (Self::Cpu, true) => {
                quota(limits).map(|quota| ("cpu.max", format!("{quota} {PERIOD_MICROSECONDS}"))).into_iter().collect()
            }
            (Self::Cpu, false) => quota(limits)
                .map(|quota| {
                    [("cpu.cfs_period_us", PERIOD_MICROSECONDS.to_string()), ("cpu.cfs_quota_us", quota.to_string())]
                })
                .into_iter()
                .flatten()
                .collect(),
        }
    }
}

fn number(file: &'static str, value: Option<u64>) -> Vec<(&'static str, String)> {
    value.map(|value| (file, value.to_string())).into_iter().collect()
}

fn quota(limits: &CgroupLimits) -> Option<u64> {
    let thousandths = limits.cpu_thousandths?;
    Some(thousandths.saturating_mul(PERIOD_MICROSECONDS) / 1000)
}

/// A tree of groups, and this process's place in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hierarchy {
    own: PathBuf,
    second: bool,
    controllers: Vec<Controller>,
}

impl Hierarchy {
    /// The trees of this host that keep a limit we set.
    pub(super) fn all() -> io::Result<Vec<Self>> {
        let membership = fs::read_to_string("/proc/self/cgroup")?;
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        Ok(Self::found_in(&membership, &mounts))
    }

    fn found_in(membership: &str, mounts: &str) -> Vec<Self> {
        mounts
            .lines()
            .filter_map(|line| {
                let (front, back) = line.split_once(" - ")?;
                let mut front = front.split(' ').skip(3);
                let (root, place) = (front.next()?, front.next()?);
                let mut back = back.split(' ');
                let kind = back.next()?;
                let options: Vec<&str> = back.nth(1)?.split(',').collect();
                let second = kind == "cgroup2";
                let controllers: Vec<Controller> = match kind {
                    "cgroup2" => Vec::new(),
                    "cgroup" => ALL.iter().copied().filter(|controller| options.contains(&controller.name())).collect(),
                    _ => return None,
                };
                if !second && controllers.is_empty() {
                    return None;
                }
                let path = own_path(membership, second, &controllers)?;
                let below = path.strip_prefix(root).unwrap_or(path);
                Some(Self { own: Path::new(place).join(below.trim_start_matches('/')), second, controllers })
            })
            .collect()
    }

    /// Makes or finds a group, and says which limits hold in it.
    pub(super) fn create(&self, name: &str, limits: &CgroupLimits) -> io::Result<(PathBuf, Vec<Controller>)> {
        let controllers = if self.second {
            let offered = self.offer()?;
            if offered.is_empty() {
                return Err(io::Error::other(format!("{}: no controller is delegated", self.own.display())));
            }
            offered
        } else {
            self.controllers.clone()
        };
        let folder = self.own.join(name);
        match fs::create_dir(&folder) {
            Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
                return Err(with_path(&folder)(cause));
            }
            _ => {}
        }
        let mut enforced = Vec::new();
        for controller in controllers {
            for (file, text) in controller.setting(self.second, limits) {
                let file = folder.join(file);
                fs::write(&file, text).map_err(with_path(&file))?;
                if !enforced.contains(&controller) {
                    enforced.push(controller);
                }
            }
        }
        if self.second && limits.memory_bytes.is_some() {
            // Absent where the kernel counts no swap; then there is none to limit either.
            let _ = fs::write(folder.join("memory.swap.max"), "0");
        }
        Ok((folder, enforced))
    }

    /// Hands the controllers of the server's own group down to the groups below.
    fn offer(&self) -> io::Result<Vec<Controller>> {
        let file = self.own.join("cgroup.controllers");
        let present = fs::read_to_string(&file).map_err(with_path(&file))?;
        let offered: Vec<Controller> = ALL
            .iter()
            .copied()
            .filter(|controller| present.split_whitespace().any(|name| name == controller.name()))
            .collect();
        let wish = offered.iter().map(|controller| format!("+{}", controller.name())).collect::<Vec<_>>().join(" ");
        let control = self.own.join("cgroup.subtree_control");
        if fs::write(&control, &wish).is_err() {
            self.make_room()?;
            fs::write(&control, &wish).map_err(with_path(&control))?;
        }
        Ok(offered)
    }

    /// Moves this process out of its group's way, if it is alone there.
    fn make_room(&self) -> io::Result<()> {
        let file = self.own.join("cgroup.procs");
        let here = fs::read_to_string(&file).map_err(with_path(&file))?;
        if here.trim() != std::process::id().to_string() {
            return Err(io::Error::other(format!(
                "{}: other processes share the server's group; run it as a service of its own \
                 (systemd: Delegate=yes)",
                self.own.display()
            )));
        }
        let leaf = self.own.join(SERVER_LEAF);
        fs::create_dir_all(&leaf).map_err(with_path(&leaf))?;
        fs::write(leaf.join("cgroup.procs"), "0").map_err(with_path(&leaf))
    }
}

/// This process's path in a tree, from lines like `4:memory:/a` or `0::/a`.
fn own_path<'a>(membership: &'a str, second: bool, controllers: &[Controller]) -> Option<&'a str> {
    membership.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, names, path) = (fields.next()?, fields.next()?, fields.next()?);
        let matches = if second {
            names.is_empty()
        } else {
            controllers.iter().any(|controller| names.split(',').any(|name| name == controller.name()))
        };
        // A server restarted in the same group finds itself in the leaf it once made.
        let path = path.strip_suffix(SERVER_LEAF).unwrap_or(path);
        matches.then_some(path)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const FIRST: &str = "\
30 29 0:25 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
31 29 0:26 /docker/1f /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
32 29 0:27 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices
33 29 0:28 / /proc rw - proc proc rw
";

    #[test]
    fn first_generation_trees_are_found_where_the_server_is() {
        let membership = "5:memory:/docker/1f/a\n3:cpu,cpuacct:/b\n2:devices:/\n0::/\n";
        let found = Hierarchy::found_in(membership, FIRST);
        let places: Vec<_> = found.iter().map(|tree| tree.own.to_str().unwrap()).collect();
        assert_eq!(places, ["/sys/fs/cgroup/cpu,cpuacct/b", "/sys/fs/cgroup/memory/a"]);
        assert_eq!(found[1].controllers, [Controller::Memory]);
    }

    #[test]
    fn second_generation_tree_is_found_and_the_servers_leaf_is_not_nested() {
        let mounts = "30 29 0:25 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
        let found = Hierarchy::found_in("0::/system.slice/s.service/spinoff-server\n", mounts);
        assert_eq!(found[0].own.to_str().unwrap().trim_end_matches('/'), "/sys/fs/cgroup/system.slice/s.service");
        assert!(found[0].second);
    }

    #[test]
    fn limits_are_spelled_for_each_generation() {
        let limits = CgroupLimits { memory_bytes: Some(7), processes: None, cpu_thousandths: Some(1500) };
        assert_eq!(Controller::Cpu.setting(true, &limits), [("cpu.max", "150000 100000".to_owned())]);
        assert_eq!(Controller::Memory.setting(false, &limits), [("memory.limit_in_bytes", "7".to_owned())]);
        assert!(Controller::Processes.setting(true, &limits).is_empty());
    }

    #[test]
    fn a_delegated_second_generation_group_hands_its_controllers_down() {
        let own = tempfile::tempdir().unwrap();
        fs::write(own.path().join("cgroup.controllers"), "cpuset cpu memory pids\n").unwrap();
        let tree = Hierarchy { own: own.path().to_owned(), second: true, controllers: Vec::new() };
        let limits = CgroupLimits { memory_bytes: Some(1 << 20), processes: Some(9), cpu_thousandths: None };
        let (folder, enforced) = tree.create("one", &limits).unwrap();
        assert_eq!(enforced, [Controller::Memory, Controller::Processes]);
        let read = |path: &str| fs::read_to_string(own.path().join(path)).unwrap();
        assert_eq!(read("cgroup.subtree_control"), "+memory +pids +cpu");
        assert_eq!(read("one/memory.max"), "1048576");
        assert_eq!(fs::read_to_string(folder.join("pids.max")).unwrap(), "9");
    }
}
