//! `cargo xtask test`: the one command that says whether everything holds.

use std::process::Command;

use anyhow::Result;

use crate::services::{self, Services};
use crate::shell::{self, cargo, step};
use crate::tidy;

/// Newest release known to build with the toolchain of this workspace.
const NEXTEST: &str = "0.9.143";

const END_TO_END: &str = "package(=spinoff) & binary(=e2e)";

/// What to test.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Without a filter, the rules of this house, formatting and lints are checked first.
What is missing (PostgreSQL, Chromium, applications from PyPI, cargo-nextest) is installed on the way.

Examples:
  cargo xtask test
  cargo xtask test --fast
  cargo xtask test -p workflow resumes
  cargo xtask test signing_up -- --no-capture")]
pub struct Args {
    /// Only tests whose names contain one of these
    pub filters: Vec<String>,

    /// Only tests of this crate; can be given more than once
    #[arg(short, long, value_name = "CRATE")]
    pub package: Vec<String>,

    /// Leave out the tests that drive the whole product in a browser
    #[arg(long)]
    pub fast: bool,

    /// Handed on to `cargo nextest run`
    #[arg(last = true, value_name = "OPTION")]
    pub nextest: Vec<String>,
}

/// Which of the end-to-end tests to run.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask e2e
  cargo xtask e2e journey -- --no-capture")]
pub struct EndToEndArgs {
    /// Only tests whose names contain one of these
    filters: Vec<String>,

    /// Handed on to `cargo nextest run`
    #[arg(last = true, value_name = "OPTION")]
    nextest: Vec<String>,
}

/// Checks and tests everything, or tests what was asked for.
pub fn run(args: &Args) -> Result<()> {
    if args.filters.is_empty() && args.package.is_empty() {
        check()?;
    }
    let browser = !args.fast && (args.package.is_empty() || args.package.iter().any(|name| name == "spinoff"));
    let mut arguments = args.filters.clone();
    if let Some(selection) = selection(args) {
        arguments.extend(["-E".to_owned(), selection]);
    }
    arguments.extend(args.nextest.iter().cloned());
    nextest(&arguments, browser)
}

/// Checks what can be checked without building a test.
pub fn check() -> Result<()> {
    step("rules of this house", tidy::run)?;
    step("formatting", || shell::run(cargo().args(["fmt", "--all", "--check"])))?;
    step("lints", || {
        shell::run(cargo().args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })
}

/// Runs the tests of the whole product.
pub fn run_end_to_end(args: &EndToEndArgs) -> Result<()> {
    let mut arguments = args.filters.clone();
    arguments.extend(["-E".to_owned(), END_TO_END.to_owned()]);
    arguments.extend(args.nextest.iter().cloned());
    nextest(&arguments, true)
}

/// The tests to run, in nextest's language; `None` is all of them.
fn selection(args: &Args) -> Option<String> {
    let crates: Vec<String> = args.package.iter().map(|name| format!("package(={name})")).collect();
    match (crates.is_empty(), args.fast) {
        (true, false) => None,
        (true, true) => Some(format!("not ({END_TO_END})")),
        (false, false) => Some(crates.join(" | ")),
        (false, true) => Some(format!("({}) & not ({END_TO_END})", crates.join(" | "))),
    }
}

/// Runs tests with the services they need. Prints nothing after nextest's own summary.
fn nextest(arguments: &[String], browser: bool) -> Result<()> {
    let services = if browser { Services::start_all()? } else { Services::start_database()? };
    if services::is_missing("cargo-nextest") {
        step("installing cargo-nextest (once)", || {
            shell::run(cargo().args(["install", "cargo-nextest", "--locked", "--version", NEXTEST]))
        })?;
    }
    let with_services = |mut command: Command| {
        command.envs(services.variables());
        command
    };
    // Always the whole workspace, whatever is run of it: another selection would build every
    // dependency again with other features.
    let selected = ["--workspace", "--all-targets"];
    step("building tests", || {
        let mut build = with_services(cargo());
        shell::run(build.args(["nextest", "run", "--no-run", "--cargo-quiet"]).args(selected))
    })?;
    eprintln!("── tests");
    shell::run(with_services(cargo()).args(["nextest", "run", "--cargo-quiet"]).args(selected).args(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(package: &[&str], fast: bool) -> Args {
        Args { package: package.iter().map(|name| (*name).to_owned()).collect(), fast, ..Args::default() }
    }

    #[test]
    fn everything_is_run_unless_something_was_asked_for() {
        assert_eq!(selection(&args(&[], false)), None);
    }

    #[test]
    fn crates_add_up_and_fast_takes_away() {
        assert_eq!(selection(&args(&["guard", "edge"], false)).as_deref(), Some("package(=guard) | package(=edge)"));
        let fast = selection(&args(&["guard", "edge"], true));
        assert_eq!(
            fast.as_deref(),
            Some("(package(=guard) | package(=edge)) & not (package(=spinoff) & binary(=e2e))")
        );
    }
}
