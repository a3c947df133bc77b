//! `cargo xtask`: everything that is done to this repository, from checks to pictures.

mod bench;
mod ci;
mod dist;
mod docs;
mod fuzz;
mod http;
mod product;
mod screenshots;
mod services;
mod shell;
mod temporary;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks, tests, measures and pictures of this repository
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    max_term_width = 100,
    after_help = "Examples:
  cargo xtask test                  everything that must hold before a change lands
  cargo xtask test -p guard entry   the guard's tests whose names contain `entry`
  cargo xtask bench start --json    how long a start takes, for a script"
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check and test everything: rules of this house, formatting, lints, tests against real services
    Test(test::Args),
    /// Check the rules of this house, formatting and lints, without building any test
    Tidy,
    /// Run only the tests that drive the whole product in a browser
    E2e(test::EndToEndArgs),
    /// Do all that has to pass before a release: tests, licences, fuzzing, a release build that starts
    Ci,
    /// Let a fuzzer look for inputs that break the guard's rules
    Fuzz(fuzz::Args),
    /// Make a release: archive, inventory, checksums and signature; or check one
    Dist(dist::Args),
    /// Measure the release build
    Bench(bench::Args),
    /// Take pictures of the product's pages
    Screenshots(screenshots::Args),
    /// Write the documents anew that are made from code: the command line's reference
    Docs,
}

fn main() -> ExitCode {
    let done =
        std::env::set_current_dir(shell::root()).map_err(anyhow::Error::from).and_then(|()| match Cli::parse().task {
            Task::Test(args) => test::run(&args),
            Task::Tidy => test::check(),
            Task::E2e(args) => test::run_end_to_end(&args),
            Task::Ci => ci::run(),
            Task::Fuzz(args) => fuzz::run(&args),
            Task::Dist(args) => dist::run(&args),
            Task::Bench(args) => bench::run(&args),
            Task::Screenshots(args) => screenshots::run(&args),
            Task::Docs => docs::run(),
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
