//! Backups in a folder. Put it on another disk than the instances, better on another machine's.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use super::{ObjectName, Storage};
use crate::ProviderError;
use crate::compute::Archive;
use crate::inventory::{Check, Verdict};

/// What is not whole yet; no name of ours begins with a dot.
const PART: &str = ".part-";
/// How deep names are looked for.
const DEEPEST: usize = 8;

/// See the module.
#[derive(Debug, Clone)]
pub struct FolderStorage(PathBuf);

impl FolderStorage {
    /// Keeps things below this folder, which is made when something is first kept.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    fn path(&self, name: &ObjectName) -> PathBuf {
        self.0.join(name.as_str())
    }
}

#[async_trait]
impl Storage for FolderStorage {
    fn name(&self) -> &'static str {
        "folder"
    }

    fn place(&self, name: &ObjectName) -> String {
        self.path(name).display().to_string()
    }

    async fn put(&self, name: &ObjectName, content: Archive) -> Result<(), ProviderError> {
        let path = self.path(name);
        let what = format!("keep {}", path.display());
        let work = move || {
            let mut content = content.into_reader();
            write_whole(&path, |file| io::copy(&mut content, file).map(drop))
        };
        blocking(what, work).await
    }

    async fn get(&self, name: &ObjectName) -> Result<Archive, ProviderError> {
        let path = self.path(name);
        let what = format!("read {}", path.display());
        let mut file = match tokio::fs::File::open(&path).await {
            Ok(file) => file.into_std().await,
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                return Err(ProviderError::not_found(format!("the backup {}", path.display())));
            }
            Err(cause) => return Err(ProviderError::unavailable(what, cause)),
        };
        Ok(Archive::written_by(move |sink| {
            let mut buffer = vec![0; 64 * 1024];
            loop {
                match file.read(&mut buffer)? {
                    0 => return Ok(()),
                    length => sink.write_all(&buffer[..length])?,
                }
            }
        }))
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), ProviderError> {
        let (path, top) = (self.path(name), self.0.clone());
        let what = format!("remove {}", path.display());
        let work = move || {
            remove_parts(&path)?;
            match fs::remove_file(&path) {
                Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(cause),
                _ => {}
            }
            // Only what is empty goes.
            let above = path.ancestors().skip(1).take_while(|folder| *folder != top);
            for folder in above {
                if fs::remove_dir(folder).is_err() {
                    break;
                }
            }
            Ok(())
        };
        blocking(what, work).await
    }

    async fn list(&self) -> Result<Vec<ObjectName>, ProviderError> {
        let top = self.0.clone();
        let what = format!("list {}", top.display());
        let work = move || {
            let mut found = Vec::new();
            look_into(&top, "", DEEPEST, &mut found)?;
            Ok(found)
        };
        blocking(what, work).await
    }

    async fn check(&self) -> Vec<Check> {
        let folder = self.0.clone();
        let shown = folder.display().to_string();
        let tried = blocking(format!("write in {shown}"), move || {
            DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            // Removed when it is closed, and in nobody's way who looks at the same time.
            let mut probe = tempfile::NamedTempFile::new_in(&folder)?;
            probe.write_all(b"backups are kept here")?;
            probe.as_file().sync_all()
        });
        let name = "folder for backups".to_owned();
        vec![match tried.await {
            Ok(()) => {
                Check { name, verdict: Verdict::Ok, found: format!("{shown} can be written to"), advice: String::new() }
            }
            Err(error) => {
                let advice = "mount it, or let the user of the server write to it; [backups] folder says where it is";
                Check { name, verdict: Verdict::Fail, found: error.to_string(), advice: advice.to_owned() }
            }
        }]
    }
}

/// Under another name until all of it is on the disk.
fn write_whole(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Those of an earlier attempt that broke off, or of one that froze: its rename finds nothing then.
    remove_parts(path)?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let part = folder.join(format!("{}{}-{number}", parts_of(path), std::process::id()));
    let outcome = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        write(&mut file)?;
        file.sync_all()?;
        fs::rename(&part, path)?;
        File::open(folder)?.sync_all()
    })();
    if outcome.is_err() {
        let _ = fs::remove_file(&part);
    }
    outcome
}

fn parts_of(path: &Path) -> String {
    format!("{PART}{}-", path.file_name().unwrap_or_default().to_string_lossy())
}

fn remove_parts(path: &Path) -> io::Result<()> {
    let parts = parts_of(path);
    let Some(entries) = path.parent().map(fs::read_dir).and_then(Result::ok) else { return Ok(()) };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(&parts)) {
        match fs::remove_file(entry.path()) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
    }
    Ok(())
}

fn look_into(folder: &Path, prefix: &str, deepest: usize, found: &mut Vec<ObjectName>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && deepest > 0 {
            look_into(&entry.path(), &name, deepest - 1, found)?;
        } else if kind.is_file() {
            found.extend(ObjectName::parse(&name));
        }
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(
    what: String,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ProviderError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome.map_err(|cause| ProviderError::unavailable(what, cause)),
        Err(cause) => Err(ProviderError::unavailable(what, cause)),
    }
}

#[cfg(test)]
mod tests;
