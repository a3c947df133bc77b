//! What bringing in an export would do, decided before anything is done.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::comparing::{Likeness, files_below};
use super::documents;
use crate::export::{APP, BENCH, BENCH_KEPT, DATA, FOLDERS, MEMBERS, PROJECTS, SETTINGS, USAGE};
use crate::folder::{Folder, Found};
use crate::library::{Library, LibraryError};
use crate::members::{Members, Standing};
use crate::name::Shelf;
use crate::settings::{Settings, SettingsFile};
use crate::sprint::Shelf as SprintShelf;

/// What becomes of a part of the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is new here.
    Added,
    /// What is here becomes another, and stays in the history.
    Changed,
    /// It is here already.
    Left,
    /// It has no place of its own here, and is kept as files.
    Aside,
}

/// A part of the export, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What becomes of it.
    pub fate: Fate,
    /// What it is.
    pub what: String,
    /// Why, where that needs saying.
    pub why: String,
}

/// One thing to do. Each may be done twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Step {
    /// A file or folder goes to its place.
    Place {
        /// Its path in the export.
        from: String,
        /// Its path here.
        to: String,
    },
    /// A file or folder is kept beside what is here.
    Aside {
        /// Its path in the export.
        path: String,
    },
    /// A document comes with its whole history.
    Document {
        /// The shelf's folder.
        shelf: String,
        /// Its name in the export.
        from: String,
        /// Its name here.
        to: String,
    },
    /// A document that is or was here gets a new version.
    Version {
        /// The shelf's folder.
        shelf: String,
        /// Its name.
        name: String,
    },
    /// A project comes as a whole.
    Project {
        /// The vision's name.
        vision: String,
    },
    /// The settings are taken over.
    Settings,
    /// Members who are not known here are.
    Members,
}

/// What would become of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In words.
    pub rows: Vec<Row>,
    /// In this order.
    pub steps: Vec<Step>,
}

/// What is here of a project in the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectHere {
    /// Nothing.
    Absent,
    /// What is done of it there is, or was, done here.
    Contained,
    /// Other work.
    Other,
}

/// What is here.
pub struct Here<'a> {
    /// The documents.
    pub library: &'a Library,
    /// The settings.
    pub settings: &'a SettingsFile,
    /// The members.
    pub members: &'a Members,
    /// Of each project in the export.
    pub projects: &'a BTreeMap<String, ProjectHere>,
}

/// What bringing in the export that was unpacked into a folder would do.
///
/// # Errors
/// When the disk fails.
pub fn plan(unpacked: &Path, here: &Here<'_>) -> Result<Plan, LibraryError> {
    let (theirs, sprints) = (Library::open(unpacked)?, SprintShelf::open(unpacked)?);
    let mut planner = Planner { unpacked: theirs.root()?, here: here.library.root()?, sprints, plan: Plan::default() };
    let mut renamed = BTreeMap::new();
    for shelf in Shelf::ALL {
        documents::plan(&mut planner.plan, &mut renamed, shelf, &theirs, here.library)?;
    }
    planner.strangers()?;
    planner.meetings()?;
    let is_bench_clear = planner.bench()?;
    planner.sprints(is_bench_clear, here.projects)?;
    for (vision, project) in here.projects {
        planner.project(vision, *project);
    }
    planner.attachments(&renamed)?;
    for folder in ["team", "imported"] {
        planner.files(folder)?;
    }
    planner.account()?;
    planner.app()?;
    planner.settings(here.settings)?;
    planner.members(here.members)?;
    Ok(planner.plan)
}

struct Planner {
    unpacked: Folder,
    here: Folder,
    sprints: SprintShelf,
    plan: Plan,
}

impl Plan {
    pub(super) fn say(&mut self, fate: Fate, what: impl Into<String>, why: impl Into<String>) {
        self.rows.push(Row { fate, what: what.into(), why: why.into() });
    }
}

impl Planner {
    /// Files on the shelves that are no documents.
    fn strangers(&mut self) -> io::Result<()> {
        for shelf in Shelf::ALL {
            for path in files_below(&self.unpacked, shelf.folder())? {
                let name = path.rsplit('/').next().unwrap_or_default();
                let is_document = path.matches('/').count() == 1 && documents::name_of(name).is_some();
                if !is_document {
                    self.file(&path, &path)?;
                }
            }
        }
        Ok(())
    }

    fn meetings(&mut self) -> io::Result<()> {
        for name in self.names("meetings")? {
            self.record(&format!("meetings/{name}"), format!("meeting {name}"), None)?;
        }
        Ok(())
    }

    /// The commands and what they said; whether numbers of commands mean the same here afterwards.
    fn bench(&mut self) -> io::Result<bool> {
        let [commands, outputs] = BENCH_KEPT.map(|part| format!("{BENCH}/{part}"));
        match Likeness::of(&self.unpacked, &commands, &self.here, &commands)? {
            Likeness::Absent if self.has(&commands)? => {
                self.plan.say(Fate::Added, "the log of all commands", "");
                for path in files_below(&self.unpacked, &outputs)? {
                    self.plan.steps.push(Step::Place { from: path.clone(), to: path });
                }
                self.plan.steps.push(Step::Place { from: commands.clone(), to: commands });
                Ok(true)
            }
            Likeness::Different if self.has(&commands)? => {
                self.plan.say(Fate::Aside, "the log of all commands", "the commands here are others");
                self.plan.steps.push(Step::Aside { path: BENCH.to_owned() });
                Ok(false)
            }
            _ => Ok(true),
        }
    }

    fn sprints(&mut self, is_bench_clear: bool, projects: &BTreeMap<String, ProjectHere>) -> io::Result<()> {
        for name in self.names("sprints")? {
            let hindrance = match self.vision_of(&name)? {
                None => Some("it has no plan"),
                Some(_) if !is_bench_clear => Some("the commands in its log have other numbers here"),
                Some(vision) if projects.get(&vision) == Some(&ProjectHere::Other) => {
                    Some("the project here holds other work")
                }
                Some(_) => None,
            };
            self.record(&format!("sprints/{name}"), format!("sprint {name}"), hindrance)?;
        }
        Ok(())
    }

    fn vision_of(&self, sprint: &str) -> io::Result<Option<String>> {
        let Some(number) = sprint.strip_prefix("S-").and_then(|digits| digits.parse().ok()) else { return Ok(None) };
        Ok(self.sprints.sprint(number)?.map(|sprint| sprint.plan.vision))
    }

    fn project(&mut self, vision: &str, project: ProjectHere) {
        let what = format!("the project “{vision}” and its app’s data");
        let path = format!("{PROJECTS}/{vision}");
        match project {
            ProjectHere::Absent => {
                self.plan.say(Fate::Added, what, "");
                self.plan.steps.push(Step::Project { vision: vision.to_owned() });
            }
            ProjectHere::Contained => {
                self.plan.say(
                    Fate::Left,
                    what,
                    format!("what is done of it is here already; its {DATA} stays as it is"),
                );
            }
            ProjectHere::Other => {
                self.plan.say(
                    Fate::Aside,
                    what,
                    "the project here holds other work; clone the file with git to see it",
                );
                self.plan.steps.push(Step::Aside { path });
            }
        }
    }

    /// Files of documents, which follow them where they get another name.
    fn attachments(&mut self, renamed: &BTreeMap<String, String>) -> io::Result<()> {
        for path in files_below(&self.unpacked, "attachments")? {
            let mut parts: Vec<&str> = path.split('/').collect();
            if let [_, shelf, name, ..] = parts.as_mut_slice()
                && Shelf::of_folder(shelf) == Some(Shelf::Backlog)
                && let Some(new) = renamed.get(*name)
            {
                *name = new;
            }
            self.file(&path, &parts.join("/"))?;
        }
        Ok(())
    }

    fn files(&mut self, folder: &str) -> io::Result<()> {
        for path in files_below(&self.unpacked, folder)? {
            self.file(&path, &path)?;
        }
        Ok(())
    }

    fn account(&mut self) -> io::Result<()> {
        if !self.has(USAGE)? {
            return Ok(());
        }
        let what = "the account of what models took";
        match Likeness::of(&self.unpacked, USAGE, &self.here, USAGE)? {
            Likeness::Absent => {
                self.plan.say(Fate::Added, what, "it counts in the budgets of its days");
                self.plan.steps.push(Step::Place { from: USAGE.to_owned(), to: USAGE.to_owned() });
            }
            Likeness::Same | Likeness::Continued => self.plan.say(Fate::Left, what, ""),
            Likeness::Different => {
                self.plan.say(Fate::Aside, what, "the account here is another one");
                self.plan.steps.push(Step::Aside { path: USAGE.to_owned() });
            }
        }
        Ok(())
    }

    /// What became of the app there: whoever may see the one here is never decided by it.
    fn app(&mut self) -> io::Result<()> {
        if !self.has(APP)? || matches!(Likeness::of(&self.unpacked, APP, &self.here, APP)?, Likeness::Same) {
            return Ok(());
        }
        self.plan.say(Fate::Aside, "the record of when the app ran", "it is about the app there");
        self.plan.steps.push(Step::Aside { path: APP.to_owned() });
        Ok(())
    }

    fn settings(&mut self, here: &SettingsFile) -> io::Result<()> {
        let Some(theirs) = settings_in(&self.unpacked)? else { return Ok(()) };
        let ours = here.now().without_secrets();
        if ours == theirs {
            self.plan.say(Fate::Left, "the settings", "");
        } else if ours == Settings::default() {
            let provider = match &theirs.base {
                Some(base) => format!("models are asked at {} then; type the key in again", base.host()),
                None => String::new(),
            };
            self.plan.say(Fate::Added, "the settings", provider);
            self.plan.steps.push(Step::Settings);
        } else {
            self.plan.say(Fate::Left, "the settings", "those here stay as they are");
        }
        Ok(())
    }

    fn members(&mut self, here: &Members) -> io::Result<()> {
        let known: Vec<String> = here.all().into_iter().map(|(email, _)| email).collect();
        let mut is_any = false;
        for (email, standing) in members_in(&self.unpacked)? {
            if known.contains(&email) {
                continue;
            }
            is_any = true;
            self.plan.say(Fate::Added, format!("{email}, {}", standing.word()), "once they can sign in here");
        }
        if is_any {
            self.plan.steps.push(Step::Members);
        }
        Ok(())
    }

    /// A folder with journals: the whole of it is here, or nothing, or it is another one.
    fn record(&mut self, path: &str, what: String, hindrance: Option<&str>) -> io::Result<()> {
        let files = files_below(&self.unpacked, path)?;
        let mut likenesses = Vec::new();
        for file in &files {
            likenesses.push(match Likeness::of(&self.unpacked, file, &self.here, file)? {
                Likeness::Continued if !file.ends_with(".jsonl") => Likeness::Different,
                likeness => likeness,
            });
        }
        let is_here = self.here.way_to(path)?.is_some_and(|(folder, name)| folder.has(name).unwrap_or(true));
        if !is_here && hindrance.is_none() {
            self.plan.say(Fate::Added, what, "");
            self.plan.steps.push(Step::Place { from: path.to_owned(), to: path.to_owned() });
        } else if is_here && likenesses.iter().all(|like| matches!(like, Likeness::Same | Likeness::Continued)) {
            self.plan.say(Fate::Left, what, "");
        } else {
            self.plan.say(Fate::Aside, what, hindrance.unwrap_or("the one of that number here is another one"));
            self.plan.steps.push(Step::Aside { path: path.to_owned() });
        }
        Ok(())
    }

    fn file(&mut self, from: &str, to: &str) -> io::Result<()> {
        match Likeness::of(&self.unpacked, from, &self.here, to)? {
            Likeness::Absent => {
                self.plan.say(Fate::Added, to, "");
                self.plan.steps.push(Step::Place { from: from.to_owned(), to: to.to_owned() });
            }
            Likeness::Same => self.plan.say(Fate::Left, to, ""),
            Likeness::Continued | Likeness::Different => {
                self.plan.say(Fate::Aside, from, "the file here is another one");
                self.plan.steps.push(Step::Aside { path: from.to_owned() });
            }
        }
        Ok(())
    }

    fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        debug_assert!(FOLDERS.contains(&folder), "{folder} is part of exports");
        let Some(folder) = self.unpacked.enter(folder)? else { return Ok(Vec::new()) };
        let mut names = folder.all_entries()?;
        names.sort();
        Ok(names)
    }

    fn has(&self, path: &str) -> io::Result<bool> {
        self.unpacked.way_to(path)?.map_or(Ok(false), |(folder, name)| folder.has(name))
    }
}

/// The settings in an export, without keys whatever it holds; `None` where they cannot be understood.
///
/// # Errors
/// When the disk fails.
pub fn settings_in(unpacked: &Folder) -> io::Result<Option<Settings>> {
    let Found::File(bytes) = unpacked.read(SETTINGS)? else { return Ok(None) };
    Ok(serde_json::from_slice(&bytes).ok().map(|settings: Settings| settings.without_secrets()))
}

/// The members in an export that could be some.
///
/// # Errors
/// When the disk fails.
pub fn members_in(unpacked: &Folder) -> io::Result<BTreeMap<String, Standing>> {
    let Found::File(bytes) = unpacked.read(MEMBERS)? else { return Ok(BTreeMap::new()) };
    let members: BTreeMap<String, Standing> = serde_json::from_slice(&bytes).unwrap_or_default();
    let is_address = |email: &str| !email.is_empty() && email.len() <= 254 && !email.chars().any(char::is_control);
    Ok(members
        .into_iter()
        .filter(|(email, _)| is_address(email))
        .map(|(email, standing)| (email.to_ascii_lowercase(), standing))
        .collect())
}
