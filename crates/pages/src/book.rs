use std::fmt;

use askama::Template;

use crate::page::page;
use crate::shell::Shell;

/// HTML that was made from our own documents, and from nothing that anybody entered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prose(String);

impl Prose {
    /// Takes HTML as it is: whoever calls this vouches for where its text comes from.
    pub fn of_our_documents(html: String) -> Self {
        Self(html)
    }

    /// The HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Prose {}

/// A link within the documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookLink {
    /// What it is called.
    pub name: String,
    /// Where it leads.
    pub url: String,
}

/// A line of the table of contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookEntry {
    /// The page.
    pub link: BookLink,
    /// Whether it is the page that is open.
    pub open: bool,
    /// The pages below it, where it is the one that is open or one of them is.
    pub below: Vec<Self>,
}

/// Pages for one kind of reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookPart {
    /// Whom they are for, or what they are.
    pub name: String,
    /// The pages, in reading order.
    pub entries: Vec<BookEntry>,
}

/// A page of the documentation.
#[derive(Debug, Clone, Template)]
#[template(path = "book/page.html")]
pub struct BookPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// Every page there is.
    pub parts: Vec<BookPart>,
    /// The pages above this one, from the outside in.
    pub trail: Vec<BookLink>,
    /// Its heading.
    pub heading: Prose,
    /// What it says below that.
    pub text: Prose,
    /// Its sections.
    pub sections: Vec<BookLink>,
    /// The page before.
    pub previous: Option<BookLink>,
    /// The page after.
    pub next: Option<BookLink>,
}

/// What a search found.
#[derive(Debug, Clone, Template)]
#[template(path = "book/search.html")]
pub struct BookSearch {
    /// What surrounds the page.
    pub shell: Shell,
    /// Every page there is.
    pub parts: Vec<BookPart>,
    /// What was asked for.
    pub query: String,
    /// The best places, best first.
    pub hits: Vec<BookHit>,
    /// How many there are in all.
    pub total: usize,
}

/// A place that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookHit {
    /// The section.
    pub link: BookLink,
    /// The page that it is in, where that has another name.
    pub page: Option<String>,
    /// The words around what was found.
    pub around: Vec<Stretch>,
}

/// Some words of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The words.
    pub text: String,
    /// Whether they were looked for.
    pub found: bool,
}

/// There is no such page of the documentation.
#[derive(Debug, Clone, Template)]
#[template(path = "book/missing.html")]
pub struct BookMissing {
    /// What surrounds the page.
    pub shell: Shell,
    /// Every page there is.
    pub parts: Vec<BookPart>,
    /// What the address may have meant, and what it asks for in words.
    pub query: String,
    /// Pages that it may have meant.
    pub near: Vec<BookLink>,
}

page!(BookPage, here: "/docs");
page!(BookSearch, here: "/docs");
page!(BookMissing, here: "/docs");

impl BookPage {
    fn query(&self) -> &str {
        ""
    }
}

impl BookSearch {
    fn query(&self) -> &str {
        &self.query
    }
}

impl BookMissing {
    fn query(&self) -> &str {
        &self.query
    }
}
