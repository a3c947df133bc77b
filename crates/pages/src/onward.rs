use askama::Template;

use crate::page::page;
use crate::shell::Shell;

/// A stop on the way to somebody else's page, such as the payment provider's.
///
/// It goes on by itself, as a navigation of its own: an answer to a form that redirects to another
/// site is stopped by browsers under [`crate::CONTENT_SECURITY_POLICY`].
#[derive(Debug, Clone, Template)]
#[template(path = "site/onward.html")]
pub struct Onward {
    /// What surrounds the page.
    pub shell: Shell,
    /// Where it leads, such as `the payment page`.
    pub to: String,
    /// The address there; `None` while it is being prepared, for which the page looks again by itself.
    pub url: Option<String>,
    /// Where to go back to.
    pub back_url: String,
}

page!(Onward, here: "");
