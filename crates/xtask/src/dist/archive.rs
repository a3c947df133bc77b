//! The archive: made so that two runs over the same files give the same bytes.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::contents::{LICENCES, ORIGIN, PROGRAM_FOLDER, PROGRAMS, TAKEN};
use super::release::Release;
use crate::shell;

/// Gzip, since everybody's tar can open it.
pub const ENDING: &str = ".tar.gz";

/// Packs the release's folder in `stage`: entries by name, of nobody, of the commit's time, with plain rights.
pub fn pack(release: &Release, stage: &Path, to: &Path) -> Result<()> {
    let file = fs::File::create(to).with_context(|| format!("making {}", to.display()))?;
    let mut tar = Command::new("tar");
    tar.env("LC_ALL", "C").args(["--create", "--format=gnu", "--sort=name", "--owner=0", "--group=0"]);
    tar.args(["--numeric-owner", "--mode=u=rwX,go=rX", &format!("--mtime=@{}", release.seconds)]);
    tar.arg("--directory").arg(stage).arg(release.name());
    let mut packing = tar.stdout(Stdio::piped()).spawn().context("can't run tar")?;
    let packed = packing.stdout.take().context("tar has no output")?;
    // Without a name and a time of its own in it.
    shell::run(Command::new("gzip").args(["-9", "--no-name"]).stdin(packed).stdout(file))?;
    let status = packing.wait().context("waiting for tar")?;
    ensure!(status.success(), "tar ended with {status}");
    Ok(())
}

/// What is wrong with an archive; nothing, when it is as [`pack`] makes it.
pub fn faults(name: &str, path: &Path) -> Result<Vec<String>> {
    let mut tar = Command::new("tar");
    tar.env("LC_ALL", "C").env("TZ", "UTC").args(["--list", "--verbose", "--numeric-owner", "--full-time", "--file"]);
    Ok(faults_in(name, &shell::output(tar.arg(path))?))
}

fn faults_in(name: &str, listing: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut times = Vec::new();
    let mut paths = Vec::new();
    for line in listing.lines() {
        let Some(entry) = Entry::read(line) else {
            faults.push(format!("an entry that can't be read: {line}"));
            continue;
        };
        faults.extend(entry.fault(name).map(|fault| format!("{}: {fault}", entry.path)));
        times.push(entry.time);
        paths.push(entry.path.trim_end_matches('/'));
    }
    times.dedup();
    if times.len() > 1 {
        faults.push("its entries are of different times".to_owned());
    }
    let programs = PROGRAMS.iter().map(|(_, program)| format!("{PROGRAM_FOLDER}/{program}"));
    let needed = programs.chain([LICENCES, ORIGIN].into_iter().chain(TAKEN).map(str::to_owned));
    let missing = needed.map(|path| format!("{name}/{path}")).filter(|path| !paths.contains(&path.as_str()));
    faults.extend(missing.map(|path| format!("{path} is missing")));
    faults
}

/// One line of `tar --list --verbose`.
struct Entry<'a> {
    rights: &'a str,
    owner: &'a str,
    time: String,
    path: &'a str,
}

impl<'a> Entry<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut rest = line;
        let mut next = || {
            let (word, after) = rest.trim_start().split_once(' ')?;
            rest = after;
            Some(word)
        };
        let (rights, owner, _size, day, hour) = (next()?, next()?, next()?, next()?, next()?);
        Some(Self { rights, owner, time: format!("{day} {hour}"), path: rest })
    }

    fn fault(&self, top: &str) -> Option<String> {
        let inside = self.path == format!("{top}/") || self.path.starts_with(&format!("{top}/"));
        if !inside || self.path.split('/').any(|part| part == "..") {
            return Some(format!("is not in {top}"));
        }
        if self.owner != "0/0" {
            return Some(format!("is of {}, and belongs to nobody", self.owner));
        }
        let usual = ["-rw-r--r--", "-rwxr-xr-x", "drwxr-xr-x"];
        (!usual.contains(&self.rights)).then(|| format!("has the rights {}", self.rights))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::temporary::TemporaryFolder;

    fn release() -> Release {
        Release { version: "1.0.0".into(), target: "here".into(), commit: "c0ffee".into(), seconds: 1_700_000_000 }
    }

    /// A release of small files, laid out in another order and with other rights each time.
    fn laid_out(stage: &Path, mode: u32) {
        let top = stage.join(release().name());
        let mut paths: Vec<String> = PROGRAMS.iter().map(|(_, program)| format!("bin/{program}")).collect();
        paths.extend(
            ["LICENSES.txt", "RELEASE.txt", "README.md", "CHANGELOG.md", "docs/a.md", "deploy/b"].map(String::from),
        );
        if mode == 0o664 {
            paths.reverse();
        }
        for path in &paths {
            let file = top.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, path).unwrap();
            let mode = if path.starts_with("bin/") { 0o775 } else { mode };
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        }
    }

    #[test]
    fn the_same_files_give_the_same_bytes_however_they_came_to_be() {
        let folder = TemporaryFolder::new("dist-archive").unwrap();
        let mut made = Vec::new();
        for (place, mode) in [("one", 0o664), ("two", 0o600)] {
            let stage = folder.path().join(place);
            laid_out(&stage, mode);
            let to = folder.path().join(format!("{place}.tar.gz"));
            pack(&release(), &stage, &to).unwrap();
            assert_eq!(faults(&release().name(), &to).unwrap(), [""; 0]);
            made.push(fs::read(to).unwrap());
        }
        assert!(made[0] == made[1], "two runs differ");
    }

    #[test]
    fn an_archive_that_lacks_a_program_or_reaches_out_of_its_folder_is_refused() {
        let folder = TemporaryFolder::new("dist-faults").unwrap();
        let stage = folder.path().join("stage");
        laid_out(&stage, 0o644);
        fs::remove_file(stage.join(release().name()).join("bin/spinoff-guard")).unwrap();
        let to = folder.path().join("less.tar.gz");
        pack(&release(), &stage, &to).unwrap();
        assert_eq!(faults(&release().name(), &to).unwrap(), ["spinoff-1.0.0-here/bin/spinoff-guard is missing"]);

        let line =
            |rights: &str, owner: &str, path: &str| format!("{rights} {owner}   12 2023-11-14 22:13:20 {path}\n");
        for (listing, told) in [
            (line("-rw-r--r--", "0/0", "top/../../etc/passwd"), "is not in top"),
            (line("-rw-r--r--", "0/0", "/etc/passwd"), "is not in top"),
            (line("-rw-r--r--", "1000/1000", "top/a"), "is of 1000/1000"),
            (line("-rwsr-xr-x", "0/0", "top/a"), "has the rights -rwsr-xr-x"),
            (line("lrwxrwxrwx", "0/0", "top/a -> /etc/passwd"), "has the rights lrwxrwxrwx"),
            ("nonsense\n".to_owned(), "can't be read"),
        ] {
            let found = faults_in("top", &listing);
            assert!(found.iter().any(|fault| fault.contains(told)), "{listing}: {found:?}");
        }
    }
}
