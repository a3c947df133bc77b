use super::Complaint;
use super::tree::Tree;

/// All crates keep the lints of the workspace; none of them allows itself more for all of its code.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for manifest in tree.manifests.iter().filter(|manifest| !manifest.keeps_workspace_lints) {
        complaints.push(Complaint::new(&manifest.path, 1, "says no `workspace = true` below `[lints]`"));
    }
    let roots = tree.files.iter().filter(|file| {
        let inner = file.inner();
        inner == "src/lib.rs" || inner == "src/main.rs" || inner.starts_with("src/bin/")
    });
    for root in roots {
        for (index, line) in root.bare.lines().enumerate() {
            // Modules inside are indented; this is the crate speaking of itself.
            if ["#![allow", "#![expect", "#![warn", "#![deny"].iter().any(|lint| line.starts_with(lint)) {
                let what = "lints of a whole crate are set in the workspace's Cargo.toml";
                complaints.push(Complaint::new(&root.path, index + 1, what));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_may_not_go_its_own_way() {
        let found = check(&Tree::of(&[
            ("crates/a/Cargo.toml", "[package]\n"),
            ("crates/a/src/lib.rs", "//! A.\n#![allow(dead_code)]\nmod tests {\n    #![allow(clippy::panic)]\n}\n"),
            ("crates/b/Cargo.toml", "[lints]\nworkspace = true\n"),
        ]));
        let at: Vec<_> = found.iter().map(|complaint| (complaint.path.as_str(), complaint.line)).collect();
        assert_eq!(at, [("crates/a/Cargo.toml", 1), ("crates/a/src/lib.rs", 2)]);
    }
}
