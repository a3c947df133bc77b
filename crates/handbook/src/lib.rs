//! The documentation: the repository's Markdown, bound into pages of the site.
//!
//! Documents go in, pages come out: nothing here reads files, waits, or asks for the time. All text is part of the
//! program, and the API's reference is made from the API's own description. Links between documents become
//! addresses of the site; where one leads nowhere is in [`Handbook::faults`], and a test wants none of them.

mod anchors;
mod binding;
mod links;
mod markdown;
mod pictures;
mod reference;
mod schema;
mod search;
mod shelf;

use std::collections::HashMap;

use pages::{BookEntry, BookHit, BookLink, BookMissing, BookPage, BookPart, BookSearch, Prose, Shell};
use serde_json::Value;

pub use pictures::picture;

/// Where the documentation begins on the site.
pub const ROOT: &str = "/docs";

/// How many places a search shows.
const MOST_HITS: usize = 25;

/// Pages that an address without a page may have meant.
const MOST_NEAR: usize = 5;

/// All pages, with their order and an index of their words.
#[derive(Debug)]
pub struct Handbook {
    leaves: Vec<Leaf>,
    by_address: HashMap<String, usize>,
    index: search::Index,
    faults: Vec<String>,
    sources: Vec<String>,
}

/// One page.
#[derive(Debug)]
pub(crate) struct Leaf {
    /// Whom it is for.
    part: &'static str,
    /// What follows `/docs/`; nothing for the first page.
    address: String,
    /// What it is called in the table of contents.
    name: String,
    /// Its heading, as text.
    title: String,
    /// The page that it stands below.
    above: Option<usize>,
    heading: Prose,
    text: Prose,
    sections: Vec<BookLink>,
}

impl Handbook {
    /// Binds the documents, and a reference of the API that an OpenAPI document describes.
    pub fn bind(api: &Value) -> Self {
        binding::bind(shelf::all(api))
    }

    /// The page at an address, such as `operator/settings`; `None` where there is none.
    pub fn read(&self, address: &str, shell: Shell) -> Option<String> {
        let at = *self.by_address.get(address)?;
        let leaf = &self.leaves[at];
        let neighbour = |at: Option<usize>| at.and_then(|at| self.leaves.get(at)).map(Leaf::link);
        let page = BookPage {
            shell: Shell { title: leaf.title.clone(), ..shell },
            parts: self.parts(Some(at)),
            trail: self.trail(at),
            heading: leaf.heading.clone(),
            text: leaf.text.clone(),
            sections: leaf.sections.clone(),
            previous: neighbour(at.checked_sub(1)),
            next: neighbour(at.checked_add(1)),
        };
        Some(page.render())
    }

    /// The places where all of some words stand.
    pub fn search(&self, query: &str, shell: Shell) -> String {
        let query: String = query.chars().filter(|c| !c.is_control()).take(search::LONGEST_QUERY).collect();
        let query = query.trim().to_owned();
        let found = self.index.find(&query);
        let total = found.len();
        let hits = found.into_iter().take(MOST_HITS).map(|found| found.into_hit(&self.leaves)).collect();
        let shell = Shell { title: "Search".to_owned(), ..shell };
        BookSearch { shell, parts: self.parts(None), query, hits, total }.render()
    }

    /// The places for customers that have most to do with a sentence of theirs, best first: what may answer a question before
    /// somebody has to.
    pub fn answers(&self, question: &str, most: usize) -> Vec<BookHit> {
        let question: String = question.chars().take(search::LONGEST_QUERY).collect();
        let is_theirs =
            |leaf: usize| self.leaves.get(leaf).is_some_and(|leaf| shelf::FOR_CUSTOMERS.contains(&leaf.part));
        let found = self.index.near(&question, is_theirs);
        found.into_iter().take(most).map(|found| found.into_hit(&self.leaves)).collect()
    }

    /// What is said where there is no page: what the address may have meant.
    pub fn missing(&self, address: &str, shell: Shell) -> String {
        let words: Vec<&str> =
            address.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(8).collect();
        let query = words.join(" ");
        let shell = Shell { title: "Not found".to_owned(), ..shell };
        let near = self.near(&words);
        BookMissing { shell, parts: self.parts(None), query, near }.render()
    }

    /// The address of every page, in reading order.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.leaves.iter().map(|leaf| leaf.address.as_str())
    }

    /// What is wrong with the documents, in words: links that lead nowhere, HTML that can't be shown.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// Files of the repository that documents name by a link and that are no pages.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Pages whose address or heading has one of these words; those with most of them first.
    fn near(&self, words: &[&str]) -> Vec<BookLink> {
        let mut near: Vec<(usize, &Leaf)> = Vec::new();
        for leaf in &self.leaves {
            let known = format!("{} {}", leaf.address, leaf.title).to_lowercase();
            let shared = words.iter().filter(|word| word.len() > 2 && known.contains(&word.to_lowercase())).count();
            if shared > 0 {
                near.push((shared, leaf));
            }
        }
        near.sort_by_key(|(shared, _)| std::cmp::Reverse(*shared));
        near.into_iter().take(MOST_NEAR).map(|(_, leaf)| leaf.link()).collect()
    }

    fn trail(&self, at: usize) -> Vec<BookLink> {
        let mut trail = Vec::new();
        let mut above = self.leaves[at].above;
        while let Some(at) = above {
            trail.push(self.leaves[at].link());
            above = self.leaves[at].above;
        }
        if at > 0 {
            trail.push(BookLink { name: "Documentation".to_owned(), url: ROOT.to_owned() });
        }
        trail.reverse();
        trail
    }

    /// The table of contents. Of pages that stand below others, those are shown that are near the one that is open.
    fn parts(&self, open: Option<usize>) -> Vec<BookPart> {
        let around = open.map(|at| self.leaves[at].above.unwrap_or(at));
        let mut parts: Vec<BookPart> = Vec::new();
        for (at, leaf) in self.leaves.iter().enumerate().filter(|(_, leaf)| leaf.above.is_none()) {
            if parts.last().is_none_or(|part| part.name != leaf.part) {
                parts.push(BookPart { name: leaf.part.to_owned(), entries: Vec::new() });
            }
            let entry = |at: usize, below| BookEntry { link: self.leaves[at].link(), open: open == Some(at), below };
            let shown = around == Some(at);
            let inner = self.leaves.iter().enumerate().filter(|(_, leaf)| shown && leaf.above == Some(at));
            let below = inner.map(|(at, _)| entry(at, Vec::new())).collect();
            if let Some(part) = parts.last_mut() {
                part.entries.push(entry(at, below));
            }
        }
        parts
    }
}

impl Leaf {
    fn link(&self) -> BookLink {
        BookLink { name: self.name.clone(), url: url_of(&self.address) }
    }
}

/// Where a page is on the site.
pub(crate) fn url_of(address: &str) -> String {
    if address.is_empty() { ROOT.to_owned() } else { format!("{ROOT}/{address}") }
}
