use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::table::{Measure, median};
use crate::product::Product;
use crate::shell;
use crate::temporary::TemporaryFolder;

const INSTANCES: usize = 50;

/// Long enough to hold several rounds of everything that runs on a timer.
const QUIET: Duration = Duration::from_secs(30);

/// What the product costs while nobody uses it.
pub fn measure(binary: &Path) -> Result<Vec<Measure>> {
    let data = TemporaryFolder::new("bench")?;
    let product = Product::start(binary, data.path())?;
    let mut measures =
        vec![Measure::new("server, no instance, resident", memory(product.pid(), "Rss")?, "MB").below(60.0)];
    for number in 0..INSTANCES {
        product.provision(&format!("customer-{number}@example.com"), &format!("customer-{number}"))?;
    }
    let processes = descendants(product.pid())?;
    let before = busy(&processes);
    let begin = Instant::now();
    std::thread::sleep(QUIET);
    let share = (busy(&processes) - before) / begin.elapsed().as_secs_f64() * 100.0;

    measures.push(
        Measure::new(format!("server, {INSTANCES} instances, resident"), memory(product.pid(), "Rss")?, "MB")
            .below(60.0),
    );
    for (name, role, aim) in [("guard", "guard", Some(12.0)), ("bundled application", "workspace", None)] {
        let pids: Vec<u32> = processes.iter().copied().filter(|pid| role_of(*pid).as_deref() == Some(role)).collect();
        for (kind, field) in [("resident", "Rss"), ("proportional", "Pss")] {
            let sizes = pids.iter().map(|pid| memory(*pid, field)).collect::<Result<Vec<f64>>>()?;
            let row = Measure::new(format!("one {name}, {kind}, median of {}", sizes.len()), median(&sizes), "MB");
            measures.push(match aim {
                Some(aim) => row.below(aim),
                None => row,
            });
        }
    }
    let all = processes.iter().map(|pid| memory(*pid, "Pss")).sum::<Result<f64>>()?;
    let server = memory(product.pid(), "Pss")?;
    let each = (all - server) / INSTANCES as f64;
    measures.push(Measure::new("all processes of one instance, proportional, mean", each, "MB"));
    measures.push(Measure::new(format!("processor, server and {INSTANCES} idle instances"), share, "% of one core"));
    product.stop()?;
    Ok(measures)
}

/// Megabytes (10^6 bytes) that a process holds; `Pss` counts pages that it shares in part only.
pub fn memory(pid: u32, field: &str) -> Result<f64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text =
        fs::read_to_string(&path).with_context(|| format!("reading {path}; other users' processes need root"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kilobytes: f64 = line
        .and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok())
        .with_context(|| format!("no {field} in {path}"))?;
    Ok(kilobytes * 1024.0 / 1e6)
}

/// A process and all that it started, directly or not.
pub fn descendants(root: u32) -> Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if let Some(parent) = stat(pid).and_then(|fields| fields.get(1)?.parse::<u32>().ok()) {
            parents.push((pid, parent));
        }
    }
    let mut family = vec![root];
    let mut at = 0;
    while let Some(parent) = family.get(at).copied() {
        family.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    Ok(family)
}

/// Seconds of processor time that these have taken so far.
fn busy(pids: &[u32]) -> f64 {
    let hertz: f64 =
        shell::output(Command::new("getconf").arg("CLK_TCK")).ok().and_then(|text| text.parse().ok()).unwrap_or(100.0);
    let ticks = pids.iter().filter_map(|pid| {
        let fields = stat(*pid)?;
        Some(fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?)
    });
    ticks.sum::<f64>() / hertz
}

/// What `/proc` says of a process, from its state on; the name before it may hold anything.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

/// The subcommand that a process of ours was started as.
fn role_of(pid: u32) -> Option<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let word = line.split(|byte| *byte == 0).nth(1)?;
    Some(String::from_utf8_lossy(word).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Read as _;
    use std::process::Stdio;

    use super::*;

    #[test]
    fn processes_are_found_through_their_parents() {
        let mut shell = Command::new("/bin/sh");
        let piped = shell.args(["-c", "echo; read line"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        // What it is called is known only when it runs.
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let family = descendants(std::process::id()).unwrap();
        assert!(family.contains(&std::process::id()) && family.contains(&child.id()));
        assert!(!family.contains(&1));
        assert_eq!(role_of(child.id()).as_deref(), Some("-c"));
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn this_process_holds_some_memory() {
        let (resident, proportional) =
            (memory(std::process::id(), "Rss").unwrap(), memory(std::process::id(), "Pss").unwrap());
        assert!(proportional > 0.1 && proportional <= resident, "{proportional} of {resident} MB");
    }
}
