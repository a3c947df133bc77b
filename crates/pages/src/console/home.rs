use askama::Template;
use jiff::Timestamp;

use crate::page::page;
use crate::shell::Shell;

/// The first page: what needs a person, then how much there is of everything.
#[derive(Debug, Clone, Template)]
#[template(path = "console/home.html")]
pub struct ConsoleHome {
    /// What surrounds the page.
    pub shell: Shell,
    /// What needs a person, most pressing first; empty is good.
    pub attention: Vec<Attention>,
    /// How much there is of everything.
    pub counts: Vec<Count>,
}

/// Something that needs a person.
#[derive(Debug, Clone)]
pub struct Attention {
    /// What is broken, such as `acme.localhost:8080 does not answer`.
    pub what: String,
    /// Why, as far as known.
    pub why: String,
    /// Since when, or when it was seen.
    pub at: Timestamp,
    /// Where to do something about it.
    pub url: String,
}

/// A number with its name.
#[derive(Debug, Clone)]
pub struct Count {
    /// What is counted.
    pub label: String,
    /// How many.
    pub value: u64,
    /// Where they are listed.
    pub url: String,
}

page!(ConsoleHome, here: "/admin");
