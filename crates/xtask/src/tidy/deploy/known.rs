use std::collections::{BTreeMap, BTreeSet};

use super::figures;
use crate::tidy::tree::{File, Tree};

/// Where the settings file is read.
const CONFIG: &str = "crates/spinoff/src/up/config.rs";

/// Crates whose types are part of the settings, beside those in the folder of that file.
const SETTINGS: [&str; 3] = ["billing", "control-plane", "domain"];

/// Crates whose programs take options.
const PROGRAMS: [&str; 3] = ["spinoff", "guard", "workspace"];

/// Where the commands of `spinoff` are.
const COMMANDS: &str = "crates/spinoff/src/cli.rs";

/// What the code knows, as far as its text tells.
pub struct Known {
    /// Sections of the settings file.
    pub sections: BTreeSet<String>,
    /// Everything that can stand in one of them.
    pub keys: BTreeSet<String>,
    /// Options of the programs, as fields are written.
    pub options: BTreeSet<String>,
    /// First words behind `spinoff`.
    pub commands: BTreeSet<String>,
    /// Figures, as Prometheus shows them.
    pub figures: BTreeMap<String, figures::Kind>,
    /// Where the main instance listens when nothing is said.
    pub port: u16,
    /// Everything that a literal says.
    literals: BTreeSet<String>,
}

impl Known {
    pub fn of(tree: &Tree) -> Self {
        let sources: Vec<&File> = tree.files.iter().filter(|file| file.is_rust() && file.is_source()).collect();
        let of = |path: &str| sources.iter().copied().filter(|file| file.path == path).collect::<Vec<_>>();
        let config = of(CONFIG);
        let beside = CONFIG.trim_end_matches(".rs");
        let settings = |file: &&File| {
            file.path == CONFIG || file.path.starts_with(beside) || SETTINGS.contains(&file.crate_name())
        };
        let programs = |file: &&File| PROGRAMS.contains(&file.crate_name());
        Self {
            sections: config.iter().flat_map(|file| fields(&body(&file.text, "pub struct Config {"))).collect(),
            keys: sources.iter().copied().filter(settings).flat_map(|file| fields(&file.text)).collect(),
            options: sources.iter().copied().filter(programs).flat_map(|file| fields(&file.text)).collect(),
            commands: of(COMMANDS).iter().flat_map(|file| commands(&file.text)).collect(),
            figures: sources.iter().flat_map(|file| figures::published(&file.text)).collect(),
            port: sources.iter().filter(settings_of_site).find_map(|file| port(&file.text)).unwrap_or_default(),
            literals: sources.iter().flat_map(|file| literals(&file.text)).collect(),
        }
    }

    /// Whether the code says this word somewhere, and nothing else in the same breath.
    pub fn is_said(&self, word: &str) -> bool {
        self.literals.contains(word)
    }

    /// Whether it says something that begins so.
    pub fn begins(&self, start: &str) -> bool {
        self.literals.range(start.to_owned()..).next().is_some_and(|word| word.starts_with(start))
    }
}

fn settings_of_site(file: &&&File) -> bool {
    file.path.ends_with("up/config/site.rs")
}

/// Names of the fields of structs.
fn fields(text: &str) -> BTreeSet<String> {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("pub(crate) ").trim_start_matches("pub "));
    let named = lines.filter_map(|line| line.split_once(": ").map(|(name, _)| name));
    let is_name = |name: &&str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    named.filter(is_name).map(str::to_owned).collect()
}

/// What stands between a head and the brace at the beginning of a line.
fn body(text: &str, head: &str) -> String {
    text.split_once(head)
        .and_then(|(_, rest)| rest.split_once("\n}"))
        .map_or(String::new(), |(body, _)| body.to_owned())
}

fn commands(text: &str) -> BTreeSet<String> {
    let heads = ["pub enum Command {", "pub enum Operation {"];
    let lines = heads.iter().flat_map(|head| body(text, head).lines().map(str::to_owned).collect::<Vec<_>>());
    let variants = lines.filter_map(|line| {
        let name = line.trim().split(['(', ',', ' ']).next().unwrap_or_default().to_owned();
        name.starts_with(|c: char| c.is_ascii_uppercase()).then_some(name)
    });
    variants.map(|name| kebab(&name)).collect()
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn port(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("Ipv4Addr::LOCALHOST, ")?;
    super::digits(rest).parse().ok()
}

/// What stands between quotes, line by line: enough for names, which are never written over two lines.
fn literals(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| line.split('"').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_off_the_code() {
        let fields =
            fields("pub struct A {\n    /// What it is: this.\n    pub one: u8,\n    pub(crate) two_2: u8,\n}\n");
        assert_eq!(fields.into_iter().collect::<Vec<_>>(), ["one", "two_2"]);
        let text = "pub enum Command {\n    /// All\n    Up(Box<UpArgs>),\n    #[command(flatten)]\n    Operate(Operation),\n}\n";
        assert_eq!(commands(text).into_iter().collect::<Vec<_>>(), ["operate", "up"]);
        assert_eq!(kebab("AdminLink"), "admin-link");
        assert_eq!(literals("let a = (\"x\", \"y z\"); // \"w\"\n// \"no\"\n"), ["x", "y z", "w"]);
    }
}
