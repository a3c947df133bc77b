use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::packages;
use crate::shell;

/// Web applications of other people that tests sell unchanged: one that only answers, and one that
/// talks through WebSockets.
const APPLICATIONS: [&str; 3] = ["datasette==0.65.5", "jupyter_server==2.21.1", "terminado==0.18.1"];

const HOME: &str = "target/test-services/apps";

/// Applications that are ready to run.
pub struct Applications {
    /// A virtual environment; programs are in its `bin`.
    pub folder: PathBuf,
    /// Where its Python itself is installed; needed beside the folder to run anything.
    pub python: PathBuf,
}

/// Makes the applications ready, once for each set of versions.
pub fn make_ready() -> Result<Applications> {
    if shell::find(&["python3"], &[]).is_none() {
        packages::install(&["python3", "python3-venv"], "Python, for applications that tests sell,")?;
    }
    let folder = shell::root().join(HOME);
    let stamp = folder.join("made-of");
    let wanted = format!("{}\n{}", python_of("python3".as_ref())?.display(), APPLICATIONS.join("\n"));
    if fs::read_to_string(&stamp).is_ok_and(|made_of| made_of == wanted) && python_of(&program(&folder)).is_ok() {
        return applications(folder);
    }
    make_environment(&folder)?;
    let mut pip = Command::new(program(&folder));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(APPLICATIONS);
    shell::run(&mut pip)?;
    fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))?;
    applications(folder)
}

fn make_environment(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    let make = || shell::output(Command::new("python3").args(["-m", "venv"]).arg(folder));
    if make().is_err() {
        // Debian and Ubuntu keep this part of Python in a package of its own.
        packages::install(&["python3-venv"], "Python's venv module")?;
        fs::remove_dir_all(folder).ok();
        make()?;
    }
    Ok(())
}

fn applications(folder: PathBuf) -> Result<Applications> {
    let python = python_of(&program(&folder))?;
    Ok(Applications { folder, python })
}

fn program(folder: &Path) -> PathBuf {
    folder.join("bin/python")
}

/// The folder in which a Python is installed, free of links.
fn python_of(program: &Path) -> Result<PathBuf> {
    let code = "import os, sys; print(os.path.realpath(sys.base_prefix))";
    Ok(shell::output(Command::new(program).args(["-c", code]))?.into())
}
