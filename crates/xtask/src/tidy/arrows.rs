use super::Complaint;
use super::tree::Tree;

/// Which crates of ours each one may build on, directly. ARCHITECTURE.md says why.
const MAY_USE: [(&str, &[&str]); 22] = [
    ("archive", &[]),
    ("domain", &[]),
    ("world", &[]),
    ("proxy", &[]),
    ("sandbox", &[]),
    ("store", &[]),
    ("access", &["domain", "world"]),
    ("xtask", &["access", "domain"]),
    ("api", &["domain", "fleet"]),
    ("billing", &["domain"]),
    ("fleet", &["domain"]),
    ("pages", &["domain", "fleet"]),
    ("papers", &["billing", "domain"]),
    ("handbook", &["pages"]),
    ("workflow", &["store", "world"]),
    ("workspace", &["sandbox", "world"]),
    ("simulators", &["access", "world"]),
    ("guard", &["access", "api", "archive", "domain", "proxy", "world"]),
    ("edge", &["access", "domain", "pages", "proxy", "store", "world"]),
    ("providers", &["access", "archive", "domain", "edge", "sandbox", "simulators", "store", "world"]),
    (
        "control-plane",
        &[
            "access",
            "api",
            "billing",
            "fleet",
            "domain",
            "edge",
            "guard",
            "handbook",
            "pages",
            "papers",
            "providers",
            "proxy",
            "simulators",
            "store",
            "workflow",
            "world",
        ],
    ),
    (
        "spinoff",
        &[
            "access",
            "api",
            "control-plane",
            "domain",
            "edge",
            "fleet",
            "guard",
            "pages",
            "providers",
            "proxy",
            "sandbox",
            "simulators",
            "store",
            "workflow",
            "workspace",
            "world",
        ],
    ),
];

/// Every crate builds only on those below it.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    let ours: Vec<&str> = tree.manifests.iter().map(|manifest| manifest.name.as_str()).collect();
    let mut complaints = Vec::new();
    for manifest in &tree.manifests {
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == manifest.name) else {
            let what = "a crate that stands nowhere: say in crates/xtask/src/tidy/arrows.rs what it may build on";
            complaints.push(Complaint::new(&manifest.path, 1, what));
            continue;
        };
        let used = manifest.dependencies.iter().filter(|dependency| ours.contains(&dependency.name.as_str()));
        // A crate's tests may see the crate itself, with the features made for tests.
        for wrong in used.filter(|it| it.name != manifest.name && !allowed.contains(&it.name.as_str())) {
            let what = format!("{} may not build on {}", manifest.name, wrong.name);
            complaints.push(Complaint::new(&manifest.path, wrong.line, what));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(of: &str) -> String {
        format!("[dependencies]\n{of}.workspace = true\n")
    }

    #[test]
    fn arrows_point_down_only() {
        let (up, down) = (manifest("guard"), manifest("domain"));
        let found = check(&Tree::of(&[
            ("crates/domain/Cargo.toml", &up),
            ("crates/guard/Cargo.toml", &down),
            ("crates/upstart/Cargo.toml", "[package]\n"),
        ]));
        let said: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(said[0], "crates/domain/Cargo.toml:2: domain may not build on guard");
        assert!(said[1].starts_with("crates/upstart/Cargo.toml:1: a crate that stands nowhere"), "{}", said[1]);
        assert_eq!(said.len(), 2);
    }

    #[test]
    fn no_arrows_of_the_table_run_in_a_circle() {
        // Following arrows down any path ends, however long the path is.
        let mut below: Vec<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
        for _ in MAY_USE {
            below =
                MAY_USE.iter().filter(|(name, _)| below.contains(name)).flat_map(|(_, used)| *used).copied().collect();
        }
        assert_eq!(below, Vec::<&str>::new());
    }
}
