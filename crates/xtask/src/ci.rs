//! `cargo xtask ci`: all that has to pass before a release.

use anyhow::Result;

use crate::fuzz;
use crate::product::Product;
use crate::services;
use crate::shell::{self, cargo, step};
use crate::temporary::TemporaryFolder;
use crate::test;

const DENY: &str = "0.20.2";

/// Tests, then licences and sources of what we build on, then a bounded time of fuzzing, then the release
/// build and two starts of it.
pub fn run() -> Result<()> {
    test::run(&test::Args::default())?;
    if services::is_missing("cargo-deny") {
        step("installing cargo-deny (once)", || {
            shell::run(cargo().args(["install", "cargo-deny", "--locked", "--version", DENY]))
        })?;
    }
    step("licences, bans and sources of dependencies", || {
        shell::run(cargo().args(["deny", "check", "bans", "licenses", "sources"]))
    })?;
    fuzz::run(&fuzz::Args::briefly())?;
    let binary = Product::build_release()?;
    step("a start from nothing, and a second one", || {
        let data = TemporaryFolder::new("ci")?;
        for _ in ["first", "second"] {
            let product = Product::start(&binary, data.path())?;
            product.site()?.get("/")?.expect(200)?;
            product.stop()?;
        }
        Ok(())
    })
}
