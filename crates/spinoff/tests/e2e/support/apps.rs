//! Applications of others, as they come from their publishers, and the interpreter they need.

use std::path::PathBuf;

use super::server::{Server, Start};

/// A folder of installed third-party applications.
#[derive(Debug)]
pub struct Apps {
    environment: PathBuf,
    prefix: PathBuf,
}

impl Apps {
    /// Those that the test command installs.
    ///
    /// # Panics
    /// When it did not.
    pub fn installed() -> Self {
        Self { environment: folder("SPINOFF_TEST_APPS"), prefix: folder("SPINOFF_TEST_APPS_PREFIX") }
    }

    /// The path of one of their programs.
    pub fn program(&self, name: &str) -> String {
        self.environment.join("bin").join(name).display().to_string()
    }

    /// The folder of their environment.
    pub fn environment(&self) -> String {
        self.environment.display().to_string()
    }

    /// The folder of the interpreter that it builds on.
    pub fn prefix(&self) -> String {
        self.prefix.display().to_string()
    }

    /// A server whose instances see them.
    pub fn seller(&self) -> Start {
        Server::with().app_path(&self.environment).app_path(&self.prefix)
    }
}

fn folder(variable: &str) -> PathBuf {
    let found = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_dir());
    found.unwrap_or_else(|| {
        panic!("{variable} names no folder: run the tests with `cargo xtask test`, which installs what they need")
    })
}
