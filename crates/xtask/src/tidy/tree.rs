use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::bare::bare;
use super::manifest::Manifest;

/// What the rules look at: every text file of every crate.
#[derive(Debug, Default)]
pub struct Tree {
    pub files: Vec<File>,
    /// Files by which the product is run, and what is said about them.
    pub deploy: Vec<File>,
    pub manifests: Vec<Manifest>,
}

/// One file.
#[derive(Debug)]
pub struct File {
    /// From the repository's folder, such as `crates/guard/src/lib.rs`.
    pub path: String,
    pub text: String,
    /// The text of a Rust file without what comments and literals say; of other files all of it.
    pub bare: String,
}

impl File {
    pub fn new(path: &str, text: &str) -> Self {
        let bare = if path.ends_with(".rs") { bare(text) } else { text.to_owned() };
        Self { path: path.to_owned(), text: text.to_owned(), bare }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The crate's folder name.
    pub fn crate_name(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }

    /// The path inside the crate, such as `src/lib.rs`.
    pub fn inner(&self) -> &str {
        self.path.splitn(3, '/').nth(2).unwrap_or_default()
    }

    /// Part of what is shipped, not of what tests it.
    pub fn is_source(&self) -> bool {
        self.inner().starts_with("src/")
    }

    /// The file's name without its ending.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.split('.').next().unwrap_or_default()
    }
}

impl Tree {
    pub fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.add(root, "deploy")?;
        tree.add_file(root, super::deploy::DOCUMENT.to_owned());
        tree.deploy = std::mem::take(&mut tree.files);
        tree.add(root, "crates")?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree.manifests = tree.files.iter().filter(|file| file.inner() == "Cargo.toml").map(Manifest::of).collect();
        Ok(tree)
    }

    /// A tree of made-up files.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files: Vec<File> = files.iter().map(|(path, text)| File::new(path, text)).collect();
        let manifests = files.iter().filter(|file| file.inner() == "Cargo.toml").map(Manifest::of).collect();
        Self { files, manifests, ..Self::default() }
    }

    fn add(&mut self, root: &Path, folder: &str) -> Result<()> {
        let here = root.join(folder);
        for entry in fs::read_dir(&here).with_context(|| format!("reading {}", here.display()))? {
            let entry = entry?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                self.add(root, &path)?;
            } else {
                self.add_file(root, path);
            }
        }
        Ok(())
    }

    /// What is not text, such as a picture, has no rules.
    fn add_file(&mut self, root: &Path, path: String) {
        if let Ok(text) = fs::read_to_string(root.join(&path)) {
            self.files.push(File::new(&path, &text));
        }
    }
}
