//! `cargo xtask docs`: documents that are made from code.

use anyhow::Result;

use crate::shell::{self, cargo, step};

/// The test that compares, and writes before where it is told to.
const WRITER: &str = "cli::reference::tests::the_reference_says_what_the_commands_say";

/// Writes `docs/cli.md` from the commands themselves.
pub fn run() -> Result<()> {
    step("the command line's reference", || {
        let writer = ["test", "--package", "spinoff", "--bin", "spinoff", "--", "--exact", WRITER];
        shell::run(cargo().args(writer).env("SPINOFF_WRITE_REFERENCE", "1"))
    })
}
