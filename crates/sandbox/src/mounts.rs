//! Mounts, one verb each.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::Access;
use crate::failure::{Failure, SEE_DOCTOR, Step};

const NONE: Option<&str> = None;

/// Changes of mounts stay in this namespace.
pub(crate) fn keep_private() -> Result<(), Failure> {
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE).step("part from the host's mounts", SEE_DOCTOR)
}

/// A file system in memory, private to the sandbox.
pub(crate) fn memory(target: &Path, bytes: u64, mode: &str) -> Result<(), Failure> {
    fresh("tmpfs", target, MsFlags::MS_NOSUID | MsFlags::MS_NODEV, &format!("size={bytes},mode={mode}"))
}

/// The process table of this process namespace.
pub(crate) fn processes(target: &Path) -> Result<(), Failure> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    fresh("proc", target, flags, "")
}

/// Terminals of this sandbox only.
pub(crate) fn terminals(target: &Path) -> Result<(), Failure> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    fresh("devpts", target, flags, "newinstance,ptmxmode=0666,mode=0620")
}

fn fresh(kind: &str, target: &Path, flags: MsFlags, options: &str) -> Result<(), Failure> {
    fs::create_dir_all(target).step(format!("create {}", target.display()), SEE_DOCTOR)?;
    mount(Some(kind), target, Some(kind), flags, Some(options))
        .step(format!("mount {kind} on {}", target.display()), SEE_DOCTOR)
}

/// Shows `source`, with everything mounted in it, at `target`.
pub(crate) fn bind(source: &Path, target: &Path, access: Access) -> Result<(), Failure> {
    bind_device(source, target)?;
    // The kernel's table names places without symbolic links.
    let target = target.canonicalize().step(format!("find {}", target.display()), SEE_DOCTOR)?;
    let mut change = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    if access == Access::Read {
        change |= MsFlags::MS_RDONLY;
    }
    let mounted = mounted_at_or_below(&target)?;
    if !mounted.iter().any(|(place, _)| *place == target) {
        return Err(Failure::new(
            format!("restrict {}", target.display()),
            "it is not in the table of mounts",
            SEE_DOCTOR,
        ));
    }
    for (place, flags) in mounted {
        restrict(&place, flags | change)?;
    }
    Ok(())
}

/// Shows `source` as it is; what device files need.
pub(crate) fn bind_device(source: &Path, target: &Path) -> Result<(), Failure> {
    let step = || format!("bind {} to {}", source.display(), target.display());
    let found = fs::metadata(source).step(step(), "the source must exist")?;
    create_mount_point(target, found.is_dir()).step(step(), "choose another place for it")?;
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(source), target, NONE, flags, NONE).step(step(), SEE_DOCTOR)
}

/// Makes a mount read-only, or otherwise narrower. Flags the mount already has must be repeated:
/// the kernel refuses to widen it.
pub(crate) fn restrict(target: &Path, flags: MsFlags) -> Result<(), Failure> {
    let flags = flags | MsFlags::MS_REMOUNT | MsFlags::MS_BIND;
    mount(NONE, target, NONE, flags, NONE).step(format!("restrict {}", target.display()), SEE_DOCTOR)
}

/// Makes `root` the root of the file tree, the former root visible at its subfolder `old`.
pub(crate) fn pivot(root: &Path, old: &Path) -> Result<(), Failure> {
    fs::create_dir(old).step(format!("create {}", old.display()), SEE_DOCTOR)?;
    nix::unistd::pivot_root(root, old)
        .step("change the root of the file tree", "the host must not run from an initial RAM file system")?;
    std::env::set_current_dir("/").step("enter the new root", SEE_DOCTOR)
}

/// Lets go of a file tree, busy or not.
pub(crate) fn detach(target: &Path) -> Result<(), Failure> {
    umount2(target, MntFlags::MNT_DETACH).step(format!("let go of {}", target.display()), SEE_DOCTOR)?;
    fs::remove_dir(target).step(format!("remove {}", target.display()), SEE_DOCTOR)
}

fn create_mount_point(target: &Path, folder: bool) -> std::io::Result<()> {
    if folder {
        return fs::create_dir_all(target);
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    if target.symlink_metadata().is_err() {
        fs::File::create_new(target)?;
    }
    Ok(())
}

/// The mounts of this namespace at or below a path, with the flags each has.
fn mounted_at_or_below(top: &Path) -> Result<Vec<(PathBuf, MsFlags)>, Failure> {
    let table = fs::read("/proc/self/mountinfo").step("read its own mounts", SEE_DOCTOR)?;
    Ok(table
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let mut fields = line.split(|byte| *byte == b' ').skip(4);
            let place = unescape(fields.next()?);
            let flags = flags_of(fields.next()?);
            place.starts_with(top).then_some((place, flags))
        })
        .collect())
}

/// The table writes blanks, tabs, line ends and backslashes of paths as three octal digits.
fn unescape(field: &[u8]) -> PathBuf {
    let mut path = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, tail)) = rest.split_first() {
        let octal = (byte == b'\\').then(|| tail.get(..3)).flatten();
        let code = octal
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(code) = code {
            path.push(code);
            rest = &tail[3..];
        } else {
            path.push(byte);
            rest = tail;
        }
    }
    PathBuf::from(std::ffi::OsStr::from_bytes(&path))
}

fn flags_of(options: &[u8]) -> MsFlags {
    options
        .split(|byte| *byte == b',')
        .map(|option| match option {
            b"ro" => MsFlags::MS_RDONLY,
            b"nosuid" => MsFlags::MS_NOSUID,
            b"nodev" => MsFlags::MS_NODEV,
            b"noexec" => MsFlags::MS_NOEXEC,
            b"noatime" => MsFlags::MS_NOATIME,
            b"nodiratime" => MsFlags::MS_NODIRATIME,
            b"relatime" => MsFlags::MS_RELATIME,
            _ => MsFlags::empty(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_blanks_come_back_as_they_are() {
        assert_eq!(unescape(br"/a\040b\134c\011"), PathBuf::from("/a b\\c\t"));
        assert_eq!(unescape(br"/odd\9"), PathBuf::from(r"/odd\9"));
    }

    #[test]
    fn flags_the_kernel_locks_are_all_kept() {
        let flags = flags_of(b"ro,nosuid,nodev,noexec,noatime,nodiratime");
        for flag in [
            MsFlags::MS_RDONLY,
            MsFlags::MS_NOSUID,
            MsFlags::MS_NODEV,
            MsFlags::MS_NOEXEC,
            MsFlags::MS_NOATIME,
            MsFlags::MS_NODIRATIME,
        ] {
            assert!(flags.contains(flag));
        }
        assert!(flags_of(b"rw,relatime") == MsFlags::MS_RELATIME);
    }
}
