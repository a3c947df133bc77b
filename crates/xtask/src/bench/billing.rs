//! Billing beside what anybody would write first: a row for each event. `control-plane/examples/measure_billing` does
//! what is measured; here stands what it should come to.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use clap::Args;

use super::figures::Figures;
use super::table::Measure;
use crate::services::Services;
use crate::shell::{self, cargo, step};

/// How much is billed.
#[derive(Debug, Args)]
pub struct Load {
    /// Customers whose month `billing` closes, or who live through `year`
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub customers: u32,

    /// Events that a guard counts in a used hour, for `billing`; 360 are one every ten seconds
    #[arg(long, value_name = "NUMBER", default_value_t = 360, value_parser = clap::value_parser!(u32).range(1..=3600))]
    events: u32,
}

/// Builds what measures, as it is released.
pub fn build() -> Result<PathBuf> {
    step("building what measures billing", || {
        // With the features of the whole workspace, as the long year is built that is measured next.
        shell::run(cargo().args(["build", "--quiet", "--release", "--workspace", "--example", "measure_billing"]))
    })?;
    Ok(shell::root().join("target/release/examples/measure_billing"))
}

/// Everything in one run, so that what is compared met the same machine.
pub fn measure(binary: &Path, load: &Load) -> Result<Vec<Measure>> {
    let services = Services::start_database()?;
    let mut command = Command::new(binary);
    command.args([load.customers, load.events].map(|number| number.to_string())).envs(services.variables());
    let said = step("measuring billing", || shell::output(&mut command))?;
    let figures = Figures::parse(&said)?;
    let mut measures = vec![
        Measure::new("marks into a set of hours, one core", figures.get("marks_per_second")? / 1e6, "million/s"),
        Measure::new(
            "marks into the set of one month, one core",
            figures.get("marks_per_second_in_a_month")? / 1e6,
            "million/s",
        ),
        Measure::new("100,000 invoices computed, all cores", figures.get("compute_seconds")?, "s").below(10.0),
    ];
    for (engine, name) in [("sqlite", "SQLite"), ("postgres", "PostgreSQL")] {
        measures.extend(on_store(&figures, engine, name, load)?);
    }
    Ok(measures)
}

fn on_store(figures: &Figures, engine: &str, name: &str, load: &Load) -> Result<Vec<Measure>> {
    let get = |what: &str| figures.get(&format!("{engine}_{what}"));
    let Load { customers, events } = load;
    let (rate, rows) = (get("events_per_second")?, get("rows_per_second_by_hour")?);
    let close = format!("{customers} customers' month");
    Ok(vec![
        Measure::new(format!("{name}: a guard's reports through HTTP"), get("reports_per_second")?, "reports/s"),
        Measure::new(format!("{name}: events, {events} in each report of an hour"), rate, "events/s")
            .against("as rows, a transaction an hour, without HTTP", rows)
            .at_least_times_baseline(20.0),
        Measure::new(format!("{name}: the same, beside rows as they come"), rate, "events/s")
            .against("as rows, a transaction each, without HTTP", get("rows_per_second_by_event")?)
            .at_least_times_baseline(20.0),
        Measure::new(
            format!("{name}: events in an hour from which on it is 20 times"),
            20.0 * rows / get("reports_per_second")?,
            "events",
        ),
        Measure::new(format!("{name}: dry run of {close}, per 1,000"), get("dry_run_seconds_per_1000")?, "s"),
        Measure::new(format!("{name}: {close} issued, per 1,000"), get("issue_seconds_per_1000")?, "s"),
        Measure::new(
            format!("{name}: {close} issued and all books checked, per 1,000"),
            get("close_seconds_per_1000")?,
            "s",
        ),
        Measure::new(
            format!("{name}: from a report to the page that shows it, median"),
            get("visible_ms_median")?,
            "ms",
        )
        .below(100.0),
        Measure::new(format!("{name}: the same, worst of 100"), get("visible_ms_worst")?, "ms").below(100.0),
        Measure::new(
            format!("{name}: resident per 1,000 instances, server with their stand-ins"),
            get("resident_mb_per_1000")?,
            "MB",
        ),
    ])
}
