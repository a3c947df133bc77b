//! axe-core, which finds what keeps people with assistive technology out. It comes from the registry of npm packages, once,
//! and only as what the workspace's `axe/package-lock.json` says.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::browser::Browser;

/// What is wrong with the page as it stands: the rule, and the elements that break it.
const RUN: &str = "
    const words = (node) => `${node.html} ${node.failureSummary}`;
    return axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
        violations.map((found) => `${found.id}: ${found.help}: ${found.nodes.map(words).join(' | ')}`))";

/// The script; nothing where it is not here and there is no registry, which is said.
pub struct Axe(Option<String>);

impl Axe {
    pub fn find() -> Self {
        let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("axe");
        let script = home.join("node_modules/axe-core/axe.min.js");
        if !script.exists()
            && let Err(why) = install(&home)
        {
            eprintln!("skipped: no axe-core ({why})");
            return Self(None);
        }
        Self(Some(std::fs::read_to_string(script).unwrap()))
    }

    /// Nothing of the page is complained about.
    pub async fn is_content(&self, browser: &Browser) {
        let Self(Some(script)) = self else { return };
        browser.js(script, &[]).await;
        let found = browser.js(RUN, &[]).await;
        assert_eq!(found, Value::Array(Vec::new()), "at {}", browser.url().await);
    }
}

/// Several tests may come here at once, so each makes a folder of its own, and one of them is taken.
fn install(home: &Path) -> Result<(), String> {
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workspace/tests/browser/axe");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).map_err(|error| error.to_string())?;
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(recipe.join(name), folder.path().join(name)).map_err(|error| error.to_string())?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder.path());
    let done = npm.output().map_err(|error| format!("npm: {error}"))?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    match std::fs::rename(folder.path(), home) {
        Err(error) if !home.exists() => Err(error.to_string()),
        _ => Ok(()),
    }
}
