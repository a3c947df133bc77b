use super::Complaint;
use super::tree::Tree;

/// Examples in documentation comments are not code that nobody runs: nextest knows no doctests, and
/// building them costs more than they tell.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_rust()) {
        let mut inside = false;
        for (index, line) in file.text.lines().enumerate() {
            let line = line.trim();
            let Some(comment) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
                inside = false;
                continue;
            };
            let Some(language) = comment.trim().strip_prefix("```") else { continue };
            if !inside && (language.is_empty() || language.starts_with("rust")) {
                let what = "an example that no test runs: write a test, or mark it as ```text";
                complaints.push(Complaint::new(&file.path, index + 1, what));
            }
            inside = !inside;
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_in_rust_are_refused_and_other_blocks_are_fine() {
        let text =
            "//! ```text\n//! a → b\n//! ```\n\n/// ```\n/// f();\n/// ```\nfn f() {}\n/// ```rust,no_run\n/// ```\n";
        let found = check(&Tree::of(&[("crates/a/src/lib.rs", text)]));
        assert_eq!(found.iter().map(|complaint| complaint.line).collect::<Vec<_>>(), [5, 9]);
    }
}
