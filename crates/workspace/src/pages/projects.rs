//! The pages of projects.

use askama::Template;

use crate::comparison::Line;
use crate::moment::Moment;
use crate::pages::sprints::FileDiff;
use crate::pages::{Changed, Chrome};

/// `/projects/{vision}`
#[derive(Template)]
#[template(path = "project.html")]
pub struct ProjectPage {
    pub(crate) chrome: Chrome,
    pub(crate) flash: Option<&'static str>,
    pub(crate) href: String,
    pub(crate) title: String,
    pub(crate) vision_href: String,
    pub(crate) commits: Vec<CommitRow>,
    pub(crate) remote: RemoteView,
}

/// Where a project is pushed to.
pub struct RemoteView {
    /// Its address, or what was typed as one.
    pub address: String,
    /// Who pushes.
    pub user: String,
    /// Why what was typed is not taken.
    pub trouble: Option<String>,
    /// Whether one is saved.
    pub is_set: bool,
    /// Whether a token is saved.
    pub has_token: bool,
    /// What a push would send, when one can be started.
    pub to_push: Option<ToPush>,
    /// The last push.
    pub last: Option<PushRow>,
}

/// What a push would send.
pub struct ToPush {
    /// Where to.
    pub to: String,
    /// The state of what is done.
    pub commit: String,
    /// How many pushes there were before.
    pub after: usize,
    /// How many states are new there, as far as is known here.
    pub count: usize,
    /// What the newest of them say of themselves.
    pub titles: Vec<String>,
    /// The names of states.
    pub tags: String,
}

/// A push.
pub struct PushRow {
    /// Who, and when.
    pub changed: Changed,
    /// Where to.
    pub to: String,
    /// Which state.
    pub commit: String,
    /// How it stands or ended.
    pub words: String,
    /// Whether that is well.
    pub is_good: bool,
}

/// A state of a project in a list.
pub struct CommitRow {
    /// Its whole hash.
    pub id: String,
    /// What it says of itself, the first line.
    pub title: String,
    /// When it was made.
    pub moment: Moment,
    /// The sprints that ended with it.
    pub tags: Vec<String>,
}

/// `/projects/{vision}/states/{commit}`
#[derive(Template)]
#[template(path = "state.html")]
pub struct StatePage {
    pub(crate) chrome: Chrome,
    pub(crate) project_href: String,
    pub(crate) project_title: String,
    pub(crate) commit: CommitRow,
    pub(crate) message: String,
    /// The state that this page compares with: what is done now.
    pub(crate) based_on: String,
    pub(crate) is_current: bool,
    /// What going back would change, one sentence for each file.
    pub(crate) changes: Vec<String>,
    pub(crate) files: Vec<FileDiff>,
}
