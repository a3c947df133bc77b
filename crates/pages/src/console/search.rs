use askama::Template;

use crate::page::page;
use crate::shell::Shell;

/// What an operator looks for, and what was found.
#[derive(Debug, Clone, Template)]
#[template(path = "console/search.html")]
pub struct ConsoleSearch {
    /// What surrounds the page.
    pub shell: Shell,
    /// What was typed; nothing at first.
    pub typed: String,
    /// What was found, what goes by that very id first.
    pub found: Vec<FoundRow>,
    /// Why it was not looked for.
    pub error: Option<String>,
}

/// Something that was found.
#[derive(Debug, Clone)]
pub struct FoundRow {
    /// What it is.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// More about it.
    pub about: String,
    /// Where it is.
    pub url: String,
}

page!(ConsoleSearch, here: "/admin/search");
