use super::tree::File;

/// What the rules need of a `Cargo.toml`.
#[derive(Debug, Default)]
pub struct Manifest {
    pub path: String,
    pub name: String,
    pub dependencies: Vec<Dependency>,
    /// Whether `[lints]` says `workspace = true`.
    pub keeps_workspace_lints: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Dependency {
    pub name: String,
    pub line: usize,
}

impl Manifest {
    /// Reads the few forms that this workspace uses: one dependency a line, or one a section.
    pub fn of(file: &File) -> Self {
        let mut manifest = Self { path: file.path.clone(), name: file.crate_name().to_owned(), ..Self::default() };
        let mut section = "";
        for (index, line) in file.text.lines().enumerate() {
            let line = line.trim();
            if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = header;
                if let Some((_, name)) = section.rsplit_once("dependencies.") {
                    manifest.dependencies.push(Dependency { name: name.to_owned(), line: index + 1 });
                }
            } else if section.ends_with("dependencies") {
                let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
                if !name.is_empty() && !name.starts_with('#') {
                    manifest.dependencies.push(Dependency { name: name.to_owned(), line: index + 1 });
                }
            } else if section == "lints" && line.replace(' ', "") == "workspace=true" {
                manifest.keeps_workspace_lints = true;
            }
        }
        manifest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_read_in_every_form() {
        let text = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = { path = \"b\" }\n# c = \"1\"\n\
                    [dev-dependencies]\nd = \"1\"\n[target.'cfg(unix)'.dependencies]\ne = \"1\"\n\
                    [dependencies.f]\nversion = \"1\"\n[lints]\nworkspace = true\n";
        let manifest = Manifest::of(&File::new("crates/x/Cargo.toml", text));
        let names: Vec<&str> = manifest.dependencies.iter().map(|dependency| dependency.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "d", "e", "f"]);
        assert_eq!(manifest.dependencies[0].line, 4);
        assert!(manifest.keeps_workspace_lints);
    }
}
