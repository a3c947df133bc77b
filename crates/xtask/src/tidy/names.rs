use super::Complaint;
use super::tree::Tree;

/// Names under which everything can be put, and nothing found.
const EMPTY_NAMES: [&str; 10] =
    ["util", "utils", "utilities", "helper", "helpers", "common", "misc", "manager", "managers", "shared"];

/// Files and folders are named after what they hold.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in &tree.files {
        let folders = file.path.split('/').map(|part| part.split('.').next().unwrap_or_default());
        if let Some(name) = folders.into_iter().find(|name| EMPTY_NAMES.contains(name)) {
            let what = format!("`{name}` says nothing: name it after what it holds");
            complaints.push(Complaint::new(&file.path, 1, what));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_names_are_refused_for_files_and_folders() {
        let found = check(&Tree::of(&[
            ("crates/a/src/utils.rs", ""),
            ("crates/a/src/common/name.rs", ""),
            ("crates/a/src/commons.rs", ""),
        ]));
        let paths: Vec<&str> = found.iter().map(|complaint| complaint.path.as_str()).collect();
        assert_eq!(paths, ["crates/a/src/utils.rs", "crates/a/src/common/name.rs"]);
    }
}
