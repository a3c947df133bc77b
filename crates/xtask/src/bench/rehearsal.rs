//! Many customers at simulated companies, on a clock of their own. What is measured is the service, not this
//! machine, so the build is the one that the tests use.

use anyhow::Result;
use clap::Args;

use crate::services::Services;
use crate::shell::{self, cargo};

/// How many there are.
#[derive(Debug, Args)]
pub struct Numbers {
    /// How many seeds, signups or instances [default: 2000 seeds, 200 of a fleet, a crowd of 1000, 200 signups one at a
    /// time, a rollout of 1000]
    #[arg(long, value_name = "NUMBER")]
    number: Option<u32>,

    /// The first seed
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    first: u32,

    /// How many of a thousand calls fail in the crowd
    #[arg(long, value_name = "THOUSANDTHS", default_value_t = 50)]
    faults: u16,
}

/// How large the fleet is.
#[derive(Debug, Args)]
pub struct Fleet {
    /// Instances that live through `fleet-year`
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    instances: u32,

    /// Releases that are rolled out to them
    #[arg(long, value_name = "NUMBER", default_value_t = 30, value_parser = clap::value_parser!(u32).range(2..=100))]
    releases: u32,
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

/// A rollout to instances at Railway.
pub fn rollout(numbers: &Numbers) -> Result<()> {
    run(&["rollout".to_owned(), numbers.number.unwrap_or(1000).to_string()])
}

/// Fleets that live through releases, good and bad, as a seed decides.
pub fn fleet_seeds(numbers: &Numbers) -> Result<()> {
    fleet(&["seeds".to_owned(), numbers.first.to_string(), numbers.number.unwrap_or(200).to_string()])
}

/// One large fleet that lives through many releases.
pub fn fleet_year(load: &Fleet) -> Result<()> {
    fleet(&["year".to_owned(), load.instances.to_string(), load.releases.to_string()])
}

fn fleet(arguments: &[String]) -> Result<()> {
    let mut command = cargo();
    // As it is released, with the features of the whole workspace: there is much to do.
    command.args(["build", "--quiet", "--release", "--workspace", "--example", "fleet"]);
    shell::run(&mut command)?;
    shell::run(std::process::Command::new(shell::root().join("target/release/examples/fleet")).args(arguments))
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
