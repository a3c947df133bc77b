//! `cargo xtask test`: the one command that says whether everything holds.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;

use crate::services::{self, Services};
use crate::shell::{self, cargo, step};
use crate::tidy;

/// Newest release known to build with the toolchain of this workspace.
const NEXTEST: &str = "0.9.143";

const CLIPPY: &str = "clippy-driver";

const END_TO_END: &str = "package(=spinoff) & binary(=e2e)";

/// What to test.
#[derive(Debug, Default, clap::Args)]
#[command(
    after_help = "Without a filter, the rules of this house and formatting are checked first. Lints are, while tests are built.
What is missing (PostgreSQL, Chromium, applications from PyPI, cargo-nextest) is installed on the way.

Examples:
  cargo xtask test
  cargo xtask test --fast
  cargo xtask test -p workflow resumes
  cargo xtask test signing_up -- --no-capture"
)]
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
        check_text()?;
    }
    let browser = !args.fast && (args.package.is_empty() || args.package.iter().any(|name| name == "spinoff"));
    let mut tests = args.filters.clone();
    if args.fast {
        tests.extend(["-E".to_owned(), format!("not ({END_TO_END})")]);
    }
    tests.extend(args.nextest.iter().cloned());
    nextest(&packages(&args.package), &tests, browser)
}

/// Checks what can be checked without building a test.
pub fn check() -> Result<()> {
    check_text()?;
    step("lints", || shell::run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])))
}

fn check_text() -> Result<()> {
    step("rules of this house", tidy::run)?;
    step("formatting", || shell::run(cargo().args(["fmt", "--all", "--check"])))
}

/// Runs the tests of the whole product.
pub fn run_end_to_end(args: &EndToEndArgs) -> Result<()> {
    let mut tests = args.filters.clone();
    tests.extend(["-E".to_owned(), END_TO_END.to_owned()]);
    tests.extend(args.nextest.iter().cloned());
    nextest(&packages(&["spinoff".to_owned()]), &tests, true)
}

/// What cargo is to build.
fn packages(names: &[String]) -> Vec<String> {
    if names.is_empty() {
        return vec!["--workspace".to_owned()];
    }
    names.iter().flat_map(|name| ["-p".to_owned(), name.clone()]).collect()
}

/// Runs tests with the services they need. Prints nothing after nextest's own summary.
fn nextest(packages: &[String], tests: &[String], browser: bool) -> Result<()> {
    let services = if browser { Services::start_all()? } else { Services::start_database()? };
    if services::is_missing("cargo-nextest") {
        step("installing cargo-nextest (once)", || {
            shell::run(cargo().args(["install", "cargo-nextest", "--locked", "--version", NEXTEST]))
        })?;
    }
    let run = || {
        let mut command = cargo();
        command.envs(services.variables()).envs(linting()).args(["nextest", "run", "--all-targets"]).args(packages);
        command
    };
    step("building tests, with lints", || shell::run(run().arg("--no-run")))?;
    eprintln!("── tests");
    shell::run(run().arg("--cargo-quiet").args(tests))
}

/// Clippy compiles our own crates: what is linted is linted while it is built, and what it builds on is built
/// once. `cargo clippy` hands its arguments on in the same way, and finds the compiler beside itself too.
fn linting() -> [(&'static str, OsString); 2] {
    let beside_cargo = std::env::var_os("CARGO").map(|cargo| PathBuf::from(cargo).with_file_name(CLIPPY));
    let clippy = beside_cargo.filter(|path| path.exists()).unwrap_or_else(|| CLIPPY.into());
    [("RUSTC_WORKSPACE_WRAPPER", clippy.into_os_string()), ("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__".into())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_built_unless_crates_were_named() {
        assert_eq!(packages(&[]), ["--workspace"]);
        assert_eq!(packages(&["guard".to_owned(), "edge".to_owned()]), ["-p", "guard", "-p", "edge"]);
    }
}
