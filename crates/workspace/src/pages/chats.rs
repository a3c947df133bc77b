//! The page of everything that was ever said.

use askama::Template;

use crate::moment::Moment;
use crate::pages::Chrome;

/// `/chats`
#[derive(Template)]
#[template(path = "chats.html")]
pub struct ChatsPage {
    pub(crate) chrome: Chrome,
    pub(crate) visions: Vec<Choice>,
    pub(crate) team: Vec<Choice>,
    /// The vision that is chosen; empty for all.
    pub(crate) vision: String,
    /// The role that is chosen; empty for everybody.
    pub(crate) with: String,
    pub(crate) rows: Vec<ChatRow>,
    /// The page with what was said before, if there is one.
    pub(crate) older: Option<usize>,
}

/// Something to choose.
pub struct Choice {
    /// Its word in addresses.
    pub word: String,
    /// What it is called.
    pub title: String,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

/// Something that was said.
pub struct ChatRow {
    /// Where it is.
    pub href: String,
    /// Who said it.
    pub who: String,
    /// In which meeting or about which story.
    pub place: String,
    /// When.
    pub moment: Moment,
    /// How it begins.
    pub text: String,
}
