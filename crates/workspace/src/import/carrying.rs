//! A plan is carried out, step by step. Each step looks at what is still to do, so that one which a
//! sudden end broke off is done again to the same end.

use std::io;
use std::path::Path;

use super::documents;
use super::plan::{Step, members_in, settings_in};
use crate::app::App;
use crate::export::{DATA, PROJECTS, PUSHES};
use crate::folder::Folder;
use crate::history::Signature;
use crate::members::MembersError;
use crate::name::{Name, Shelf};
use crate::settings::{Settings, SettingsError};
use crate::sprint::{Entry, Phase, Shelf as Sprints};

/// Where repositories of projects were made.
pub const REPOSITORIES: &str = "repositories";

/// Why a sprint that came along waits.
const WAITS: &str = "It came with an export while it was being worked on. Let it go on when you want it to.";

/// What is carried out, and where.
pub struct Carrier<'a> {
    /// Where it goes.
    pub app: &'a App,
    /// The folder with everything that was unpacked and made.
    pub room: &'a Path,
    /// The folder in it with the files.
    pub files: &'a Path,
    /// Where things without a place of their own are kept, a path in the data folder.
    pub aside: &'a str,
    /// Who wants it.
    pub by: &'a Signature,
}

/// Why a step could not be done.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// The disk failed or is full.
    #[error("the data folder cannot be used ({0})")]
    Disk(#[from] io::Error),
    /// The members could not be saved.
    #[error(transparent)]
    Members(#[from] MembersError),
    /// The settings could not be saved.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

impl Carrier<'_> {
    /// Does one step, or what is left of it.
    ///
    /// # Errors
    /// [`CarryError`]; it can be tried again.
    pub fn take(&self, step: &Step) -> Result<(), CarryError> {
        match step {
            Step::Place { from, to } => self.place(from, to)?,
            Step::Aside { path } => self.put_aside(path)?,
            Step::Document { shelf, from, to } => {
                let (Some(shelf), Ok(from), Ok(to)) = (Shelf::of_folder(shelf), Name::parse(from), Name::parse(to))
                else {
                    return Ok(());
                };
                if !documents::place(&self.unpacked()?, &self.here()?, shelf, &from, &to)? {
                    self.put_aside(&format!("history/{}/{}", shelf.folder(), from.as_str()))?;
                    self.put_aside(&format!("{}/{}", shelf.folder(), from.file()))?;
                }
            }
            Step::Version { shelf, name } => {
                if let (Some(shelf), Ok(name)) = (Shelf::of_folder(shelf), Name::parse(name)) {
                    documents::renew(&self.unpacked()?, &self.here()?, shelf, &name, self.by)?;
                }
            }
            Step::Project { vision } => self.project(vision)?,
            Step::Settings => self.settings()?,
            Step::Members => self.app.members.add(&members_in(&self.unpacked()?)?)?,
        }
        Ok(())
    }

    fn place(&self, from: &str, to: &str) -> io::Result<()> {
        if let Some(number) = from.strip_prefix("sprints/S-").and_then(|digits| digits.parse().ok()) {
            self.let_wait(number)?;
        }
        let here = self.here()?;
        let (there, new_name) = here.make_way_to(to)?;
        let is_clear = match self.source(from)? {
            Some((folder, name)) => folder.move_to(&name, &there, new_name)?,
            None => true,
        };
        if is_clear { Ok(()) } else { self.put_aside(from) }
    }

    fn put_aside(&self, path: &str) -> io::Result<()> {
        let Some((folder, name)) = self.source(path)? else { return Ok(()) };
        let to = format!("{}/{path}", self.aside);
        let here = self.here()?;
        let (there, new_name) = here.make_way_to(&to)?;
        if folder.move_to(&name, &there, new_name)? {
            return Ok(());
        }
        Err(io::Error::other(format!("“{to}” is in the way; move it elsewhere")))
    }

    /// A sprint that was worked on must not begin to cost money by itself.
    fn let_wait(&self, number: u32) -> io::Result<()> {
        let sprints = Sprints::open(self.files)?;
        if sprints.sprint(number)?.is_some_and(|sprint| sprint.phase == Phase::Running) {
            sprints.write(number, &Entry::Paused { at: self.by.at, by: None, why: Some(WAITS.to_owned()) })?;
        }
        Ok(())
    }

    /// A project is put together first, and then in its place at once.
    fn project(&self, vision: &str) -> io::Result<()> {
        let room = Folder::open(self.room)?;
        let Some(repositories) = room.enter(REPOSITORIES)? else { return Ok(()) };
        if !repositories.has(vision)? {
            return Ok(());
        }
        let project = repositories.enter_or_make(vision)?;
        for part in [DATA, PUSHES] {
            if let Some((folder, name)) = self.source(&format!("{PROJECTS}/{vision}/{part}"))? {
                folder.move_to(&name, &project, part)?;
            }
        }
        let here = self.here()?;
        if repositories.move_to(vision, &here.enter_or_make(PROJECTS)?, vision)? {
            return Ok(());
        }
        let aside = format!("{}/{PROJECTS}/{vision}", self.aside);
        let (there, name) = here.make_way_to(&aside)?;
        repositories.move_to(vision, &there, name).map(|_| ())
    }

    fn settings(&self) -> Result<(), CarryError> {
        let Some(theirs) = settings_in(&self.unpacked()?)? else { return Ok(()) };
        self.app.settings.change(|settings, _| {
            // Whoever set something meanwhile meant that.
            if *settings == Settings::default() {
                *settings = theirs;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Something that was unpacked, if it is still there.
    fn source(&self, path: &str) -> io::Result<Option<(Folder, String)>> {
        let Some((folder, name)) = self.unpacked()?.way_to(path)? else { return Ok(None) };
        Ok(if folder.has(name)? { Some((folder, name.to_owned())) } else { None })
    }

    fn unpacked(&self) -> io::Result<Folder> {
        Folder::open(self.files)
    }

    fn here(&self) -> io::Result<Folder> {
        self.app.workshop.folder()
    }
}
