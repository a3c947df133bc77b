//! What is kept of a project, in a folder named after it:
//! `project.json` (what is wanted), `running.json` (what runs now), `instance/` (the guard's
//! state), `data/` (the volume), `data.incoming/` (while a backup is put back), `logs/`, `egress.sock` where instances may reach something, and
//! `activity-rules.toml` where the release has rules about use.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use archive::{Volume, remove_tree};
use domain::{InstanceId, ProjectName};
use serde::{Deserialize, Serialize};

use crate::ProviderError;
use crate::compute::Release;

/// What a folder of ours is known by.
const MARKER: &str = "spinoff local project";
/// Before a folder is removed it is renamed, so that a crash half-way leaves no half project.
const GONE_PREFIX: &str = ".gone-";

/// What is wanted of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Project {
    marker: String,
    pub(super) instance: InstanceId,
    /// Counts projects of this folder; gives each its user id.
    pub(super) slot: u32,
    /// Where its guard listens on 127.0.0.1.
    pub(super) port: u16,
    pub(super) configured: Option<Configured>,
    pub(super) release: Option<Release>,
    pub(super) hostnames: BTreeSet<String>,
    /// Whether it is kept from running.
    #[serde(default)]
    pub(super) suspended: bool,
}

/// The guard's settings as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Configured {
    pub(super) public_url: String,
    pub(super) issuer: String,
    /// Several with commas, as the guard takes them.
    pub(super) audience: String,
    pub(super) main_url: String,
    pub(super) main_key: String,
    pub(super) sealed_token: Vec<u8>,
    /// Whether it has no way out.
    #[serde(default)]
    pub(super) closed_off: bool,
}

impl Project {
    pub(super) fn new(instance: InstanceId, slot: u32, port: u16) -> Self {
        Self {
            marker: MARKER.to_owned(),
            instance,
            slot,
            port,
            configured: None,
            release: None,
            hostnames: BTreeSet::new(),
            suspended: false,
        }
    }

    /// Whether it is to run.
    pub(super) fn is_to_run(&self) -> bool {
        !self.suspended && self.configured.is_some() && self.release.is_some()
    }
}

/// Where all projects are.
#[derive(Debug, Clone)]
pub(super) struct Folders(PathBuf);

impl Folders {
    pub(super) fn open(path: &Path) -> Result<Self, ProviderError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(fault("create", path))?;
        let path = path.canonicalize().map_err(fault("find", path))?;
        Ok(Self(path))
    }

    /// What deletions left when they were broken off.
    pub(super) fn gone(&self) -> Result<Vec<PathBuf>, ProviderError> {
        let entries = fs::read_dir(&self.0).map_err(fault("list", &self.0))?.flatten();
        let gone = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(GONE_PREFIX));
        Ok(gone.map(|entry| entry.path()).collect())
    }

    pub(super) fn of(&self, name: &ProjectName) -> Folder {
        Folder { path: self.0.join(name.as_str()), gone: self.0.join(format!("{GONE_PREFIX}{name}")) }
    }

    /// Every folder that bears our marker.
    pub(super) fn list(&self) -> Result<Vec<ProjectName>, ProviderError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(fault("list", &self.0))?.flatten() {
            let Some(name) = entry.file_name().to_str().and_then(|name| ProjectName::parse(name).ok()) else {
                continue;
            };
            if self.of(&name).load()?.is_some() {
                found.push(name);
            }
        }
        found.sort();
        Ok(found)
    }

    pub(super) fn projects(&self) -> Result<Vec<Project>, ProviderError> {
        let names = self.list()?;
        names.iter().filter_map(|name| self.of(name).load().transpose()).collect()
    }
}

/// One project's folder, which need not exist.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
    gone: PathBuf,
}

impl Folder {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn instance(&self) -> PathBuf {
        self.path.join("instance")
    }

    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// The data, for whoever packs it.
    pub(super) fn volume(&self) -> Volume {
        Volume { data: self.data(), apart: Vec::new(), spool: self.path.clone() }
    }

    /// What becomes the volume when a backup is put back, and what was it before, until it is removed.
    pub(super) fn incoming(&self) -> PathBuf {
        self.path.join("data.incoming")
    }

    pub(super) fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// The socket that is the instance's way out.
    pub(super) fn egress(&self) -> PathBuf {
        self.path.join("egress.sock")
    }

    /// What counts as use, for the guard to read.
    pub(super) fn activity_rules(&self) -> PathBuf {
        self.path.join("activity-rules.toml")
    }

    pub(super) fn running(&self) -> PathBuf {
        self.path.join("running.json")
    }

    fn project(&self) -> PathBuf {
        self.path.join("project.json")
    }

    /// What is wanted; `None` when there is no project, or a folder of somebody else.
    pub(super) fn load(&self) -> Result<Option<Project>, ProviderError> {
        let path = self.project();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(fault("read", &path)(cause)),
        };
        let project: Project = serde_json::from_slice(&text).map_err(|cause| {
            ProviderError::refused(format!("read {}", path.display()), cause, "restore it from a backup")
        })?;
        Ok((project.marker == MARKER).then_some(project))
    }

    pub(super) fn expect_project(&self, name: &ProjectName) -> Result<Project, ProviderError> {
        self.load()?.ok_or_else(|| ProviderError::not_found(format!("the project {name}")))
    }

    /// Stores what is wanted, whole or not at all.
    pub(super) fn save(&self, project: &Project) -> Result<(), ProviderError> {
        write_private(&self.project(), project)
    }

    /// Puts a release's rules where the guard finds them. Whoever may look into this folder may read
    /// them, since a guard has a user of its own.
    pub(super) fn show_activity_rules(&self, release: &Release) -> io::Result<()> {
        let Some(rules) = &release.activity_rules else { return Ok(()) };
        let path = self.activity_rules();
        fs::write(&path, rules)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644))
    }

    /// Makes the folders, those that the instance writes to owned by its user.
    pub(super) fn create(&self, owner: Option<u32>) -> Result<(), ProviderError> {
        for path in [self.path.clone(), self.instance(), self.data(), self.logs()] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(fault("create", &path))?;
        }
        for path in [self.instance(), self.data()] {
            let found = fs::metadata(&path).map_err(fault("look at", &path))?;
            if owner.is_some_and(|uid| found.uid() != uid) {
                chown(&path, owner, owner).map_err(fault("hand over", &path))?;
            }
        }
        Ok(())
    }

    /// Removes everything; whether there was something to remove.
    pub(super) fn remove(&self) -> Result<bool, ProviderError> {
        let left = self.gone.exists();
        if left {
            remove_tree(&self.gone).map_err(fault("remove", &self.gone))?;
        }
        match fs::rename(&self.path, &self.gone) {
            Ok(()) => {
                remove_tree(&self.gone).map_err(fault("remove", &self.gone))?;
                Ok(true)
            }
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(left),
            Err(cause) => Err(fault("remove", &self.path)(cause)),
        }
    }
}

/// Writes a file that only the server may read, whole or not at all.
pub(super) fn write_private(path: &Path, value: &impl Serialize) -> Result<(), ProviderError> {
    let write = || {
        let draft = path.with_extension("draft");
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&serde_json::to_vec_pretty(value)?)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().map_err(fault("write", path))
}

/// What the file system refused, in the words of this driver.
pub(super) fn fault(verb: &str, path: &Path) -> impl FnOnce(std::io::Error) -> ProviderError {
    let what = format!("{verb} {}", path.display());
    move |cause| ProviderError::unavailable(what, cause)
}
