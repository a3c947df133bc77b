//! The file tree as the program finds it, built on an empty file system in memory. The host's tree
//! stays reachable under [`OLD_ROOT`] while the view is built, and is let go of at the end.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::mount::MsFlags;
use nix::sys::stat::{Mode, umask};

use crate::failure::{Failure, SEE_DOCTOR, Step};
use crate::mounts::{bind, bind_device, detach, keep_private, memory, pivot, processes, restrict};
use crate::{Access, Bind, Spec, etc, mounts};

const OLD_ROOT: &str = "/.host";
const SYSTEM: &[&str] = &["/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32"];
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];
/// Room for mount points and the few files written here; the program cannot write to it.
const ROOT_BYTES: u64 = 4 << 20;
const SHARED_MEMORY_BYTES: u64 = 64 << 20;

/// Builds the view and enters it.
pub(crate) fn build(spec: &Spec) -> Result<(), Failure> {
    umask(Mode::from_bits_truncate(0o022));
    let shown = shown(spec)?;
    keep_private()?;
    let base = place_to_build()?;
    memory(&base, ROOT_BYTES, "0755")?;
    pivot(&base, &base.join(OLD_ROOT.trim_start_matches('/')))?;
    // Only while the host's process table is still visible does the kernel show ours.
    processes(Path::new("/proc"))?;
    show_system()?;
    make_devices()?;
    memory(Path::new("/tmp"), spec.tmp_bytes, "1777")?;
    fs::create_dir_all("/var").step("create /var", SEE_DOCTOR)?;
    link("../tmp", "/var/tmp")?;
    etc::write(spec)?;
    for Bind { source, target, access } in &shown {
        bind(&on_host(source), target, *access)?;
    }
    detach(Path::new(OLD_ROOT))?;
    restrict(Path::new("/"), MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV)
}

/// Everything to show besides the system, sources with every symbolic link resolved: once the root
/// has changed, absolute links would lead into the view.
fn shown(spec: &Spec) -> Result<Vec<Bind>, Failure> {
    let optional = etc::SHOWN
        .iter()
        .map(PathBuf::from)
        .chain(spec.read_only.iter().cloned())
        .filter_map(|target| Some(Bind { source: target.canonicalize().ok()?, target, access: Access::Read }));
    let asked = spec.binds.iter().map(|bind| {
        let source = bind
            .source
            .canonicalize()
            .step(format!("find {}", bind.source.display()), "it must exist before the sandbox starts")?;
        Ok(Bind { source, ..bind.clone() })
    });
    optional.map(Ok).chain(asked).collect()
}

/// Any folder will do: what it held shows again as soon as the root has changed.
fn place_to_build() -> Result<PathBuf, Failure> {
    ["/tmp", "/usr"]
        .iter()
        .map(PathBuf::from)
        .find(|place| place.is_dir())
        .ok_or_else(|| Failure::new("build the view", "there is no /tmp", "create /tmp"))
}

fn on_host(path: &Path) -> PathBuf {
    Path::new(OLD_ROOT).join(path.strip_prefix("/").unwrap_or(path))
}

fn show_system() -> Result<(), Failure> {
    for path in SYSTEM.iter().map(Path::new) {
        let host = on_host(path);
        let Ok(found) = host.symlink_metadata() else {
            continue;
        };
        if found.is_symlink() {
            let aim = fs::read_link(&host).step("read a link", SEE_DOCTOR)?;
            link(&aim, path)?;
        } else {
            bind(&host, path, Access::Read)?;
        }
    }
    Ok(())
}

fn make_devices() -> Result<(), Failure> {
    let dev = Path::new("/dev");
    for name in DEVICES {
        bind_device(&on_host(&dev.join(name)), &dev.join(name))?;
    }
    mounts::terminals(&dev.join("pts"))?;
    memory(&dev.join("shm"), SHARED_MEMORY_BYTES, "1777")?;
    for (aim, name) in [
        ("pts/ptmx", "ptmx"),
        ("/proc/self/fd", "fd"),
        ("/proc/self/fd/0", "stdin"),
        ("/proc/self/fd/1", "stdout"),
        ("/proc/self/fd/2", "stderr"),
    ] {
        link(aim, dev.join(name))?;
    }
    Ok(())
}

fn link(aim: impl AsRef<Path>, place: impl AsRef<Path>) -> Result<(), Failure> {
    let place = place.as_ref();
    symlink(aim, place).step(format!("link {}", place.display()), SEE_DOCTOR)
}
