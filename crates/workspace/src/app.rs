//! What every request shares.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;
use world::Clock;

use crate::bench::Tools;
use crate::events::Changes;
use crate::history::Signature;
use crate::import::Imports;
use crate::library::{Library, LibraryError};
use crate::made::{Habits, Shown};
use crate::meetings::Talks;
use crate::members::Members;
use crate::model::rehearsal::Rehearsal;
use crate::model::{Model, Setup};
use crate::moment;
use crate::settings::{SettingsError, SettingsFile};
use crate::transit;
use crate::visitor::Visitor;
use crate::workshop::Workshop;

/// The library, the ways to models and members, and who hears of changes.
#[derive(Clone)]
pub struct App {
    library: Arc<Library>,
    /// Tells open pages of changes.
    pub changes: Changes,
    /// Where the team works.
    pub workshop: Workshop,
    /// Becomes true when the program is about to stop.
    pub closing: watch::Receiver<bool>,
    /// The way to models.
    pub model: Model,
    /// What people set.
    pub settings: SettingsFile,
    /// Who may do what.
    pub members: Members,
    /// Answers that are being given.
    pub talks: Talks,
    /// Exports that are brought in.
    pub imports: Imports,
    /// The operator's provider, for who has none of their own.
    operators: Option<Arc<Setup>>,
    rehearsal: Option<Arc<Rehearsal>>,
    is_guarded: bool,
}

/// Where models are, before anybody has set anything.
#[derive(Debug, Clone, Default)]
pub struct Provision {
    /// The operator's provider.
    pub operators: Option<Setup>,
    /// The pause between two words of a recorded project, if one is played instead of asking any
    /// provider.
    pub rehearsal: Option<Duration>,
    /// Whether a guard in front says who is here.
    pub is_guarded: bool,
    /// The file that seals keys, if not the usual one.
    pub key_file: Option<PathBuf>,
    /// What the team's commands find on this machine.
    pub tools: Tools,
    /// How the app made is kept.
    pub habits: Habits,
    /// To whom it is shown, and where.
    pub shown: Shown,
    /// This program, which hands over to the sandbox when told to, if not the one that runs.
    pub program: Option<PathBuf>,
}

impl App {
    /// An app on a data folder, until `closing`.
    ///
    /// # Errors
    /// When the data folder cannot be used, or what is in it cannot be understood.
    pub async fn open(root: &Path, provision: Provision, closing: watch::Receiver<bool>) -> anyhow::Result<Self> {
        let library = Library::open(root)
            .with_context(|| format!("cannot use the data folder {}; choose another with --data", root.display()))?;
        transit::clear(root).context("cannot clear the folder transit in the data folder")?;
        let rehearsal = match provision.rehearsal {
            Some(pace) => Some(Arc::new(Rehearsal::start(pace).await.context("cannot start the rehearsal")?)),
            None => None,
        };
        let model = Model::open(root, Clock::System).context("cannot read usage.jsonl in the data folder")?;
        let program = provision.program.unwrap_or_else(|| PathBuf::from("/proc/self/exe"));
        let made = (provision.habits, provision.shown);
        let workshop = Workshop::open(root, program, provision.tools, model.clone(), Clock::System, made)
            .context("cannot open the workshop")?;
        let app = Self {
            library: Arc::new(library),
            changes: Changes::default(),
            workshop,
            closing,
            model,
            settings: SettingsFile::open(root, provision.key_file.as_deref())?,
            members: Members::open(root)?,
            talks: Talks::default(),
            imports: Imports::open(root).context("cannot use the folder transit in the data folder")?,
            operators: provision.operators.map(Arc::new),
            rehearsal,
            is_guarded: provision.is_guarded,
        };
        if let Err(error) = app.configure() {
            tracing::error!(%error, "The model cannot be used: {error}");
        }
        if let Err(error) = app.imports.take_up(&app).await {
            tracing::error!(%error, "The export that was being brought in waits: {error}");
        }
        Ok(app)
    }

    /// Asks models as the settings say from now on.
    ///
    /// # Errors
    /// [`SettingsError::Key`] when the provider's key does not open; nothing is asked then.
    pub fn configure(&self) -> Result<(), SettingsError> {
        self.model.configure(None);
        let setup = match &self.rehearsal {
            Some(rehearsal) => Some(rehearsal.setup()),
            None => self.settings.setup(self.operators.as_deref())?,
        };
        self.model.configure(setup);
        Ok(())
    }

    /// Whether a recorded project is played.
    #[must_use]
    pub fn is_rehearsal(&self) -> bool {
        self.rehearsal.is_some()
    }

    /// Whether a guard in front says who is here.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.is_guarded
    }

    /// Whether the operator offers a provider.
    #[must_use]
    pub fn has_operators_model(&self) -> bool {
        self.operators.is_some()
    }

    /// Does work on the library where waiting for the disk holds up nobody else.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn library<T, E>(&self, work: impl FnOnce(&Library) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<LibraryError> + Send + 'static,
    {
        let library = Arc::clone(&self.library);
        let done = tokio::task::spawn_blocking(move || work(&library)).await;
        done.unwrap_or_else(|error| Err(LibraryError::Disk(std::io::Error::other(error)).into()))
    }

    /// The visitor's signature under a change made now.
    #[must_use]
    pub fn sign(&self, by: Visitor) -> Signature {
        Signature { by, at: moment::now() }
    }
}
