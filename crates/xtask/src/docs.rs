//! `cargo xtask docs`: documents that are made from code.

use anyhow::Result;

use crate::shell::{self, cargo, step};

/// The test that writes what another one compares.
const WRITER: &str = "cli::reference::tests::write_the_reference";

/// Writes `docs/cli.md` from the commands themselves.
pub fn run() -> Result<()> {
    step("the command line's reference", || {
        let writer = ["test", "--package", "spinoff", "--bin", "spinoff", "--", "--ignored", "--exact", WRITER];
        shell::run(cargo().args(writer))
    })
}
