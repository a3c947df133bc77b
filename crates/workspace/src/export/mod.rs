//! Everything in one archive, to take away: what there is, how it became so, and the projects.
//!
//! What holds: it is written while it is sent, so its size does not matter; every file's digest stands
//! in `MANIFEST.sha256`; no secret is in it; and what refers to something comes before that, so that
//! what a sprint writes meanwhile makes the archive longer and never contradictory.

mod manifest;
mod parcel;

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;

use crate::folder::Folder;
use crate::name::Name;
use crate::project::BUNDLE;
use crate::settings::Settings;
pub use manifest::{Manifest, hex};
pub use parcel::Parcel;

/// Folders that the archive holds whole. Those with journals come first: what a journal tells of is
/// read after it, and is there.
pub const FOLDERS: [&str; 9] =
    ["meetings", "sprints", "visions", "backlog", "decisions", "team", "history", "attachments", "imported"];
/// The folder of commands and what they said.
pub const BENCH: &str = "bench";
/// Of that folder, what the archive holds.
pub const BENCH_KEPT: [&str; 2] = ["commands.jsonl", "outputs"];
/// The folder of projects.
pub const PROJECTS: &str = "projects";
/// The account of use.
pub const USAGE: &str = "usage.jsonl";
/// When the app made ran, and who let whom see it.
pub const APP: &str = "app.jsonl";
/// The settings, without keys.
pub const SETTINGS: &str = "settings.json";
/// The members.
pub const MEMBERS: &str = "members.json";
/// What is what.
pub const README: &str = "README.txt";
/// The digests of all other files.
pub const MANIFEST: &str = "MANIFEST.sha256";
/// What could not be taken along, if there was something.
pub const LEFT_OUT: &str = "LEFT-OUT.txt";
/// What the app of a project keeps.
pub const DATA: &str = "data";
/// When a project was pushed, and where to.
pub const PUSHES: &str = "pushes.jsonl";

/// Folders inside folders; an app may keep deep ones.
pub const DEEPEST: usize = 40;

const ABOUT: &str = include_str!("README.txt");

/// Writes the archive. `bundle` gives the folder in which the project of a vision lies as one file.
///
/// # Errors
/// When the disk fails, a project cannot be read, or whoever reads the archive is gone.
pub fn write<P: AsRef<std::path::Path>>(
    root: &Folder,
    settings: &Settings,
    now: Timestamp,
    mut bundle: impl FnMut(&Name) -> io::Result<P>,
    to: impl Write,
) -> io::Result<()> {
    let mut parcel = Parcel::new(to, u64::try_from(now.as_second()).unwrap_or(0));
    parcel.add_bytes(README, ABOUT.as_bytes())?;
    let (journals, documents) = FOLDERS.split_at(2);
    add_folders(&mut parcel, root, journals)?;
    if let Some(bench) = root.enter(BENCH)? {
        let [commands, outputs] = BENCH_KEPT;
        parcel.add_file(&bench, commands, &format!("{BENCH}/{commands}"))?;
        if let Some(folder) = bench.enter(outputs)? {
            parcel.add_folder(&folder, &format!("{BENCH}/{outputs}"), DEEPEST)?;
        }
    }
    add_folders(&mut parcel, root, documents)?;
    parcel.add_file(root, USAGE, USAGE)?;
    parcel.add_file(root, APP, APP)?;
    parcel.add_bytes(SETTINGS, &serde_json::to_vec_pretty(&settings.without_secrets()).map_err(io::Error::other)?)?;
    parcel.add_file(root, MEMBERS, MEMBERS)?;
    if let Some(projects) = root.enter(PROJECTS)? {
        for name in projects_in(&projects)? {
            // What it lies in is removed with this.
            let passing = bundle(&name)?;
            add_project(&mut parcel, &projects, &name, &Folder::open(passing.as_ref())?)?;
        }
    }
    parcel.finish()
}

/// The names of the projects there are.
///
/// # Errors
/// When the disk fails.
pub fn projects_in(projects: &Folder) -> io::Result<Vec<Name>> {
    let mut names = BTreeMap::new();
    for name in projects.entries()?.iter().filter_map(|entry| Name::parse(entry).ok()) {
        // Something else that lies there is no project.
        if let Ok(Some(folder)) = projects.enter(name.as_str())
            && folder.has("git")?
        {
            names.insert(name, ());
        }
    }
    Ok(names.into_keys().collect())
}

fn add_folders(parcel: &mut Parcel<impl Write>, root: &Folder, names: &[&str]) -> io::Result<()> {
    for name in names {
        if let Some(folder) = root.enter(name)? {
            parcel.add_folder(&folder, name, DEEPEST)?;
        }
    }
    Ok(())
}

fn add_project(parcel: &mut Parcel<impl Write>, projects: &Folder, name: &Name, bundle: &Folder) -> io::Result<()> {
    let path = format!("{PROJECTS}/{}", name.as_str());
    parcel.add_file(bundle, BUNDLE, &format!("{path}/{BUNDLE}"))?;
    let Some(folder) = projects.enter(name.as_str())? else { return Ok(()) };
    parcel.add_file(&folder, PUSHES, &format!("{path}/{PUSHES}"))?;
    match folder.enter(DATA)? {
        Some(data) => parcel.add_folder(&data, &format!("{path}/{DATA}"), DEEPEST),
        None => Ok(()),
    }
}
