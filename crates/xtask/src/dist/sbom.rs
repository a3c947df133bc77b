//! What a release was built from, in CycloneDX, so that scanners can say which known fault it has.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::release::Release;
use crate::services;
use crate::shell::{self, cargo, step};
use crate::temporary::TemporaryFolder;

pub const ENDING: &str = ".cdx.json";

/// Newest release of the tool when this was written.
const CYCLONEDX: &str = "0.5.9";

/// The tool names files by this, beside each manifest.
const WRITTEN: &str = "spinoff-release";

/// What stands in the place of the folder in which the list was made.
const NOWHERE: &str = "/spinoff";

/// Lists all that `spinoff` is built from; the other programs are built from parts of it.
pub fn write(release: &Release, to: &Path) -> Result<()> {
    if services::is_missing("cargo-cyclonedx") {
        step("installing cargo-cyclonedx (once)", || {
            shell::run(cargo().args(["install", "cargo-cyclonedx", "--locked", "--version", CYCLONEDX]))
        })?;
    }
    // It writes a file into the folder of every crate: into those of a copy.
    let copy = TemporaryFolder::new("dist-sbom")?;
    let parts = ["Cargo.toml", "Cargo.lock", "crates"].map(|part| shell::root().join(part));
    shell::run(Command::new("cp").arg("-r").args(&parts).arg(copy.path()))?;
    let mut command = cargo();
    command.args(["cyclonedx", "--format", "json", "--spec-version", "1.5", "--all", "--quiet", "--target"]);
    command.args([&release.target, "--override-filename", WRITTEN]);
    command.env("SOURCE_DATE_EPOCH", release.seconds.to_string()).current_dir(copy.path());
    shell::output(&mut command)?;
    let made = copy.path().join(format!("crates/spinoff/{WRITTEN}.json"));
    let text = fs::read_to_string(&made).with_context(|| format!("reading {}", made.display()))?;
    let text = without_folder(&text, copy.path());
    fs::write(to, text).with_context(|| format!("writing {}", to.display()))
}

/// Our own crates are named by the folder they are in, which is another one each time.
fn without_folder(text: &str, folder: &Path) -> String {
    text.replace(&folder.display().to_string(), NOWHERE)
}

/// What is wrong with the list of a release of this name.
pub fn faults(name: &str, path: &Path) -> Vec<String> {
    let Ok(text) = fs::read_to_string(path) else { return vec![format!("{name}{ENDING} is missing, or no text")] };
    let list = serde_json::from_str(&text).unwrap_or(Value::Null);
    faults_in(name, &list).into_iter().map(|fault| format!("{name}{ENDING} {fault}")).collect()
}

fn faults_in(name: &str, list: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let about = &list["metadata"]["component"];
    let version = about["version"].as_str().unwrap_or_default();
    if list["bomFormat"] != "CycloneDX" {
        faults.push("is not in CycloneDX".to_owned());
    }
    if about["name"] != "spinoff" || !name.starts_with(&format!("spinoff-{version}-")) {
        faults.push(format!("is about {} {version}", about["name"].as_str().unwrap_or("nothing")));
    }
    let components = list["components"].as_array().map_or(&[][..], Vec::as_slice);
    if components.is_empty() {
        faults.push("lists nothing".to_owned());
    }
    let nameless = components.iter().filter(|component| !component["purl"].is_string()).count();
    if nameless > 0 {
        faults.push(format!("lists {nameless} components that no scanner could look up"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_of_another_release_or_of_nothing_is_refused() {
        let list = |version: &str, components: Value| {
            json!({"bomFormat": "CycloneDX", "metadata": {"component": {"name": "spinoff", "version": version}},
                   "components": components})
        };
        let hyper = json!([{"name": "hyper", "purl": "pkg:cargo/hyper@1.12.0"}]);
        assert_eq!(faults_in("spinoff-1.2.3-x", &list("1.2.3", hyper.clone())), [""; 0]);
        assert_eq!(faults_in("spinoff-1.2.3-x", &list("1.2.4", hyper)), ["is about spinoff 1.2.4"]);
        assert_eq!(faults_in("spinoff-1.2.3-x", &list("1.2.3", json!([]))), ["lists nothing"]);
        assert_eq!(
            faults_in("spinoff-1.2.3-x", &list("1.2.3", json!([{"name": "hyper"}]))),
            ["lists 1 components that no scanner could look up"]
        );
        assert_eq!(faults_in("spinoff-1.2.3-x", &json!({})).len(), 3);
    }

    #[test]
    fn where_the_list_was_made_stands_nowhere_in_it() {
        let text = r#"{"bom-ref": "path+file:///tmp/spinoff-dist-sbom-1-0/crates/guard#0.1.0"}"#;
        let clean = without_folder(text, Path::new("/tmp/spinoff-dist-sbom-1-0"));
        assert_eq!(clean, r#"{"bom-ref": "path+file:///spinoff/crates/guard#0.1.0"}"#);
    }
}
