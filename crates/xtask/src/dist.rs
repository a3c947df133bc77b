//! `cargo xtask dist`: what is given to others: an archive of the programs, its inventory, checksums, and a signature
//! over them.

mod archive;
mod contents;
mod licences;
mod release;
mod sbom;
mod signature;
mod sums;
mod verify;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::shell::{self, step};
use crate::temporary::TemporaryFolder;
use release::Release;

/// Below the repository's folder.
const USUAL_OUT: &str = "target/dist";

/// What to make, or to check.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Signing uses `ssh-keygen -Y sign`: the key is a private key of OpenSSH, or a public one whose private half an
agent or a security key holds. No key belongs into this repository.

Examples:
  cargo xtask dist --sign ~/.ssh/release                         build, pack, and sign
  cargo xtask dist --programs target/release --with-changes      pack what was built already, to try it
  cargo xtask dist --verify target/dist --key release.pub        check all of it"
)]
pub struct Args {
    /// Check the release in this folder, and make none
    #[arg(long, value_name = "DIR", conflicts_with_all = ["programs", "out", "sign", "with_changes"])]
    verify: Option<PathBuf>,

    /// Public key, in OpenSSH's form, that must have signed it
    #[arg(long, value_name = "FILE", requires = "verify")]
    key: Option<PathBuf>,

    /// Check a release that nobody signed
    #[arg(long, requires = "verify", conflicts_with = "key")]
    unsigned: bool,

    /// Folder with the programs, built already [default: they are built]
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,

    /// Where the release goes; what an earlier run left there is replaced [default: target/dist]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Key to sign the checksums with [default: they are not signed]
    #[arg(long, value_name = "FILE")]
    sign: Option<PathBuf>,

    /// Pack a working tree that differs from its commit: to try it, not to give it away
    #[arg(long)]
    with_changes: bool,
}

/// Makes a release, or checks one.
pub fn run(args: &Args) -> Result<()> {
    match &args.verify {
        Some(folder) => {
            let key = args.key.as_deref();
            ensure!(
                key.is_some() || args.unsigned,
                "without a key nothing says who made this: give --key FILE, or --unsigned to check only that it is whole"
            );
            verify::run(folder, key)
        }
        None => make(args),
    }
}

fn make(args: &Args) -> Result<()> {
    let release = Release::read()?;
    if !args.with_changes && !release::is_clean()? {
        bail!(
            "the working tree differs from commit {}, so the release would not be what it says: commit first, or try \
             it with --with-changes",
            release.commit
        );
    }
    let out = args.out.clone().unwrap_or_else(|| shell::root().join(USUAL_OUT));
    make_room(&out)?;
    let programs = match &args.programs {
        Some(folder) => folder.clone(),
        None => step("building the programs", || contents::build(&release))?,
    };
    let stage = TemporaryFolder::new("dist")?;
    let top = stage.path().join(release.name());
    step("collecting programs, documents and licences", || contents::collect(&release, &programs, &top))?;
    step("packing", || archive::pack(&release, stage.path(), &out.join(release.archive())))?;
    step("listing what it was built from", || sbom::write(&release, &out.join(release.inventory())))?;
    let files = [release.archive(), release.inventory()];
    fs::write(out.join(sums::FILE), sums::of(&out, &files)?).context("writing the checksums")?;
    if let Some(key) = &args.sign {
        step("signing", || signature::sign(key, &out.join(sums::FILE)))?;
    }
    println!("{}", out.join(release.archive()).display());
    Ok(())
}

/// Makes the folder, or takes away what an earlier run left in it. Whatever else is there stays, and stops this: the
/// checksums must be of everything beside them.
fn make_room(out: &Path) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    for entry in fs::read_dir(out).with_context(|| format!("reading {}", out.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ensure!(
            is_ours(&name) && path.is_file(),
            "{} is no part of a release: choose another folder with --out, or an empty one",
            path.display()
        );
        fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}

fn is_ours(name: &str) -> bool {
    let made = [archive::ENDING, sbom::ENDING].iter().any(|ending| name.ends_with(ending));
    (name.starts_with("spinoff-") && made) || name == sums::FILE || name == signature::FILE
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_earlier_release_makes_room_and_nothing_else_does() {
        let folder = TemporaryFolder::new("dist-room").unwrap();
        let out = folder.path().join("new");
        make_room(&out).unwrap();
        for name in ["spinoff-0.1.0-x86_64-unknown-linux-gnu.tar.gz", "SHA256SUMS", "SHA256SUMS.sig"] {
            fs::write(out.join(name), "old").unwrap();
        }
        make_room(&out).unwrap();
        assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
        fs::write(out.join("thesis.txt"), "years of work").unwrap();
        let error = make_room(&out).unwrap_err().to_string();
        assert!(error.contains("thesis.txt") && error.contains("--out"), "{error}");
        assert!(out.join("thesis.txt").exists());
    }
}
