//! Rules of this house that neither the compiler nor clippy holds.

mod arrows;
mod bare;
mod dead;
mod deploy;
mod doctests;
mod lints;
mod manifest;
mod names;
mod size;
mod sql;
mod tree;
mod unused;
mod words;

use std::fmt;

use anyhow::{Result, bail};

use tree::Tree;

/// A rule that is broken, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Complaint {
    path: String,
    line: usize,
    what: String,
}

impl Complaint {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Checks all rules; the error says how many are broken, after each was printed.
pub fn run() -> Result<()> {
    let tree = Tree::read(&crate::shell::root())?;
    let mut complaints = complaints_about(&tree);
    complaints.sort();
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    match complaints.len() {
        0 => Ok(()),
        1 => bail!("one thing breaks a rule of this house"),
        many => bail!("{many} things break rules of this house"),
    }
}

fn complaints_about(tree: &Tree) -> Vec<Complaint> {
    let rules: [fn(&Tree) -> Vec<Complaint>; 10] = [
        arrows::check,
        dead::check,
        deploy::check,
        doctests::check,
        lints::check,
        names::check,
        size::check,
        sql::check,
        unused::check,
        words::check,
    ];
    rules.iter().flat_map(|rule| rule(tree)).collect()
}
