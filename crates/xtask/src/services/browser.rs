use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::packages;
use crate::shell;

/// The driver of a Chromium that is on this machine; both are installed when they are missing.
pub fn find_driver() -> Result<PathBuf> {
    if let (Some(driver), Some(_)) = (driver(), browser()) {
        return Ok(driver);
    }
    // Ubuntu's packages of the same purpose are named otherwise and install snaps.
    packages::install(&["chromium", "chromium-driver"], "a browser for tests")
        .or_else(|_| packages::install(&["chromium-browser", "chromium-chromedriver"], "a browser for tests"))?;
    browser().context("Chromium was installed, but there is no `chromium` in $PATH")?;
    driver().context("Chromium's driver was installed, but there is no `chromedriver` in $PATH")
}

fn driver() -> Option<PathBuf> {
    let elsewhere = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/snap/bin"].map(PathBuf::from);
    shell::find(&["chromedriver", "chromium.chromedriver"], &elsewhere)
}

fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    shell::find(&names, &[PathBuf::from("/snap/bin")])
}
