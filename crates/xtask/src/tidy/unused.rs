use super::Complaint;
use super::tree::Tree;

/// Every dependency is named somewhere in its crate: each one costs everybody's build.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for manifest in &tree.manifests {
        for dependency in &manifest.dependencies {
            let word = dependency.name.replace('-', "_");
            let files = tree.files.iter().filter(|file| file.is_rust() && file.crate_name() == manifest.name);
            if !files.into_iter().any(|file| names(&file.bare, &word)) {
                let what = format!("{} does not use {}", manifest.name, dependency.name);
                complaints.push(Complaint::new(&manifest.path, dependency.line, what));
            }
        }
    }
    complaints
}

fn names(code: &str, word: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_is_only_talked_about_is_unused() {
        let manifest = "[dependencies]\nserde-json.workspace = true\nurl.workspace = true\n";
        let code = "//! Knows url.\nuse serde_json::Value;\nconst A: &str = \"url\";\n";
        let found = check(&Tree::of(&[("crates/a/Cargo.toml", manifest), ("crates/a/src/lib.rs", code)]));
        assert_eq!(found, [Complaint::new("crates/a/Cargo.toml", 3, "a does not use url")]);
    }
}
