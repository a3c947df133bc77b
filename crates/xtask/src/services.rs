//! What tests need beside this repository: found on this machine, or installed and said so.

mod browser;
mod packages;
mod postgres;
mod proxies;
mod python;

use std::ffi::OsString;

use anyhow::Result;

use crate::shell::{find, step};

pub use browser::find_driver;
pub use proxies::{OtherProxy, find_proxy};

/// Services that run, or stand ready, for as long as this value lives.
pub struct Services {
    postgres: postgres::Server,
    ready: Vec<(&'static str, OsString)>,
}

impl Services {
    /// A PostgreSQL server of our own, and the client that tests use as people do.
    pub fn start_database() -> Result<Self> {
        if is_missing("curl") {
            packages::install(&["curl"], "curl, a client for tests")?;
        }
        let postgres = step("starting PostgreSQL", postgres::Server::start)?;
        Ok(Self { postgres, ready: Vec::new() })
    }

    /// The database, and a browser with its driver.
    pub fn start_browser() -> Result<Self> {
        let mut services = Self::start_database()?;
        let driver = step("finding a browser and its driver", browser::find_driver)?;
        services.ready = vec![("SPINOFF_TEST_CHROMEDRIVER", driver.into())];
        Ok(services)
    }

    /// The database, a browser with its driver, and applications of other people.
    pub fn start_all() -> Result<Self> {
        let mut services = Self::start_browser()?;
        let applications = step("making applications from PyPI ready", python::make_ready)?;
        services.ready.extend([
            ("SPINOFF_TEST_APPS", applications.folder.into()),
            ("SPINOFF_TEST_APPS_PREFIX", applications.python.into()),
        ]);
        Ok(services)
    }

    /// Where tests find all this, as environment variables.
    pub fn variables(&self) -> Vec<(&'static str, OsString)> {
        let postgres = ("SPINOFF_TEST_POSTGRES", OsString::from(self.postgres.url()));
        std::iter::once(postgres).chain(self.ready.iter().cloned()).collect()
    }
}

/// Whether a program has to be installed first.
pub fn is_missing(program: &str) -> bool {
    let home =
        |variable: &str, below: &str| std::env::var_os(variable).map(|home| std::path::Path::new(&home).join(below));
    let folders: Vec<_> = [home("CARGO_HOME", "bin"), home("HOME", ".cargo/bin")].into_iter().flatten().collect();
    find(&[program], &folders).is_none()
}
