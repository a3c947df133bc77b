//! What the review of a sprint shows.

use askama::Template;

use super::Chrome;
use super::meetings::{EndView, StateView, TurnView, VerdictView};
use super::sprints::{SprintCard, StoryRow};
use crate::comparison::Line;
use crate::moment::Moment;

/// `/sprints/{number}/review`
#[derive(Template)]
#[template(path = "review.html")]
pub struct ReviewPage {
    pub(crate) chrome: Chrome,
    pub(crate) card: SprintCard,
    pub(crate) href: String,
    pub(crate) stories: Vec<ReviewedStory>,
    pub(crate) app: AppNow,
    pub(crate) comments: Vec<CommentView>,
    /// How many remarks, and how many requests, the page shows.
    pub(crate) seen: u32,
    /// See `seen`.
    pub(crate) asked: u32,
    pub(crate) talks: Vec<TalkView>,
    /// What leads back here from a button of a meeting.
    pub(crate) back: String,
    pub(crate) has_model: bool,
}

/// A story beside the app.
pub struct ReviewedStory {
    /// Where it stood at the end of the sprint.
    pub row: StoryRow,
    /// Its number.
    pub number: u64,
    /// What it had to fulfil.
    pub criteria: Vec<String>,
    /// Whether the form is about it to begin with.
    pub is_chosen: bool,
    /// How many comments it has.
    pub comments: usize,
    /// The address of the backlog item.
    pub item_href: Option<String>,
    /// Where the item stands now, where that is something else.
    pub now: Option<&'static str>,
}

/// How the app is.
pub struct AppNow {
    /// In a sentence.
    pub standing: String,
    /// Whether it runs or is about to.
    pub is_up: bool,
    /// The vision whose app can be started here.
    pub startable: Option<String>,
}

/// A comment.
pub struct CommentView {
    /// Its number.
    pub number: u32,
    /// The number of the story that it is about.
    pub about: Option<u64>,
    /// What was said.
    pub said: SaidView,
    /// Answers to it.
    pub answers: Vec<SaidView>,
    /// Who settled it, and when.
    pub settled: Option<(String, Moment)>,
    /// Whether a change was asked for because of it.
    pub is_asked: bool,
}

/// Something said.
pub struct SaidView {
    /// Who.
    pub who: String,
    /// When.
    pub moment: Moment,
    /// What, as HTML that is safe to show.
    pub html: String,
}

/// The talk about changes, as far as the review shows it.
pub struct TalkView {
    /// The meeting's address.
    pub href: String,
    /// Its number.
    pub id: String,
    /// Where it stands.
    pub state: StateView,
    /// What was said and proposed.
    pub turns: Vec<TurnView>,
}
