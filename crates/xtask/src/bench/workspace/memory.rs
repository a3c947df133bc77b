use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::super::idle::{descendants, memory};
use super::super::table::Measure;
use super::notebook::{Notebook, REHEARSAL, VISION};
use crate::temporary::TemporaryFolder;

/// What a workspace holds while nobody uses it, and while its app runs.
pub fn measure(binary: &Path) -> Result<Vec<Measure>> {
    let data = TemporaryFolder::new("bench")?;
    let notebook = Notebook::start(binary, data.path(), &REHEARSAL)?;
    let started = memory(notebook.pid(), "Rss")?;
    notebook.plan(1)?;
    notebook.post("/sprints/1/start", &[])?;
    notebook.wait_until("/sprints/1", "finished")?;
    let worked = memory(notebook.pid(), "Rss")?;
    notebook.post("/app/start", &[("vision", VISION.0)])?;
    notebook.wait_until("/app", "runs.")?;
    let family = descendants(notebook.pid())?;
    let all = family.iter().map(|pid| memory(*pid, "Pss")).sum::<Result<f64>>()?;
    let app = family.iter().copied().find(|pid| is_server(*pid)).context("the app's own process is not there")?;
    Ok(vec![
        Measure::new("workspace, just started, resident", started, "MB"),
        Measure::new("workspace after a sprint, resident", worked, "MB").against("just started", started),
        Measure::new("workspace with its app running, all processes, proportional", all, "MB")
            .against("the app's own process", memory(app, "Pss")?),
    ])
}

/// Whether a process is the server of the recorded project.
fn is_server(pid: u32) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    words.first().is_some_and(|program| program.ends_with(b"node")) && words.get(1) == Some(&&b"server.js"[..])
}
