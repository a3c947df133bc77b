//! What a release holds.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::licences;
use super::release::Release;
use crate::shell::{self, cargo};

/// By the packages that make them: the main instance with everything in it, the guard alone, the application alone.
pub const PROGRAMS: [(&str, &str); 3] = [("spinoff", "spinoff"), ("guard", "spinoff-guard"), ("workspace", "ai-diy")];

/// Where programs are in it.
pub const PROGRAM_FOLDER: &str = "bin";

/// What others' licences ask to be given along.
pub const LICENCES: &str = "LICENSES.txt";

/// Says what the rest was made of.
pub const ORIGIN: &str = "RELEASE.txt";

/// From the repository's folder, as they are there.
pub const TAKEN: [&str; 4] = ["README.md", "CHANGELOG.md", "docs", "deploy"];

const BUILD_FOLDER: &str = "target/dist-build";

/// Builds the programs apart from everyday builds, since they must not say where they were built.
pub fn build(release: &Release) -> Result<PathBuf> {
    let target = shell::root().join(BUILD_FOLDER);
    let mut command = cargo();
    command
        .args(["build", "--release", "--locked", "--bins", "--target", &release.target, "--target-dir"])
        .arg(&target);
    for (package, _) in PROGRAMS {
        command.args(["--package", package]);
    }
    command.env("CARGO_INCREMENTAL", "0").env("SOURCE_DATE_EPOCH", release.seconds.to_string());
    command
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", remapped(&[(shell::root(), "/spinoff"), (cargo_home(), "/cargo")]));
    shell::run(command.current_dir(shell::root()))?;
    Ok(target.join(&release.target).join("release"))
}

/// Flags that write other names of folders into programs.
fn remapped(folders: &[(PathBuf, &str)]) -> String {
    let flags = folders.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
    flags.collect::<Vec<_>>().join("\x1f")
}

fn cargo_home() -> PathBuf {
    let home = || Path::new(&std::env::var_os("HOME").unwrap_or_default()).join(".cargo");
    std::env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// Lays everything out in a folder that is not there yet.
pub fn collect(release: &Release, programs: &Path, top: &Path) -> Result<()> {
    let bin = top.join(PROGRAM_FOLDER);
    fs::create_dir_all(&bin).with_context(|| format!("making {}", bin.display()))?;
    for (package, program) in PROGRAMS {
        let from = programs.join(program);
        ensure!(
            is_program(&from),
            "{} is no program: build it with `cargo build --release -p {package}`, or leave --programs out",
            from.display()
        );
        fs::copy(&from, bin.join(program)).with_context(|| format!("copying {}", from.display()))?;
    }
    for name in TAKEN {
        let from = shell::root().join(name);
        ensure!(from.exists(), "{} is missing, and a release has one", from.display());
        shell::run(Command::new("cp").arg("-r").arg(&from).arg(top))?;
    }
    let write = |name: &str, text: String| fs::write(top.join(name), text).with_context(|| format!("writing {name}"));
    write(LICENCES, licences::text(release)?)?;
    write(ORIGIN, origin(release))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o100 != 0)
}

fn origin(release: &Release) -> String {
    let Release { version, target, commit, seconds } = release;
    format!("version {version}\ntarget {target}\ncommit {commit}\ncommitted {seconds}\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::temporary::TemporaryFolder;

    #[test]
    fn programs_do_not_say_where_they_were_built() {
        let flags = remapped(&[(PathBuf::from("/home/ada/work"), "/spinoff"), (PathBuf::from("/c"), "/cargo")]);
        let flags: Vec<&str> = flags.split('\x1f').collect();
        assert_eq!(flags, ["--remap-path-prefix=/home/ada/work=/spinoff", "--remap-path-prefix=/c=/cargo"]);
    }

    #[test]
    fn what_can_not_be_run_is_no_program() {
        let folder = TemporaryFolder::new("dist-programs").unwrap();
        let path = folder.path().join("spinoff");
        assert!(!is_program(&path));
        fs::write(&path, "#!/bin/sh\n").unwrap();
        assert!(!is_program(&path));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(is_program(&path) && !is_program(folder.path()));
    }
}
