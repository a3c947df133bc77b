//! Many customers at simulated companies, on a clock of their own. What is measured is the service, not this
//! machine, so the build is the one that the tests use.

use anyhow::Result;
use clap::Args;

use crate::services::Services;
use crate::shell::{self, cargo};

/// How many there are.
#[derive(Debug, Args)]
pub struct Numbers {
    /// How many seeds, or signups [default: 2000 seeds, a crowd of 1000, 200 signups one at a time]
    #[arg(long, value_name = "NUMBER")]
    number: Option<u32>,

    /// The first seed
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    first: u32,

    /// How many of a thousand calls fail in the crowd
    #[arg(long, value_name = "THOUSANDTHS", default_value_t = 50)]
    faults: u16,
}

/// Whatever a seed decides, again and again: everything has to fit together in the end.
pub fn seeds(numbers: &Numbers) -> Result<()> {
    run(&["seeds".to_owned(), numbers.first.to_string(), numbers.number.unwrap_or(2000).to_string()])
}

/// Many signups within a minute.
pub fn crowd(numbers: &Numbers) -> Result<()> {
    run(&["crowd".to_owned(), numbers.number.unwrap_or(1000).to_string(), numbers.faults.to_string()])
}

/// Signups one at a time.
pub fn signup(numbers: &Numbers) -> Result<()> {
    run(&["signup".to_owned(), numbers.number.unwrap_or(200).to_string()])
}

/// A year of many customers in which whatever can go wrong does.
pub fn year(customers: u32) -> Result<()> {
    let services = Services::start_database()?;
    let mut command = cargo();
    command.args(["test", "--quiet", "--release", "--workspace", "--test", "house", "--"]);
    command.args(["billing_year", "--nocapture", "--test-threads", "1"]);
    command.env("SPINOFF_YEAR_CUSTOMERS", customers.to_string());
    shell::run(command.envs(services.variables()))
}

fn run(arguments: &[String]) -> Result<()> {
    let mut command = cargo();
    command.args(["run", "--quiet", "-p", "control-plane", "--example", "rehearsal", "--"]).args(arguments);
    shell::run(&mut command)
}
