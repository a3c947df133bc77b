use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::super::table::{Measure, median};
use super::notebook::{Notebook, REHEARSAL, VISION};
use crate::product::wait_for;
use crate::shell;
use crate::temporary::TemporaryFolder;

const ROUNDS: usize = 3;

/// The pause between two words of a rehearsal, in seconds.
const PACE: f64 = 0.015;

/// From a person's click to the developer's first file on the disk, beside the rehearsal's own pauses.
pub fn measure(binary: &Path) -> Result<Vec<Measure>> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let data = TemporaryFolder::new("bench")?;
        let notebook = Notebook::start(binary, data.path(), &REHEARSAL)?;
        notebook.plan(1)?;
        let code = data.path().join("projects").join(VISION.0).join("work/server.js");
        let begin = Instant::now();
        notebook.post("/sprints/1/start", &[])?;
        wait_for("the first code", || Ok(code.exists().then_some(())))?;
        times.push(begin.elapsed().as_secs_f64());
    }
    let row = Measure::new(format!("sprint start to first code, median of {ROUNDS}"), median(&times), "s");
    Ok(vec![row.against("the rehearsal's pauses alone", pauses()?)])
}

/// What the recorded words take until the developer has said what they write.
fn pauses() -> Result<f64> {
    let story = shell::root().join("crates/workspace/rehearsal/stories/put-an-item-on-the-list");
    let mut pieces = 0;
    for scene in ["design-1", "write-tests-1", "write-code-1"] {
        let path = story.join(format!("{scene}.md"));
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let words = text.rsplit_once("\n---\n").map_or(text.as_str(), |(_, words)| words);
        // Each word is a piece, each file is one, and so are the end, the count and the last word of all.
        pieces += words.trim().split(' ').count() + files_in(&story.join(scene)) + 3;
    }
    // The tester's second answer says that they are done.
    Ok((pieces + 4) as f64 * PACE)
}

fn files_in(folder: &Path) -> usize {
    let inside = fs::read_dir(folder).into_iter().flatten().flatten();
    inside.map(|entry| if entry.path().is_dir() { files_in(&entry.path()) } else { 1 }).sum()
}
