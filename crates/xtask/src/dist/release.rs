use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{archive, sbom};
use crate::shell::{self, cargo};

/// Which release is made, of what, and for which machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub version: String,
    /// The kind of machine, as the compiler names it: `x86_64-unknown-linux-gnu`.
    pub target: String,
    pub commit: String,
    /// When the commit was made, in seconds since 1970: the time of everything that is packed, so that two runs give
    /// the same archive.
    pub seconds: u64,
}

impl Release {
    /// Of this working tree, for this machine.
    pub fn read() -> Result<Self> {
        let metadata = metadata(&["--no-deps"])?;
        let seconds = git(&["log", "-1", "--format=%ct"])?;
        Ok(Self {
            version: version_in(&metadata).context("cargo does not tell the version of the package spinoff")?,
            target: host()?,
            commit: git(&["rev-parse", "HEAD"])?,
            seconds: seconds.parse().with_context(|| format!("git says that the commit was made at {seconds}"))?,
        })
    }

    /// Of the folder in the archive, and of the files beside it.
    pub fn name(&self) -> String {
        format!("spinoff-{}-{}", self.version, self.target)
    }

    pub fn archive(&self) -> String {
        format!("{}{}", self.name(), archive::ENDING)
    }

    pub fn inventory(&self) -> String {
        format!("{}{}", self.name(), sbom::ENDING)
    }
}

/// What cargo knows about this workspace.
pub fn metadata(options: &[&str]) -> Result<Value> {
    let mut command = cargo();
    command.args(["metadata", "--locked", "--format-version", "1"]).args(options).current_dir(shell::root());
    serde_json::from_str(&shell::output(&mut command)?).context("reading what `cargo metadata` says")
}

/// Whether the working tree is what was committed.
pub fn is_clean() -> Result<bool> {
    Ok(git(&["status", "--porcelain"])?.is_empty())
}

fn version_in(metadata: &Value) -> Option<String> {
    let packages = metadata["packages"].as_array()?;
    let package = packages.iter().find(|package| package["name"] == "spinoff")?;
    package["version"].as_str().map(str::to_owned)
}

fn host() -> Result<String> {
    let said = shell::output(Command::new("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).with_context(|| format!("`rustc -vV` names no host: {said}"))
}

fn git(arguments: &[&str]) -> Result<String> {
    shell::output(Command::new("git").args(arguments).current_dir(shell::root()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_release_is_named_by_version_and_machine() {
        let packages =
            json!({"packages": [{"name": "guard", "version": "9.9.9"}, {"name": "spinoff", "version": "1.2.3"}]});
        let release = Release {
            version: version_in(&packages).unwrap(),
            target: "aarch64-unknown-linux-gnu".to_owned(),
            commit: "c0ffee".to_owned(),
            seconds: 1,
        };
        assert_eq!(release.archive(), "spinoff-1.2.3-aarch64-unknown-linux-gnu.tar.gz");
        assert_eq!(release.inventory(), "spinoff-1.2.3-aarch64-unknown-linux-gnu.cdx.json");
        assert_eq!(version_in(&json!({"packages": []})), None);
    }
}
