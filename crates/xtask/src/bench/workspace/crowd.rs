use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::super::idle::{descendants, memory};
use super::super::table::{Measure, percentile};
use super::notebook::{Notebook, REHEARSAL};
use crate::temporary::TemporaryFolder;

const WORKSPACES: usize = 10;
const CORES: usize = 2;

/// How often one of the nine is visited, and for how long while nothing is worked on.
const PACE: Duration = Duration::from_millis(10);
const QUIET: Duration = Duration::from_secs(8);

/// How the pages of nine workspaces answer while the tenth works on a sprint, beside the same without one.
pub fn measure(binary: &Path) -> Result<Vec<Measure>> {
    stay_on_two_cores()?;
    let homes = (0..WORKSPACES).map(|_| TemporaryFolder::new("bench")).collect::<Result<Vec<_>>>()?;
    let started = homes.iter().map(|home| Notebook::start(binary, home.path(), &REHEARSAL));
    let notebooks = started.collect::<Result<Vec<_>>>()?;
    for notebook in &notebooks {
        notebook.plan(3)?;
    }
    let (busy, others) = notebooks.split_first().context("there is at least one workspace")?;
    let end = Instant::now() + QUIET;
    let quiet = visit(others, || Ok(Instant::now() < end))?;
    busy.post("/sprints/1/start", &[])?;
    let during = visit(others, || Ok(!busy.says("/sprints/1", "finished")?))?;
    let mut all = 0.0;
    for notebook in &notebooks {
        all += descendants(notebook.pid())?.into_iter().map(|pid| memory(pid, "Pss")).sum::<Result<f64>>()?;
    }
    let row = |name: &str, share: f64| {
        let what = format!("a page of nine workspaces while the tenth works, {name} of {}", during.len());
        Measure::new(what, percentile(&during, share), "ms").against("without a sprint", percentile(&quiet, share))
    };
    Ok(vec![
        row("median", 0.5),
        row("p99", 0.99),
        Measure::new(format!("{WORKSPACES} workspaces after that, proportional"), all, "MB"),
    ])
}

/// What is started from here stays on them too.
fn stay_on_two_cores() -> Result<()> {
    let allowed = sched_getaffinity(None).context("asking which cores there are")?;
    let mut cores = CpuSet::new();
    (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).take(CORES).for_each(|core| cores.set(core));
    sched_setaffinity(None, &cores).context("staying on two cores")
}

/// Milliseconds that the first page of each takes, one after the other, for as long as something holds, which is
/// looked at once in a round.
fn visit(others: &[Notebook], goes_on: impl Fn() -> Result<bool>) -> Result<Vec<f64>> {
    let mut connections = others.iter().map(Notebook::connection).collect::<Result<Vec<_>>>()?;
    let mut times = Vec::new();
    while goes_on()? {
        for connection in &mut connections {
            let begin = Instant::now();
            connection.get("/")?.expect(200)?;
            let took = begin.elapsed();
            times.push(took.as_secs_f64() * 1e3);
            std::thread::sleep(PACE.saturating_sub(took));
        }
    }
    Ok(times)
}
