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

const END_TO_END: &str = "package(=spinoff) & binary(=e2e) | package(=workspace) & binary(=browser)";

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

    /// Leave out the tests that drive the product in a browser
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
    let mut tests = args.filters.clone();
    if args.fast {
        tests.extend(["-E".to_owned(), format!("not ({END_TO_END})")]);
    }
    tests.extend(args.nextest.iter().cloned());
    nextest(&packages(&args.package), &tests, needed(args))
}

/// What tests need beside the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needed {
    Nothing,
    Browser,
    Everything,
}

fn needed(args: &Args) -> Needed {
    let tested = |name: &str| args.package.is_empty() || args.package.iter().any(|package| package == name);
    match (args.fast, tested("spinoff"), tested("workspace")) {
        (false, true, _) => Needed::Everything,
        (false, false, true) => Needed::Browser,
        _ => Needed::Nothing,
    }
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
    nextest(&packages(&["spinoff".to_owned(), "workspace".to_owned()]), &tests, Needed::Everything)
}

/// What cargo is to build.
fn packages(names: &[String]) -> Vec<String> {
    if names.is_empty() {
        return vec!["--workspace".to_owned()];
    }
    names.iter().flat_map(|name| ["-p".to_owned(), name.clone()]).collect()
}

/// Runs tests with the services they need. Prints nothing after nextest's own summary.
fn nextest(packages: &[String], tests: &[String], needed: Needed) -> Result<()> {
    let services = match needed {
        Needed::Nothing => Services::start_database()?,
        Needed::Browser => Services::start_browser()?,
        Needed::Everything => Services::start_all()?,
    };
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

    #[test]
    fn a_browser_is_there_for_the_crates_whose_tests_drive_one() {
        let of = |fast, package: &[&str]| {
            needed(&Args { fast, package: package.iter().map(ToString::to_string).collect(), ..Args::default() })
        };
        assert_eq!(of(false, &[]), Needed::Everything);
        assert_eq!(of(false, &["workspace"]), Needed::Browser);
        assert_eq!([of(false, &["guard"]), of(true, &[])], [Needed::Nothing, Needed::Nothing]);
    }
}
