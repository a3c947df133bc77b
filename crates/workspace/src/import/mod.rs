//! An export is brought in: taken whole, looked at whole, shown to the person, and then put in place.
//!
//! What holds: nothing here changes before an owner has seen what would, and clicked; what is here
//! stays, as a version in the history if not as it is; nothing in an archive leads out of its folder or
//! runs; and what is to be done is written down before it is, so that a sudden end only delays it.

mod carrying;
mod comparing;
mod documents;
mod error;
mod paths;
mod plan;
mod unpacking;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::app::App;
use crate::export::{PROJECTS, hex};
use crate::folder::Folder;
use crate::history::Signature;
use crate::library::Library;
use crate::name::Name;
use crate::project::{BUNDLE, CommitId, Problem, Project};
use crate::transit;
use crate::visitor::Visitor;
use carrying::{Carrier, REPOSITORIES};
pub use error::ImportError;
pub use plan::{Fate, Plan, Row};
use plan::{Here, ProjectHere};
use unpacking::{Bounds, unpack};

const ROOM: &str = "import";
const UPLOAD: &str = "upload.tar";
const FILES: &str = "files";
const READY: &str = "ready.json";
const INTENT: &str = "intent.json";
const RECORD: &str = "record.json";
/// Where records of imports are, and what had no place of its own.
const IMPORTED: &str = "imported";

/// What was looked at and waits for a click.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ready {
    /// Who sent it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// How many files it holds.
    pub files: usize,
    /// What is done of each project in it.
    projects: BTreeMap<String, CommitId>,
}

/// What is being done, or was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// Counted from 1.
    pub number: u32,
    /// Who wanted it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What it does.
    pub plan: Plan,
}

/// Where the way of an export stands.
pub enum Stage {
    /// None is on its way.
    Nothing,
    /// One waits for a click.
    Ready {
        /// What it is.
        ready: Ready,
        /// What would become of it.
        plan: Plan,
        /// Which plan that is.
        seen: String,
    },
    /// One was begun and did not come to its end.
    BrokenOff(Record),
}

/// Brings exports in, one at a time; cheap to clone.
#[derive(Clone)]
pub struct Imports {
    room: PathBuf,
    alone: Arc<Mutex<()>>,
}

/// A place for an archive that is being sent; whoever has it is alone.
pub struct Upload {
    /// Where it goes.
    pub file: PathBuf,
    _alone: OwnedMutexGuard<()>,
}

impl Imports {
    /// Imports into a data folder.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(root: &Path) -> io::Result<Self> {
        Ok(Self { room: transit::folder(root)?.join(ROOM), alone: Arc::default() })
    }

    /// A place for an archive. One that was sent before and waits for a click is given up.
    ///
    /// # Errors
    /// [`ImportError::Busy`], also while one that was begun has not come to its end.
    pub fn receive(&self) -> Result<Upload, ImportError> {
        let alone = self.alone()?;
        if self.read::<Record>(INTENT)?.is_some() {
            return Err(ImportError::Busy);
        }
        self.clear()?;
        std::fs::create_dir_all(&self.room)?;
        Ok(Upload { file: self.room.join(UPLOAD), _alone: alone })
    }

    /// Gives up an archive that did not arrive whole.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn give_up(&self, upload: Upload) -> Result<(), ImportError> {
        self.clear()?;
        drop(upload);
        Ok(())
    }

    /// Looks at an archive whole; it waits for a click then.
    ///
    /// # Errors
    /// [`ImportError`]; nothing of it is kept then.
    pub async fn look_at(&self, app: &App, upload: Upload, by: &Signature) -> Result<(), ImportError> {
        let looked = self.try_look_at(app, &upload, by).await;
        match looked {
            Ok(()) => std::fs::remove_file(&upload.file)?,
            Err(_) => self.clear()?,
        }
        looked
    }

    async fn try_look_at(&self, app: &App, upload: &Upload, by: &Signature) -> Result<(), ImportError> {
        let (files, archive) = (self.room.join(FILES), File::open(&upload.file)?);
        std::fs::create_dir(&files)?;
        let into = Folder::open(&files)?;
        let paths = blocking(move || Ok(unpack(archive, &into, Bounds::default())?)).await?;
        let mut projects = BTreeMap::new();
        for vision in paths.iter().filter_map(|path| path.strip_prefix("projects/")?.split('/').next()) {
            if projects.contains_key(vision) {
                continue;
            }
            let folder = files.join(PROJECTS).join(vision);
            if !folder.join(BUNDLE).is_file() {
                let why = format!("it has no {BUNDLE}.");
                return Err(ImportError::Project(vision.to_owned(), why));
            }
            let repository = self.room.join(REPOSITORIES).join(vision).join("git");
            std::fs::create_dir_all(&repository)?;
            let main = Project::unbundle(&app.workshop.bench, &folder, &repository).await;
            let main = main.map_err(|problem| ImportError::Project(vision.to_owned(), problem.to_string()))?;
            projects.insert(vision.to_owned(), main);
        }
        let ready = Ready { by: by.by.to_string(), at: by.at, files: paths.len(), projects };
        self.write(READY, &ready)
    }

    /// Where an export on its way stands.
    ///
    /// # Errors
    /// [`ImportError`]
    pub async fn stage(&self, app: &App) -> Result<Stage, ImportError> {
        let _alone = self.alone()?;
        if let Some(record) = self.read(INTENT)? {
            return Ok(Stage::BrokenOff(record));
        }
        let Some(ready) = self.read::<Ready>(READY)? else { return Ok(Stage::Nothing) };
        let plan = self.plan(app, &ready).await?;
        let seen = digest(&plan)?;
        Ok(Stage::Ready { ready, plan, seen })
    }

    /// Brings in what waits, if it is what was seen; or goes on with what was begun.
    ///
    /// # Errors
    /// [`ImportError`]
    pub async fn carry_out(&self, app: &App, seen: &str, by: &Signature) -> Result<Record, ImportError> {
        let _alone = self.alone()?;
        if let Some(busy) = app.workshop.sprints.worked_on() {
            return Err(ImportError::Working(busy));
        }
        if let Some(record) = self.read::<Record>(INTENT)? {
            return self.finish(app, record).await;
        }
        let ready: Ready = self.read(READY)?.ok_or(ImportError::Nothing)?;
        let plan = self.plan(app, &ready).await?;
        if digest(&plan)? != seen {
            return Err(ImportError::Moved);
        }
        let record = Record { number: self.next_number(app)?, by: by.by.to_string(), at: by.at, plan };
        self.write(INTENT, &record)?;
        self.finish(app, record).await
    }

    /// Gives up what waits for a click.
    ///
    /// # Errors
    /// [`ImportError`]; what was begun cannot be given up.
    pub fn discard(&self) -> Result<(), ImportError> {
        let _alone = self.alone()?;
        if self.read::<Record>(INTENT)?.is_some() {
            return Err(ImportError::Busy);
        }
        Ok(self.clear()?)
    }

    /// Goes on with what was begun when the program ended, and clears away what was only sent.
    ///
    /// # Errors
    /// [`ImportError`]
    pub async fn take_up(&self, app: &App) -> Result<(), ImportError> {
        let _alone = self.alone()?;
        if let Some(record) = self.read::<Record>(INTENT)? {
            self.finish(app, record).await?;
        } else if self.read::<Ready>(READY)?.is_none() {
            self.clear()?;
        }
        Ok(())
    }

    async fn plan(&self, app: &App, ready: &Ready) -> Result<Plan, ImportError> {
        let mut projects = BTreeMap::new();
        for (vision, main) in &ready.projects {
            let standing = project_here(app, vision, main).await;
            let standing = standing.map_err(|problem| ImportError::Project(vision.clone(), problem.to_string()))?;
            projects.insert(vision.clone(), standing);
        }
        let (unpacked, app_here) = (self.room.join(FILES), app.clone());
        let plan = move |library: &Library| {
            let here = Here { library, settings: &app_here.settings, members: &app_here.members, projects: &projects };
            plan::plan(&unpacked, &here)
        };
        Ok(app.library(plan).await?)
    }

    async fn finish(&self, app: &App, record: Record) -> Result<Record, ImportError> {
        let (imports, carried) = (self.clone(), app.clone());
        let record = blocking(move || {
            imports.carry(&carried, &record)?;
            Ok(record)
        })
        .await?;
        app.changes.stir();
        Ok(record)
    }

    fn carry(&self, app: &App, record: &Record) -> Result<(), ImportError> {
        let aside = format!("{IMPORTED}/I-{}", record.number);
        let by = Signature { by: visitor(&record.by), at: record.at };
        let files = self.room.join(FILES);
        let carrier = Carrier { app, room: &self.room, files: &files, aside: &aside, by: &by };
        for step in &record.plan.steps {
            carrier.take(step)?;
        }
        let here = app.workshop.folder()?;
        let (folder, name) =
            here.make_way_to(&format!("{aside}/{RECORD}")).map(|(folder, name)| (folder, name.to_owned()))?;
        folder.replace(&name, &serde_json::to_vec_pretty(record).map_err(io::Error::other)?)?;
        here.sync_disk()?;
        // What is held in memory of files that came is read anew.
        app.model.ledger().reread()?;
        app.workshop.bench.records().reread()?;
        if let Err(error) = app.configure() {
            tracing::warn!(%error, "The model cannot be used: {error}");
        }
        Ok(self.clear()?)
    }

    fn alone(&self) -> Result<OwnedMutexGuard<()>, ImportError> {
        Arc::clone(&self.alone).try_lock_owned().map_err(|_| ImportError::Busy)
    }

    /// The words go first, in this order: files without words are only in the way, while words without
    /// their files would be wrong.
    fn clear(&self) -> io::Result<()> {
        for file in [READY, INTENT, UPLOAD] {
            gone(std::fs::remove_file(self.room.join(file)))?;
        }
        for folder in [FILES, REPOSITORIES] {
            gone(std::fs::remove_dir_all(self.room.join(folder)))?;
        }
        Ok(())
    }

    /// A number that no import has, neither here nor in the export.
    fn next_number(&self, app: &App) -> io::Result<u32> {
        let mut last = 0_u32;
        for root in [app.workshop.folder()?, Folder::open(&self.room.join(FILES))?] {
            let Some(imported) = root.enter(IMPORTED)? else { continue };
            let numbers = imported.entries()?;
            let numbers = numbers.iter().filter_map(|name| name.strip_prefix("I-")?.parse().ok());
            last = numbers.max().unwrap_or(0).max(last);
        }
        Ok(last.saturating_add(1))
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ImportError> {
        let Ok(file) = File::open(self.room.join(name)) else { return Ok(None) };
        let read = serde_json::from_reader(io::BufReader::new(file));
        Ok(Some(read.map_err(|error| io::Error::other(format!("{name}: {error}")))?))
    }

    fn write(&self, name: &str, words: &impl Serialize) -> Result<(), ImportError> {
        let bytes = serde_json::to_vec(words).map_err(io::Error::other)?;
        Ok(Folder::open(&self.room)?.replace(name, &bytes)?)
    }
}

/// What was brought in before, the newest first.
///
/// # Errors
/// When the disk fails.
pub fn past(app: &App) -> io::Result<Vec<Record>> {
    let Some(folder) = app.workshop.folder()?.enter(IMPORTED)? else { return Ok(Vec::new()) };
    let mut records: Vec<Record> = Vec::new();
    for name in folder.entries()?.iter().filter(|name| name.starts_with("I-")) {
        let Ok(Some(inside)) = folder.enter(name) else { continue };
        let Ok(Some(file)) = inside.open_to_read(RECORD) else { continue };
        records.extend(serde_json::from_reader::<_, Record>(io::BufReader::new(file)));
    }
    records.sort_by_key(|record| std::cmp::Reverse(record.number));
    Ok(records)
}

async fn project_here(app: &App, vision: &str, main: &CommitId) -> Result<ProjectHere, Problem> {
    let Ok(name) = Name::parse(vision) else { return Ok(ProjectHere::Other) };
    if !app.workshop.has_project(&name) {
        return Ok(ProjectHere::Absent);
    }
    let is_contained = app.workshop.project(&name).await?.has_been(main).await?;
    Ok(if is_contained { ProjectHere::Contained } else { ProjectHere::Other })
}

fn visitor(by: &str) -> Visitor {
    if by == Visitor::You.to_string() { Visitor::You } else { Visitor::Member(by.to_owned()) }
}

fn digest(plan: &Plan) -> io::Result<String> {
    Ok(hex(&Sha256::digest(serde_json::to_vec(plan).map_err(io::Error::other)?)))
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImportError> + Send + 'static,
) -> Result<T, ImportError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(ImportError::Disk(io::Error::other(error))))
}

#[cfg(test)]
mod tests;
