//! A main instance with many instances in its store. `control-plane/examples/measure_fleet` does what is measured; here
//! stands what it should come to.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use clap::Args;

use super::figures::Figures;
use super::table::Measure;
use crate::services::Services;
use crate::shell::{self, cargo, step};

/// How large the fleet is.
#[derive(Debug, Args)]
pub struct Sizes {
    /// Instances in the store, for `fleet`; several numbers measure several stores
    #[arg(long, value_name = "NUMBER", num_args = 1.., default_values_t = [10_000, 100_000],
          value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    sizes: Vec<u32>,
}

const PAGES: [&str; 10] =
    ["overview", "instances", "instance", "customers", "workflows", "invoices", "money", "audit", "rollouts", "alerts"];

/// What a pass over so many instances may take, in milliseconds.
const A_PASS: (u32, f64) = (10_000, 50.0);

/// Builds what measures, as it is released.
pub fn build() -> Result<PathBuf> {
    step("building what measures fleets", || {
        shell::run(cargo().args(["build", "--quiet", "--release", "--workspace", "--example", "measure_fleet"]))
    })?;
    Ok(shell::root().join("target/release/examples/measure_fleet"))
}

/// Each size beside one instance, on both engines.
pub fn measure(binary: &Path, sizes: &Sizes) -> Result<Vec<Measure>> {
    let services = Services::start_database()?;
    let mut command = Command::new(binary);
    command.args(sizes.sizes.iter().map(u32::to_string)).envs(services.variables());
    let figures = Figures::parse(&step("measuring fleets", || shell::output(&mut command))?)?;
    let mut measures = Vec::new();
    for (engine, name) in [("sqlite", "SQLite"), ("postgres", "PostgreSQL")] {
        for size in &sizes.sizes {
            measures.extend(of(&figures, engine, &format!("{name}, {size} instances"), *size)?);
        }
    }
    Ok(measures)
}

fn of(figures: &Figures, engine: &str, name: &str, size: u32) -> Result<Vec<Measure>> {
    let get = |what: &str| figures.get(&format!("{engine}_{size}_{what}"));
    let base = |what: &str| figures.get(&format!("{engine}_1_{what}"));
    let each = (get("resident_bytes")? - base("resident_bytes")?) / f64::from(size);
    let pass = Measure::new(format!("{name}: one look of everything, nothing to do"), get("pass_ms")?, "ms")
        .against("with one instance", base("pass_ms")?);
    let mut measures = vec![
        Measure::new(format!("{name}: start to first page"), get("start_seconds")?, "s")
            .against("with one instance", base("start_seconds")?)
            .below(1.0),
        if size <= A_PASS.0 { pass.below(A_PASS.1) } else { pass },
        Measure::new(format!("{name}: processor while nothing happens"), get("idle_percent")?, "% of one core")
            .against("with one instance", base("idle_percent")?),
        Measure::new(format!("{name}: resident for each, above one"), each, "bytes").below(1000.0),
    ];
    for page in PAGES {
        let taken = get(&format!("page_p99_ms: {page}"))?;
        measures.push(Measure::new(format!("{name}: page {page}, 99 of 100"), taken, "ms").below(50.0));
    }
    Ok(measures)
}
