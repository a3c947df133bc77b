//! The licences of everything that the programs are built from, as their authors ask to be given along.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::contents::PROGRAMS;
use super::release::{self, Release};

/// How the files are called in which authors keep licences and what goes with them.
const NAMES: [&str; 6] = ["licen", "copying", "copyright", "notice", "unlicense", "authors"];

/// A package that the programs are built from, and is not ours.
#[derive(Debug, PartialEq, Eq)]
struct Package {
    name: String,
    /// In SPDX's words.
    licence: String,
    authors: Vec<String>,
    folder: String,
}

/// All licences, each text once.
pub fn text(release: &Release) -> Result<String> {
    let metadata = release::metadata(&["--filter-platform", &release.target])?;
    let packages = packages_in(&metadata).context("cargo does not tell what the programs are built from")?;
    let mut whose: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut silent = Vec::new();
    for package in &packages {
        let texts = texts_in(Path::new(&package.folder))?;
        if texts.is_empty() {
            silent.push(package);
        }
        for text in texts {
            whose.entry(text).or_default().insert(package.name.clone());
        }
    }
    Ok(written(&packages, &silent, &whose))
}

fn written(packages: &[Package], silent: &[&Package], whose: &BTreeMap<String, BTreeSet<String>>) -> String {
    let mut out = String::from(
        "The programs in this archive are built from the packages below. Each is named with its licence; the texts that come\n\
         with them follow, each once. The standard library of Rust, under MIT or Apache-2.0, is part of them as well.\n\n",
    );
    // Writing to a string can't fail.
    for package in packages {
        let _ = writeln!(out, "{}: {}", package.name, package.licence);
    }
    if !silent.is_empty() {
        out.push_str("\nThese bring no text of their own; their authors name the licence and themselves:\n\n");
        for package in silent {
            let _ = writeln!(out, "{}: {} ({})", package.name, package.licence, package.authors.join(", "));
        }
    }
    for (text, names) in whose {
        let names = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let _ = write!(out, "\n{}\n{names}\n\n{}\n", "=".repeat(120), text.trim_end());
    }
    out
}

/// What is reached from the programs by what they are linked with, by name. Tests and build scripts are not in them.
fn packages_in(metadata: &Value) -> Option<Vec<Package>> {
    let all: BTreeMap<&str, &Value> = by_id(&metadata["packages"])?;
    let nodes: BTreeMap<&str, &Value> = by_id(&metadata["resolve"]["nodes"])?;
    let is_program = |package: &&Value| PROGRAMS.iter().any(|(name, _)| package["name"] == *name);
    let mut waiting: Vec<&str> =
        all.values().copied().filter(is_program).filter_map(|package| package["id"].as_str()).collect();
    let mut reached = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if reached.insert(id) {
            waiting.extend(
                nodes.get(id)?["deps"].as_array()?.iter().filter(is_linked).filter_map(|to| to["pkg"].as_str()),
            );
        }
    }
    let others = reached.into_iter().filter_map(|id| all.get(id)).filter(|package| package["source"].is_string());
    let mut packages: Vec<Package> = others.filter_map(|package| read(package)).collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Some(packages)
}

fn by_id(list: &Value) -> Option<BTreeMap<&str, &Value>> {
    list.as_array()?.iter().map(|entry| Some((entry["id"].as_str()?, entry))).collect()
}

fn is_linked(dependency: &&Value) -> bool {
    dependency["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
}

fn read(package: &Value) -> Option<Package> {
    let folder = Path::new(package["manifest_path"].as_str()?).parent()?.display().to_string();
    let licence = package["license"].as_str().unwrap_or("see its text below").to_owned();
    let authors = package["authors"].as_array().map_or(&[][..], Vec::as_slice);
    let authors = authors.iter().filter_map(|author| author.as_str().map(str::to_owned)).collect();
    let name = format!("{} {}", package["name"].as_str()?, package["version"].as_str()?);
    Some(Package { name, licence, authors, folder })
}

/// In the order of their names, which is the same everywhere.
fn texts_in(folder: &Path) -> Result<Vec<String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
        // Some keep a program of that name.
        let is_text = !name.ends_with(".rs") && NAMES.iter().any(|start| name.starts_with(start));
        if is_text && entry.file_type()?.is_file() {
            let bytes = fs::read(entry.path()).with_context(|| format!("reading {}", entry.path().display()))?;
            found.insert(name, String::from_utf8_lossy(&bytes).replace("\r\n", "\n"));
        }
    }
    Ok(found.into_values().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::temporary::TemporaryFolder;

    #[test]
    fn only_what_is_linked_and_not_ours_is_named() {
        let package = |name: &str, source: Value| {
            json!({"id": name, "name": name, "version": "1.0.0", "source": source, "license": "MIT",
                   "authors": ["Ada"], "manifest_path": format!("/x/{name}/Cargo.toml")})
        };
        let dep = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [package("spinoff", json!(null)), package("hyper", json!("registry")), package("http", json!("registry")),
                         package("insta", json!("registry")), package("cc", json!("registry")), package("other", json!("registry"))],
            "resolve": {"nodes": [
                {"id": "spinoff", "deps": [dep("hyper", json!(null)), dep("insta", json!("dev")), dep("cc", json!("build"))]},
                {"id": "hyper", "deps": [dep("http", json!(null))]},
                {"id": "http", "deps": []}, {"id": "other", "deps": []}, {"id": "insta", "deps": []}, {"id": "cc", "deps": []},
            ]},
        });
        let found = packages_in(&metadata).unwrap();
        let names: Vec<&str> = found.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["http 1.0.0", "hyper 1.0.0"]);
        assert_eq!((found[0].licence.as_str(), found[0].folder.as_str()), ("MIT", "/x/http"));
        assert_eq!(packages_in(&json!({})), None);
    }

    #[test]
    fn a_text_that_many_share_stands_once_and_who_brings_none_is_named() {
        let folder = TemporaryFolder::new("dist-licences").unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("LICENSE-MIT"), "do what you want\r\n").unwrap();
        fs::write(at("license.rs"), "fn main() {}").unwrap();
        fs::write(at("README.md"), "hello").unwrap();
        assert_eq!(texts_in(folder.path()).unwrap(), ["do what you want\n"]);

        let package = |name: &str| Package {
            name: name.to_owned(),
            licence: "MIT".to_owned(),
            authors: vec!["Ada".to_owned()],
            folder: String::new(),
        };
        let packages = [package("a 1.0.0"), package("b 1.0.0"), package("c 2.0.0")];
        let shared = BTreeSet::from(["a 1.0.0".to_owned(), "b 1.0.0".to_owned()]);
        let text = written(&packages, &[&packages[2]], &BTreeMap::from([("do what you want\n".to_owned(), shared)]));
        assert_eq!(text.matches("do what you want").count(), 1);
        assert!(text.contains("a 1.0.0, b 1.0.0\n\ndo what you want"), "{text}");
        assert!(text.contains("c 2.0.0: MIT (Ada)"), "{text}");
    }
}
