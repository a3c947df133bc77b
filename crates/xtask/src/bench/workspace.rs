//! AI-DIY by itself, as one customer meets it, and ten of them on two cores.

mod crowd;
mod first_code;
mod memory;
mod notebook;
mod pages;
mod words;

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::table::Measure;
use crate::shell::{self, cargo, step};

/// Builds the application as it is released, and nothing else.
pub fn build() -> Result<PathBuf> {
    step("building the application", || {
        shell::run(cargo().args(["build", "--quiet", "--release", "-p", "workspace", "--bin", "ai-diy"]))
    })?;
    Ok(shell::root().join("target/release/ai-diy"))
}

/// Everything, one after the other.
pub fn measure(binary: &Path) -> Result<Vec<Measure>> {
    let mut measures = Vec::new();
    for (name, measure) in [
        ("memory", memory::measure as fn(&Path) -> Result<Vec<Measure>>),
        ("pages in a browser", pages::measure),
        ("words on their way to the screen", words::measure),
        ("a sprint's first code", first_code::measure),
        ("ten workspaces", crowd::measure),
    ] {
        measures.extend(step(&format!("measuring {name}"), || measure(binary))?);
    }
    Ok(measures)
}
