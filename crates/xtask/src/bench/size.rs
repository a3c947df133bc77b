use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::table::Measure;
use crate::shell::{self, cargo};
use crate::test;

const FOLDER: &str = "target/bench-build";

/// What has to be copied to another machine.
pub fn measure(binary: &Path) -> Result<Vec<Measure>> {
    let bytes = fs::metadata(binary).with_context(|| format!("looking at {}", binary.display()))?.len();
    Ok(vec![Measure::new("executable", bytes as f64 / 1e6, "MB")])
}

/// How long a newcomer waits: a release build from nothing, then all checks and tests as they stand.
pub fn build() -> Result<Vec<Measure>> {
    if Path::new(FOLDER).exists() {
        fs::remove_dir_all(FOLDER).with_context(|| format!("removing {FOLDER}"))?;
    }
    let begin = Instant::now();
    let mut command = cargo();
    command.args(["build", "--release", "-p", "spinoff", "--bin", "spinoff", "--target-dir", FOLDER]);
    shell::run(&mut command)?;
    let build = begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    test::run(&test::Args::default())?;
    let tests = begin.elapsed().as_secs_f64();
    Ok(vec![Measure::new("clean release build", build, "s"), Measure::new("cargo xtask test", tests, "s")])
}
