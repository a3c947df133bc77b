use askama::Template;

use crate::page::page;
use crate::shell::Shell;

/// Somebody who followed the link in a mail asks for no more of them, or has.
#[derive(Debug, Clone, Template)]
#[template(path = "site/subscription.html")]
pub struct Unsubscribe {
    /// What surrounds the page.
    pub shell: Shell,
    /// A few words.
    pub title: String,
    /// A sentence or two.
    pub text: String,
    /// A button: its words, and where it posts to.
    pub action: Option<(String, String)>,
}

page!(Unsubscribe, here: "");

impl Unsubscribe {
    /// Where one goes on from there: words and address.
    fn onward(&self) -> (&'static str, &'static str) {
        ("To the front page", "/")
    }
}
