//! Processes as `/proc` tells of them.

use std::collections::BTreeMap;
use std::fs;

use rustix::param::page_size;

/// What the descendants of a process are and use.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Descendants {
    /// Their numbers.
    pub(crate) pids: Vec<i32>,
    /// Their threads, all together.
    pub(crate) threads: u64,
    /// Their memory in use, all together, in bytes.
    pub(crate) memory_bytes: u64,
}

struct Seen {
    parent: i32,
    threads: u64,
    pages: u64,
}

/// All descendants of a process at this moment.
pub(crate) fn of(ancestor: i32) -> Descendants {
    let seen: BTreeMap<i32, Seen> = numbers().filter_map(|pid| Some((pid, look(pid)?))).collect();
    let mut found = Descendants::default();
    for (pid, process) in &seen {
        if descends(&seen, process.parent, ancestor) {
            found.pids.push(*pid);
            found.threads += process.threads;
            found.memory_bytes += process.pages * page_size() as u64;
        }
    }
    found
}

/// Threads of all processes of a user.
pub(crate) fn threads_of_user(uid: u32) -> u64 {
    numbers().filter_map(|pid| threads_if_of(uid, pid)).sum()
}

fn numbers() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Parents can be read in the middle of a change, so a chain is followed for a bounded while.
fn descends(seen: &BTreeMap<i32, Seen>, mut parent: i32, ancestor: i32) -> bool {
    for _ in 0..=seen.len() {
        if parent == ancestor {
            return true;
        }
        match seen.get(&parent) {
            Some(process) if parent > 1 => parent = process.parent,
            _ => return false,
        }
    }
    false
}

fn look(pid: i32) -> Option<Seen> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name in the second field may hold anything, even `)`; the fields after it are numbers.
fn parse(stat: &str) -> Option<Seen> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // Numbers of proc(5), less the two fields before.
    let number = |field: usize| fields.get(field - 3)?.parse::<i64>().ok();
    Some(Seen {
        parent: i32::try_from(number(4)?).ok()?,
        threads: u64::try_from(number(20)?).ok()?,
        pages: u64::try_from(number(24)?).unwrap_or_default(),
    })
}

fn threads_if_of(uid: u32, pid: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let first = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    (first("Uid:")? == u64::from(uid)).then(|| first("Threads:")).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_made_to_confuse_does_not() {
        let stat = "7 (a) S 1 (b)) S 5 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 3 0 99 1000 250 0";
        let seen = parse(stat).unwrap();
        assert_eq!((seen.parent, seen.threads, seen.pages), (5, 3, 250));
        assert!(parse("").is_none());
        assert!(parse("7 (a) S").is_none());
    }

    #[test]
    fn a_child_is_found_with_what_it_uses() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let mine = of(std::process::id().cast_signed());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(mine.pids.contains(&child.id().cast_signed()));
        assert!(mine.threads >= 1);
    }
}
