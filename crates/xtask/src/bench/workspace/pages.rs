use std::path::Path;

use anyhow::{Context as _, Result};

use super::super::table::{Measure, median};
use super::notebook::{Notebook, REHEARSAL};
use crate::screenshots::browser::Browser;
use crate::temporary::TemporaryFolder;

const ROUNDS: usize = 15;

/// When the page was painted first, in milliseconds, and what came over the wire for it, in bytes.
const SEEN: &str = "
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const painted = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
    const look = (left) => painted() !== undefined || left === 0 ? null : frame().then(() => look(left - 1));
    return frame().then(() => look(300)).then(() => {
        const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
        const files = all.filter((entry) => entry.initiatorType !== 'eventsource' && entry.initiatorType !== 'other');
        return [painted(), files.reduce((sum, entry) => sum + entry.transferSize, 0)];
    })";

struct Seen {
    paint: f64,
    bytes: f64,
}

/// First paint and weight, at the first visit and at later ones, beside the shortest page there is.
pub fn measure(binary: &Path) -> Result<Vec<Measure>> {
    let data = TemporaryFolder::new("bench")?;
    let notebook = Notebook::start(binary, data.path(), &REHEARSAL)?;
    notebook.plan(3)?;
    notebook.post("/sprints/1/start", &[])?;
    notebook.post("/meetings", &[("kind", "vision")])?;
    notebook.post("/meetings/M-1/messages", &[("text", "We want to buy milk.")])?;
    notebook.wait_until("/meetings/M-1", "I will write the vision.")?;
    notebook.wait_until("/sprints/1", "finished")?;
    let mut measures = Vec::new();
    for (what, path) in [("first page", "/"), ("a meeting", "/meetings/M-1"), ("a sprint", "/sprints/1")] {
        // Each in a browser that was never here.
        let mut browser = Browser::open()?;
        let first = visit(&mut browser, &notebook, path)?;
        let (mut later, mut short) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            later.push(visit(&mut browser, &notebook, path)?);
            short.push(visit(&mut browser, &notebook, "/health")?.paint);
        }
        let paints: Vec<f64> = later.iter().map(|seen| seen.paint).collect();
        let weights: Vec<f64> = later.iter().map(|seen| seen.bytes / 1e3).collect();
        let two_letters = median(&short);
        measures.extend([
            Measure::new(format!("{what}, first visit, first paint"), first.paint, "ms")
                .against("two letters", two_letters),
            Measure::new(format!("{what}, later visit, first paint"), median(&paints), "ms")
                .against("two letters", two_letters),
            Measure::new(format!("{what}, first visit, over the wire"), first.bytes / 1e3, "kB"),
            Measure::new(format!("{what}, later visit, over the wire"), median(&weights), "kB"),
        ]);
    }
    Ok(measures)
}

fn visit(browser: &mut Browser, notebook: &Notebook, path: &str) -> Result<Seen> {
    browser.go(&format!("http://localhost:{}{path}", notebook.address.port()))?;
    let seen = browser.run(SEEN, &[])?;
    let number = |at: usize| seen[at].as_f64().with_context(|| format!("{path} was never painted: {seen}"));
    Ok(Seen { paint: number(0)?, bytes: number(1)? })
}
