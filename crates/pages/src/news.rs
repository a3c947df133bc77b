use askama::Template;
use jiff::Timestamp;

use crate::page::{page, written};
use crate::shell::Shell;

/// What changed in the product, latest first.
#[derive(Debug, Clone, Template)]
#[template(path = "site/news.html")]
pub struct News {
    /// What surrounds the page.
    pub shell: Shell,
    /// Releases that reached customers and have something to say.
    pub entries: Vec<NewsEntry>,
}

/// A release, as its customers read of it.
#[derive(Debug, Clone)]
pub struct NewsEntry {
    /// What it is called.
    pub version: String,
    /// When it was given to customers.
    pub at: Timestamp,
    /// What changed.
    pub notes: String,
}

/// The same as a feed (Atom, RFC 4287).
#[derive(Debug, Clone, Template)]
#[template(path = "site/news.xml")]
pub struct NewsFeed {
    /// What is sold here.
    pub product: String,
    /// Where the page is.
    pub url: String,
    /// When there was something new.
    pub updated_at: Timestamp,
    /// As on the page.
    pub entries: Vec<NewsEntry>,
}

/// Where everything is that a search engine may show (sitemaps.org, protocol 0.9).
#[derive(Debug, Clone, Template)]
#[template(path = "site/sitemap.xml")]
pub struct Sitemap {
    /// Whole addresses.
    pub urls: Vec<String>,
}

page!(News, here: "/news");

impl NewsFeed {
    /// The feed.
    pub fn render(&self) -> String {
        written(Template::render(self))
    }
}

impl Sitemap {
    /// The map.
    pub fn render(&self) -> String {
        written(Template::render(self))
    }
}

impl NewsEntry {
    /// Its place on the page; a version may hold what no address may.
    pub(crate) fn anchor(&self) -> String {
        let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' };
        format!("v{}", self.version.chars().map(plain).collect::<String>())
    }

    pub(crate) fn paragraphs(&self) -> impl Iterator<Item = &str> {
        self.notes.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty())
    }
}
