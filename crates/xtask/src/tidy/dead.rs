use super::Complaint;
use super::tree::{File, Tree};

/// Every Rust file belongs to a program: the compiler doesn't miss those that no module names.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    let rust: Vec<&File> = tree.files.iter().filter(|file| file.is_rust()).collect();
    let dead = rust.iter().filter(|file| !is_root(file) && !rust.iter().any(|other| names(other, file)));
    dead.map(|file| Complaint::new(&file.path, 1, "no module names this file, so nothing compiles it")).collect()
}

/// Whether cargo finds the file by itself.
fn is_root(file: &File) -> bool {
    let parts: Vec<&str> = file.inner().split('/').collect();
    match parts.as_slice() {
        ["src", "lib.rs" | "main.rs"] | ["build.rs"] => true,
        ["src", "bin", _] | ["tests" | "examples" | "benches", _] => true,
        ["src", "bin", _, name] | ["tests" | "examples" | "benches", _, name] => *name == "main.rs",
        _ => false,
    }
}

/// Whether one file has a `mod` line, or a `#[path]`, for the other.
fn names(parent: &File, child: &File) -> bool {
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let (home, name) = match child.stem() {
        "mod" => {
            let own = folder(&child.path);
            (folder(&own), own.rsplit('/').next().unwrap_or_default().to_owned())
        }
        stem => (folder(&child.path), stem.to_owned()),
    };
    let speaks_for = |parent: &File| {
        let of_its_folder = matches!(parent.stem(), "lib" | "main" | "mod") || is_root(parent);
        (of_its_folder && folder(&parent.path) == home) || parent.path == format!("{home}.rs")
    };
    let by_name = speaks_for(parent)
        && parent.bare.lines().any(|line| {
            let line = line.trim().trim_end_matches(['{', ' ']);
            line == format!("mod {name};") || line.ends_with(&format!(" mod {name};"))
        });
    let file_name = child.path.rsplit('/').next().unwrap_or_default();
    let by_path = parent.crate_name() == child.crate_name()
        && parent.text.lines().any(|line| line.trim().starts_with("#[path") && line.contains(file_name));
    by_name || by_path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_no_module_names_is_dead() {
        let found = check(&Tree::of(&[
            (
                "crates/a/src/lib.rs",
                "mod alive;\npub(crate) mod old;\n// mod dead;\n#[path = \"odd.rs\"]\nmod strange;",
            ),
            ("crates/a/src/alive.rs", "mod inner;"),
            ("crates/a/src/alive/inner.rs", ""),
            ("crates/a/src/old/mod.rs", "mod part;"),
            ("crates/a/src/old/part.rs", ""),
            ("crates/a/src/odd.rs", ""),
            ("crates/a/src/dead.rs", ""),
            ("crates/a/src/bin/tool.rs", ""),
            ("crates/a/tests/all/main.rs", "mod some;"),
            ("crates/a/tests/all/some.rs", ""),
            ("crates/a/tests/all/none.rs", ""),
            ("crates/a/tests/one.rs", "mod support;"),
            ("crates/a/tests/support/mod.rs", ""),
        ]));
        let paths: Vec<&str> = found.iter().map(|complaint| complaint.path.as_str()).collect();
        assert_eq!(paths, ["crates/a/src/dead.rs", "crates/a/tests/all/none.rs"]);
    }
}
